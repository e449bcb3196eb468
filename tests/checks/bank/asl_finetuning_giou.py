"""Answers to ``asl_finetuning.giou``."""

import torch
from torchvision.ops import generalized_box_iou

from tests.checks.bank.entries import Bank

BANK = Bank("asl_finetuning.giou")


def area(box):
    return (box[:, 2:] - box[:, :2]).prod(dim=1)


def shared(a, b):
    return (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=1)


def around(a, b):
    return (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(dim=1)


def answer(
    both=shared,
    union=lambda a, b, both: area(a) + area(b) - both,
    frame=around,
    put=lambda o, u, f: o / u - (f - u) / f,
):
    """The right answer, or one with a part replaced; ``put`` makes it of overlap, union and frame."""

    def giou(boxes, true_boxes):
        overlap = both(boxes, true_boxes)
        return put(overlap, union(boxes, true_boxes, overlap), frame(boxes, true_boxes))

    return giou


BANK.right(answer())
BANK.right(answer(put=lambda o, u, f: o / u + u / f - 1))


@BANK.right
def side_by_side(boxes, true_boxes):
    x1, y1, x2, y2 = boxes.T
    u1, v1, u2, v2 = true_boxes.T
    wide, high = torch.relu(torch.min(x2, u2) - torch.max(x1, u1)), torch.relu(torch.min(y2, v2) - torch.max(y1, v1))
    union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - wide * high
    frame = (torch.max(x2, u2) - torch.min(x1, u1)) * (torch.max(y2, v2) - torch.min(y1, v1))
    return wide * high / union - 1 + union / frame


@BANK.right
def one_by_one(boxes, true_boxes):
    return torch.cat([answer()(a[None], b[None]) for a, b in zip(boxes, true_boxes, strict=True)])


def signed(a, b):
    return (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).prod(dim=1)


def far(a, b):
    centre = (a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2
    outer = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    overlap = shared(a, b)
    return overlap / (area(a) + area(b) - overlap) - centre.square().sum(1) / outer.square().sum(1)


BANK.wrong("plain-iou")(answer(put=lambda o, u, f: o / u))
BANK.wrong("loss-not-measure")(answer(put=lambda o, u, f: 1 - o / u + (f - u) / f))
BANK.wrong("loss-not-measure")(answer(put=lambda o, u, f: 1 - o / u))
BANK.wrong("added-not-taken-off")(answer(put=lambda o, u, f: o / u + (f - u) / f))
BANK.wrong("over-union")(answer(put=lambda o, u, f: o / u - (f - u) / u))
BANK.wrong("not-divided")(answer(put=lambda o, u, f: o / u - (f - u)))
BANK.wrong("empty-of-both")(answer(put=lambda o, u, f: o / u - (f - o) / f))
BANK.wrong("frame-inside-out")(answer(frame=signed))
BANK.wrong("frame-of-sums")(answer(frame=lambda a, b: (a[:, 2:] - a[:, :2] + b[:, 2:] - b[:, :2]).prod(1)))
BANK.wrong("shared-counted-twice")(answer(union=lambda a, b, both: area(a) + area(b)))
BANK.wrong("negative-overlap")(answer(both=signed))
BANK.wrong("negative-overlap")(answer(both=lambda a, b: signed(a, b).clamp(min=0)))
BANK.wrong("clamped")(answer(put=lambda o, u, f: (o / u - (f - u) / f).clamp(min=0)))
BANK.wrong("clamped")(answer(put=lambda o, u, f: torch.relu(o / u - (f - u) / f)))
BANK.wrong("centre-distance")(far)
BANK.wrong("wrong-values")(answer(put=lambda o, u, f: o / f))
BANK.wrong("wrong-values")(answer(put=lambda o, u, f: -(o / u - (f - u) / f)))
BANK.wrong("wrong-type")(lambda a, b: answer()(a, b).tolist())
BANK.wrong("wrong-shape")(lambda a, b: answer()(a, b).mean())
BANK.wrong("wrong-dtype")(lambda a, b: answer()(a, b).half())
BANK.wrong("lost-precision")(lambda a, b: answer()(a.float(), b.float()).to(a.dtype))
BANK.wrong("cuts-gradient")(lambda a, b: answer()(a.detach(), b))
BANK.wrong("cuts-gradient")(answer(frame=lambda a, b: around(a, b).detach()))
BANK.wrong("forbidden-call")(lambda a, b: generalized_box_iou(a, b).diag())


@BANK.wrong("wrong-shape")
def every_box_with_every_other(boxes, true_boxes):
    rows = [answer()(boxes, true[None].expand_as(boxes)) for true in true_boxes]
    return torch.stack(rows, dim=1)


@BANK.wrong("changes-inputs")
def in_place(boxes, true_boxes):
    found = answer()(boxes, true_boxes)
    true_boxes += 0.5
    return found


BANK.wrong("clipped")(lambda a, b: answer()(a.clamp(0, 1), b))
BANK.wrong("clipped")(lambda a, b: answer()(a.clamp(0, 1), b.clamp(0, 1)))
BANK.wrong("empty-part-alone")(answer(put=lambda o, u, f: (f - u) / f))
BANK.wrong("adds-epsilon")(answer(put=lambda o, u, f: o / (u + 1e-7) - (f - u) / f))
BANK.wrong("adds-epsilon")(answer(put=lambda o, u, f: o / (u + 1e-6) - (f - u) / (f + 1e-6)))
BANK.wrong("adds-epsilon")(answer(union=lambda a, b, both: area(a) + area(b) - both + 1e-9))
