"""Answers to ``training.repair``; the first is what the notebook hands out."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.bank.entries import Bank

BANK = Bank("training.repair")


def tiny(state):
    """As the notebook gives it."""
    (width, pixels), classes = state["0.weight"].shape, len(state["3.bias"])
    model = nn.Sequential(nn.Linear(pixels, width), nn.BatchNorm1d(width), nn.GELU(), nn.Linear(width, classes))
    model.load_state_dict(state)
    return model


@BANK.wrong("head-not-trained")
def handed_out(state, new_head, images, labels, held_images, held_labels, order, rate):
    model, losses, held = tiny(state), [], []
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    model[3] = nn.Linear(*new_head.T.shape)
    model[3].load_state_dict({"weight": new_head, "bias": torch.zeros(len(new_head))})
    images = (images - images.mean()) / images.std()
    held_images = (held_images - held_images.mean()) / held_images.std()
    for batches in order:
        for index in batches:
            loss = F.cross_entropy(model(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            held.append(F.cross_entropy(model(held_images), held_labels).item())
    return losses, held


@BANK.right
def mended(state, new_head, images, labels, held_images, held_labels, order, rate):
    model, losses, held = tiny(state), [], []
    model[3] = nn.Linear(*new_head.T.shape)
    model[3].load_state_dict({"weight": new_head, "bias": torch.zeros(len(new_head))})
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    mean, deviation = images.mean(), images.std()
    images, held_images = (images - mean) / deviation, (held_images - mean) / deviation
    for batches in order:
        model.train()
        for index in batches:
            loss = F.cross_entropy(model(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            held.append(F.cross_entropy(model(held_images), held_labels).item())
    return losses, held


def answer(
    trained=lambda model: model.parameters(),
    exchanged=True,
    level=lambda images, held: (images, images),
    before=lambda model: model.train(),
    after=lambda model: model.eval(),
    batch_loss=F.cross_entropy,
    clear=lambda model: model.zero_grad(),
    kept=lambda loss: loss.item(),
    deviation=lambda of_held, held: of_held.std(),
):
    """The right answer, or one with a part replaced; the head's numbers are exchanged in the state."""

    def train(state, new_head, images, labels, held_images, held_labels, order, rate):
        head = {"3.weight": new_head, "3.bias": torch.zeros(len(new_head))}
        model, losses, held = tiny(state | head if exchanged else state), [], []
        optimizer = torch.optim.SGD(trained(model), lr=rate)
        of_train, of_held = level(images, held_images)
        images = (images - of_train.mean()) / of_train.std()
        held_images = (held_images - of_held.mean()) / deviation(of_held, held_images)
        for batches in order:
            before(model)
            for index in batches:
                loss = batch_loss(model(images[index]), labels[index])
                clear(model)
                loss.backward()
                optimizer.step()
                losses.append(kept(loss))
            after(model)
            with torch.no_grad():
                held.append(F.cross_entropy(model(held_images), held_labels).item())
        return losses, held

    return train


def no_head(model):
    return [*model[0].parameters(), *model[1].parameters()]


def own(images, held):
    return images, held


def nothing(model):
    return model


NO_LEVEL = torch.tensor([-1.0, 0.0, 1.0])  # mean 0, deviation 1

BANK.right(answer())
BANK.wrong("head-not-trained")(answer(trained=no_head))
BANK.wrong("own-level")(answer(level=own))
BANK.wrong("evaluation-stays-on")(answer(before=nothing))
BANK.wrong("head-not-trained")(answer(trained=no_head, level=own))
BANK.wrong("head-not-trained")(answer(trained=no_head, before=nothing))
BANK.wrong("own-level")(answer(level=own, before=nothing))
BANK.wrong("old-head")(answer(exchanged=False))
BANK.wrong("head-alone")(answer(trained=lambda model: model[3].parameters()))
BANK.wrong("level-missing")(answer(level=lambda images, held: (NO_LEVEL, NO_LEVEL)))
BANK.wrong("level-missing")(answer(level=lambda images, held: (images, NO_LEVEL)))
BANK.wrong("level-of-both")(answer(level=lambda images, held: (torch.cat([images, held]),) * 2))
BANK.wrong("train-in-its-level")(answer(level=lambda images, held: (held, held)))
BANK.wrong("evaluates-in-training")(answer(after=nothing))
BANK.wrong("trains-in-evaluation")(answer(before=lambda model: model.eval()))
BANK.wrong("held-deviation")(answer(deviation=lambda of_held, held: held.std()))
BANK.wrong("not-zeroed")(answer(clear=nothing))
BANK.wrong("keeps-the-graph")(answer(kept=nothing))
BANK.wrong("keeps-the-graph")(answer(kept=lambda loss: loss.detach()))
BANK.wrong("wrong-values")(answer(batch_loss=lambda logits, labels: 2 * F.cross_entropy(logits, labels)))
BANK.wrong("wrong-type")(lambda *inputs: mended(*inputs)[0])
BANK.wrong("swapped")(lambda *inputs: mended(*inputs)[::-1])
