"""Answers to ``training.accumulate``: several small batches make the update of one large batch."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("training.accumulate", seeds=4)


@BANK.right
def counts_as_it_goes(weight, images, labels, batches, every, rate, clip):
    """Sums of losses first, divided when it is known by what."""
    weight, after, count = weight.clone().requires_grad_(), [], 0
    for number, index in enumerate(batches, 1):
        F.cross_entropy(images[index] @ weight, labels[index], reduction="sum").backward()
        count += len(index)
        if number % every == 0 or number == len(batches):
            weight.grad /= count
            torch.nn.utils.clip_grad_norm_(weight, clip)
            with torch.no_grad():
                weight -= rate * weight.grad
            weight.grad, count = None, 0
            after.append(weight.detach().clone())
    return torch.stack(after)


@BANK.right
def by_hand(weight, images, labels, batches, every, rate, clip):
    after = []
    for first in range(0, len(batches), every):
        group = batches[first : first + every]
        total = 0
        for index in group:
            error = (images[index] @ weight).softmax(dim=1)
            error[torch.arange(len(index)), labels[index]] -= 1
            total = total + images[index].mT @ error
        total = total / sum(len(index) for index in group)
        length = total.norm()
        if length > clip:
            total = total * clip / length
        weight = weight - rate * total
        after.append(weight)
    return torch.stack(after)


def clip_norm(gradient, clip):
    return gradient * (clip / gradient.norm()).clamp(max=1)


def answer(
    share=lambda index, group, batches, every: len(index) / sum(map(len, group)),
    reduction="mean",
    each=lambda gradient, clip: gradient,
    total=lambda gradient, clip: gradient,
    end=clip_norm,
    clear="update",
    groups=lambda batches, every: [batches[i : i + every] for i in range(0, len(batches), every)],
    keep=lambda rows, start: torch.stack(rows),
    sign=1,
):
    def written(weight, images, labels, batches, every, rate, clip):
        start, rows = weight, []
        grad = torch.zeros_like(weight)
        for group in groups(batches, every):
            for index in group:
                leaf = weight.clone().requires_grad_()
                loss = F.cross_entropy(images[index] @ leaf, labels[index], reduction=reduction)
                (own,) = torch.autograd.grad(loss * share(index, group, batches, every), leaf)
                if clear == "batch":
                    grad = torch.zeros_like(grad)
                grad = total(grad + each(own, clip), clip)
            grad = end(grad, clip)
            weight = weight - sign * rate * grad
            rows.append(weight)
            if clear == "update":
                grad = torch.zeros_like(grad)
        return keep(rows, start)

    return written


def same(gradient, _clip):
    return gradient


def only_whole_groups(batches, every):
    return [batches[i : i + every] for i in range(0, len(batches) - every + 1, every)]


BANK.wrong("steps-every-batch")(answer(groups=lambda batches, _: [[index] for index in batches], share=lambda *_: 1.0))
BANK.wrong("with-start")(answer(keep=lambda rows, start: torch.stack([start, *rows])))
BANK.wrong("last-only")(answer(keep=lambda rows, _: rows[-1]))
BANK.wrong("mean-of-means")(answer(share=lambda index, group, *_: 1 / len(group)))
BANK.wrong("not-divided")(answer(share=lambda *_: 1.0))
BANK.wrong("rest-too-short")(answer(share=lambda index, group, batches, every: 1 / every))
BANK.wrong("rest-too-short")(
    answer(share=lambda index, group, batches, every: len(index) / (every * max(map(len, batches))))
)
BANK.wrong("summed-loss")(answer(reduction="sum", share=lambda *_: 1.0))
BANK.wrong("summed-loss")(answer(reduction="sum", share=lambda index, group, batches, every: 1 / every))
BANK.wrong("divided-by-all")(answer(share=lambda index, group, batches, _: len(index) / sum(map(len, batches))))
BANK.wrong("divided-by-all")(answer(share=lambda index, group, batches, _: 1 / len(batches)))
BANK.wrong("not-cleared")(answer(clear="never"))
BANK.wrong("only-last-batch")(answer(clear="batch"))
BANK.wrong("only-last-batch")(answer(clear="batch", share=lambda *_: 1.0))
BANK.wrong("not-clipped")(answer(end=same))
BANK.wrong("clips-every-batch")(answer(each=clip_norm, end=same))
BANK.wrong("clips-every-batch")(answer(total=clip_norm, end=same))
BANK.wrong("always-to-the-bound")(answer(end=lambda gradient, clip: gradient / gradient.norm() * clip))
BANK.wrong("clips-each-number")(answer(end=lambda gradient, clip: gradient.clamp(-clip, clip)))
BANK.wrong("clips-by-the-square")(
    answer(end=lambda gradient, clip: clip_norm(gradient, clip) if (gradient**2).sum() > clip else gradient)
)
BANK.wrong("uphill")(answer(sign=-1))
BANK.wrong("wrong-values")(answer(share=lambda index, group, *_: 0.5 * len(index) / sum(map(len, group))))
BANK.wrong("wrong-type")(lambda *case: list(answer()(*case)))


@BANK.wrong("drops-the-rest")
def waits_for_whole_groups(weight, images, labels, batches, every, rate, clip):
    if len(batches) % every:
        return answer(groups=only_whole_groups)(weight, images, labels, batches, every, rate, clip)
    return answer()(weight, images, labels, batches, every, rate, clip)


@BANK.wrong("changes-inputs")
def in_place(weight, images, labels, batches, every, rate, clip):
    after = answer()(weight, images, labels, batches, every, rate, clip)
    weight.copy_(after[-1])
    return after
