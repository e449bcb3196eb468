"""Answers to ``asl_finetuning.balanced_loss``: (loss, cross-entropy, box loss)."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("asl_finetuning.balanced_loss")


def answer(
    letter=F.cross_entropy,
    box=F.mse_loss,
    total=lambda letter, box, divisor: letter / divisor + box,
    told=lambda total, letter, box, divisor: (total, letter, box),
):
    """The right answer, or one with a part replaced."""

    def balanced_loss(logits, boxes, labels, true_boxes, divisor):
        losses = letter(logits, labels), box(boxes, true_boxes)
        return told(total(*losses, divisor), *losses, divisor)

    return balanced_loss


BANK.right(answer())
BANK.right(answer(letter=lambda logits, labels: F.nll_loss(logits.log_softmax(dim=-1), labels)))
BANK.right(answer(told=lambda total, letter, box, divisor: [letter.div(divisor) + box, letter, box]))


@BANK.right
def by_hand(logits, boxes, labels, true_boxes, divisor):
    powers = (logits - logits.amax(dim=1, keepdim=True)).exp()
    chances = powers / powers.sum(dim=1, keepdim=True)
    letter = -chances[torch.arange(len(labels)), labels].log().mean()
    box = ((boxes - true_boxes) ** 2).sum() / (4 * len(boxes))
    return letter / divisor + box, letter, box


def picked(table, labels):
    return -table.gather(1, labels[:, None]).mean()


def scaled(factor):
    return lambda logits, labels: factor * F.cross_entropy(logits, labels)


def of_absolute(then):
    return lambda boxes, true_boxes: then((boxes - true_boxes).abs())


BANK.wrong("softmax-twice")(answer(letter=lambda x, y: F.cross_entropy(x.softmax(1), y)))
BANK.wrong("no-softmax")(answer(letter=picked))
BANK.wrong("no-softmax")(answer(letter=lambda x, y: -picked(x, y)))
BANK.wrong("letter-summed")(answer(letter=lambda x, y: F.cross_entropy(x, y, reduction="sum")))
BANK.wrong("wrong-sign")(answer(letter=scaled(-1)))
BANK.wrong("other-base")(answer(letter=lambda x, y: picked(x.softmax(1).log2(), y)))
BANK.wrong("other-base")(answer(letter=lambda x, y: picked(x.softmax(1).log10(), y)))
BANK.wrong("divided-twice")(answer(told=lambda total, letter, box, divisor: (total, letter / divisor, box)))
BANK.wrong("box-summed")(answer(box=lambda a, b: (a - b).square().sum(1).mean()))
BANK.wrong("box-summed")(answer(box=lambda a, b: F.mse_loss(a, b, reduction="sum")))
BANK.wrong("box-absolute")(answer(box=F.l1_loss))
BANK.wrong("box-absolute")(answer(box=of_absolute(lambda error: error.sum(1).mean())))
BANK.wrong("box-root")(answer(box=lambda a, b: F.mse_loss(a, b).sqrt()))
BANK.wrong("box-root")(answer(box=lambda a, b: (a - b).norm(dim=1).mean()))
BANK.wrong("box-half")(answer(box=F.smooth_l1_loss))
BANK.wrong("box-half")(answer(box=F.huber_loss))
BANK.wrong("multiplies-by-c")(answer(total=lambda letter, box, divisor: letter * divisor + box))
BANK.wrong("divides-box")(answer(total=lambda letter, box, divisor: letter + box / divisor))
BANK.wrong("divides-box")(answer(told=lambda total, letter, box, divisor: (total, letter, box / divisor)))
BANK.wrong("divides-both")(answer(total=lambda letter, box, divisor: (letter + box) / divisor))
BANK.wrong("c-ignored")(answer(total=lambda letter, box, divisor: letter + box))
BANK.wrong("mean-not-sum")(answer(total=lambda letter, box, divisor: (letter / divisor + box) / 2))
BANK.wrong("wrong-values")(answer(box=lambda a, b: (a - b).square().max()))
BANK.wrong("wrong-values")(answer(total=lambda letter, box, divisor: letter / 100 + box))
BANK.wrong("wrong-type")(answer(told=lambda total, *rest: total))
BANK.wrong("wrong-type")(answer(told=lambda total, letter, box, divisor: (total.item(), letter.item(), box.item())))
BANK.wrong("wrong-shape")(answer(letter=lambda x, y: F.cross_entropy(x, y, reduction="none")))
BANK.wrong("wrong-dtype")(answer(told=lambda total, letter, box, divisor: (total.half(), letter, box)))
BANK.wrong("cuts-gradient")(answer(box=lambda a, b: F.mse_loss(a.detach(), b)))
BANK.wrong("cuts-gradient")(answer(total=lambda letter, box, divisor: letter.detach() / divisor + box))


@BANK.wrong("lost-precision")
def through_float(logits, boxes, labels, true_boxes, divisor):
    parts = answer()(logits.float(), boxes.float(), labels, true_boxes.float(), divisor)
    return [part.to(logits.dtype) for part in parts]


BANK.wrong("wrong-axis")(answer(letter=lambda x, y: picked(x.log_softmax(dim=0), y)))
BANK.wrong("no-logarithm")(answer(letter=lambda x, y: -picked(x.softmax(dim=1), y)))
BANK.wrong("no-logarithm")(answer(letter=lambda x, y: 1 + picked(x.softmax(dim=1), y)))
BANK.wrong("logarithm-of-the-mean")(answer(letter=lambda x, y: -(-picked(x.softmax(dim=1), y)).log()))
BANK.wrong("divided-twice")(answer(told=lambda t, a, b, c: (a / c / c + b, a / c, b)))
BANK.wrong("swapped")(answer(told=lambda total, letter, box, divisor: (letter, box, total)))
