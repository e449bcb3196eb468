"""Answers to ``asl_finetuning.two_heads``: (logits, boxes)."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("asl_finetuning.two_heads")


def layer(x, head, place):
    return x @ head[f"weight{place}"].T + head[f"bias{place}"]


def plain(x, head, between=torch.relu):
    return layer(between(layer(x, head, 1)), head, 2)


def answer(run=plain, letter=lambda x: x, box=torch.sigmoid):
    """The right answer, or one with a part replaced."""

    def two_heads(vector, letter_head, box_head):
        return letter(run(vector, letter_head)), box(run(vector, box_head))

    return two_heads


BANK.right(answer())


@BANK.right
def with_functions(vector, letter, box):
    found = []
    for head in (letter, box):
        hidden = F.relu(F.linear(vector, head["weight1"], head["bias1"]))
        found.append(F.linear(hidden, head["weight2"], head["bias2"]))
    return found[0], found[1].sigmoid()


@BANK.right
def with_layers(vector, letter, box):
    def run(head):
        hidden = torch.einsum("bi,hi->bh", vector, head["weight1"]).add(head["bias1"]).clamp(min=0)
        return torch.addmm(head["bias2"], hidden, head["weight2"].mT)

    return [run(letter), 1 / (1 + (-run(box)).exp())]


def no_bias(*places):
    def run(x, head):
        return plain(x, head | {f"bias{place}": torch.zeros_like(head[f"bias{place}"]) for place in places})

    return run


BANK.wrong("no-relu")(answer(lambda x, head: plain(x, head, lambda hidden: hidden)))
BANK.wrong("other-activation")(answer(lambda x, head: plain(x, head, F.gelu)))
BANK.wrong("other-activation")(answer(lambda x, head: plain(x, head, torch.tanh)))
BANK.wrong("other-activation")(answer(lambda x, head: plain(x, head, torch.sigmoid)))
BANK.wrong("other-activation")(answer(lambda x, head: plain(x, head, F.leaky_relu)))
BANK.wrong("relu-too-early")(answer(lambda x, head: layer(layer(x.relu(), head, 1), head, 2)))
BANK.wrong("relu-at-the-end")(answer(lambda x, head: plain(x, head).relu()))
BANK.wrong("relu-at-the-end")(answer(lambda x, head: layer(layer(x, head, 1), head, 2).relu()))
BANK.wrong("bias-forgotten")(answer(no_bias(1)))
BANK.wrong("bias-forgotten")(answer(no_bias(2)))
BANK.wrong("bias-forgotten")(answer(no_bias(1, 2)))
BANK.wrong("heads-swapped")(lambda *inputs: answer()(*inputs)[::-1])
BANK.wrong("letter-probabilities")(answer(letter=lambda x: x.softmax(dim=-1)))
BANK.wrong("letter-probabilities")(answer(letter=lambda x: x.log_softmax(dim=-1)))
BANK.wrong("letter-sigmoid")(answer(letter=torch.sigmoid))
BANK.wrong("no-sigmoid")(answer(box=lambda x: x))
BANK.wrong("softmax-box")(answer(box=lambda x: x.softmax(dim=-1)))
BANK.wrong("clamped-box")(answer(box=lambda x: x.clamp(0, 1)))
BANK.wrong("random")(answer(lambda x, head: plain(x, head, lambda hidden: F.dropout(hidden.relu(), 0.5))))
BANK.wrong("random")(answer(lambda x, head: plain(F.dropout(x, 0.5), head)))
BANK.wrong("raises")(answer(lambda x, head: (x @ head["weight1"] + head["bias1"]).relu() @ head["weight2"]))
BANK.wrong("wrong-values")(answer(box=lambda x: x.tanh()))
BANK.wrong("wrong-values")(answer(box=lambda x: 1 - x.sigmoid()))
BANK.wrong("wrong-type")(lambda *inputs: answer()(*inputs)[0])
BANK.wrong("wrong-shape")(answer(letter=lambda x: x.argmax(dim=1)))
BANK.wrong("wrong-shape")(answer(box=lambda x: x.sigmoid().T))
BANK.wrong("wrong-dtype")(answer(box=lambda x: x.sigmoid().half()))
BANK.wrong("cuts-gradient")(answer(box=lambda x: x.sigmoid().detach()))


@BANK.wrong("same-hidden")
def one_first_layer(vector, letter, box):
    hidden = layer(vector, letter, 1).relu()
    return layer(hidden, letter, 2), layer(hidden, box, 2).sigmoid()


@BANK.wrong("same-hidden")
def the_other_first_layer(vector, letter, box):
    hidden = layer(vector, box, 1).relu()
    return layer(hidden, letter, 2), layer(hidden, box, 2).sigmoid()


@BANK.wrong("changes-inputs")
def in_place(vector, letter, box):
    vector -= vector.mean()
    return answer()(vector, letter, box)


@BANK.wrong("lost-precision")
def through_float(vector, letter, box):
    letter, box = ({name: part.float() for name, part in head.items()} for head in (letter, box))
    return [part.to(vector.dtype) for part in answer()(vector.float(), letter, box)]


BANK.wrong("sigmoid-exchanged")(answer(letter=torch.sigmoid, box=lambda x: x))
BANK.wrong("sigmoid-twice")(answer(box=lambda x: x.sigmoid().sigmoid()))
