"""Answers to ``asl_data.blind``: (accuracy, mean IoU, IoU@50)."""

import torch

from tests.checks.bank.asl_data_iou import plain as iou
from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.blind")


def most_frequent(labels):
    return labels.bincount().argmax()


def answer(
    letter=lambda train, valid: most_frequent(train),
    box=lambda train, valid: train.mean(0),
    judged=lambda train, valid: valid,
    counted=lambda found: found >= 0.5,
    of=lambda found: found.float().mean(),
):
    """The right answer, or one with a part replaced."""

    def blind(train_labels, train_boxes, valid_labels, valid_boxes):
        labels, boxes = judged(train_labels, valid_labels), judged(train_boxes, valid_boxes)
        found = iou(box(train_boxes, valid_boxes).expand_as(boxes), boxes)
        right = labels == letter(train_labels, valid_labels)
        return of(right), of(found), of(counted(found))

    return blind


BANK.right(answer())


@BANK.right
def in_plain_numbers(train_labels, train_boxes, valid_labels, valid_boxes):
    seen = train_labels.tolist()
    usual = max(set(seen), key=seen.count)
    box = train_boxes.sum(dim=0, keepdim=True) / len(train_boxes)
    found = iou(box.repeat(len(valid_boxes), 1), valid_boxes).tolist()
    right = [label == usual for label in valid_labels.tolist()]
    return [sum(right) / len(right), sum(found) / len(found), sum(part >= 0.5 for part in found) / len(found)]


@BANK.right
def as_one_tensor(*given):
    return torch.stack(answer(letter=lambda train, valid: train.mode().values)(*given))


BANK.wrong("letter-of-valid")(answer(letter=lambda train, valid: most_frequent(valid)))
BANK.wrong("judged-on-train")(answer(judged=lambda train, valid: train))
BANK.wrong("percent")(answer(of=lambda found: 100 * found.float().mean()))
BANK.wrong("box-of-valid")(answer(box=lambda train, valid: valid.mean(0)))
BANK.wrong("box-of-valid")(lambda a, b, c, d: answer(box=lambda *_: torch.cat([d, d]).mean(0))(a, b, c, d))
BANK.wrong("median-box")(answer(box=lambda train, valid: train.median(0).values))
BANK.wrong("one-number")(answer(box=lambda train, valid: train.mean().expand(4)))
BANK.wrong("more-than-half")(answer(counted=lambda found: found > 0.5))
BANK.wrong("wrong-values")(answer(letter=lambda train, valid: -1))
BANK.wrong("wrong-values")(answer(counted=lambda found: found >= 0.75))
BANK.wrong("wrong-shape")(lambda *given: answer()(*given)[:2])
BANK.wrong("wrong-shape")(lambda *given: answer()(*given)[0])
BANK.wrong("wrong-type")(lambda *given: {"accuracy": 0.1})


@BANK.wrong("one-in-k")
def by_the_number_of_letters(*given):
    return (1 / 26, *answer()(*given)[1:])


@BANK.wrong("one-in-k")
def by_the_letters_seen(*given):
    return (1 / len(given[0].unique()), *answer()(*given)[1:])


@BANK.wrong("overlap-of-means")
def the_overlap_of_two_means(*given):
    accuracy, _, half = answer()(*given)
    return accuracy, iou(given[1].mean(0, keepdim=True), given[3].mean(0, keepdim=True))[0], half


BANK.wrong("counted-not-shared")(answer(of=lambda found: found.float().sum()))
BANK.wrong("half-of-the-mean")(answer(counted=lambda found: found.mean() >= 0.5))
BANK.wrong("swapped")(lambda *given: answer()(*given)[::-1])
