"""Answers to ``vit.train``: the losses of all steps, and the held-out loss after each epoch."""

import functools
from unittest import mock

import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.bank.entries import Bank

BANK = Bank("vit.train", seeds=3)


def tiny(state):
    width, pixels = state["0.weight"].shape
    model = nn.Sequential(
        nn.Linear(pixels, width), nn.BatchNorm1d(width), nn.GELU(), nn.Linear(width, len(state["3.bias"]))
    )
    model.load_state_dict(state)
    return model


@BANK.right
def written_out(state, images, labels, held_images, held_labels, order, rates, clip):
    model = tiny(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=rates[0])
    losses, held, step = [], [], 0
    for batches in order:
        model.train()
        for index in batches:
            optimizer.param_groups[0]["lr"] = rates[step]
            loss = F.cross_entropy(model(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            losses.append(loss.item())
            step += 1
        model.eval()
        with torch.no_grad():
            held.append(F.cross_entropy(model(held_images), held_labels).item())
    return losses, held


@BANK.right
def with_a_scheduler(state, images, labels, held_images, held_labels, order, rates, clip):
    """A scheduler in place of the table, and the step by hand."""
    model = tiny(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rates[min(step, len(rates) - 1)])
    losses, held = [], []
    for index in order.flatten(0, 1):
        model.train()
        optimizer.zero_grad(set_to_none=False)
        loss = -model(images[index]).log_softmax(dim=1)[torch.arange(len(index)), labels[index]].mean()
        loss.backward()
        length = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
        if length > clip:
            for parameter in model.parameters():
                parameter.grad *= clip / (length + 1e-6)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if len(losses) % order.shape[1] == 0:
            model.eval()
            held.append(float(F.cross_entropy(model(held_images), held_labels).detach()))
    return losses, held


def answer(
    loss_of=F.cross_entropy,
    zero=lambda optimizer, step, first: optimizer.zero_grad(),
    late=lambda optimizer: None,
    clipping=lambda model, clip: nn.utils.clip_grad_norm_(model.parameters(), clip),
    after=lambda model, clip: None,
    move=lambda optimizer: optimizer.step(),
    rate=lambda step, epoch, place: step,
    own_labels=lambda index: index,
    own_order=lambda epoch: epoch,
    begin=lambda model, epoch: model.train(),
    test=lambda model: model.eval(),
    early=False,
    kept=lambda loss: loss.item(),
    told=lambda losses, batches: losses,
):
    """The right answer with a step replaced."""

    def train(state, images, labels, held_images, held_labels, order, rates, clip):
        model, losses, held = tiny(state), [], []
        optimizer = torch.optim.SGD(model.parameters(), lr=rates[0])

        def evaluate():
            test(model)
            with torch.no_grad():
                held.append(loss_of(model(held_images), held_labels).item())

        for epoch in range(len(order)):
            if early:
                evaluate()
            begin(model, epoch)
            for place, index in enumerate(order[own_order(epoch)]):
                optimizer.param_groups[0]["lr"] = rates[min(rate(len(losses), epoch, place), len(rates) - 1)]
                loss = loss_of(model(images[index]), labels[own_labels(index)])
                zero(optimizer, len(losses), place == 0)
                loss.backward()
                late(optimizer)
                clipping(model, clip)
                move(optimizer)
                after(model, clip)
                losses.append(kept(loss))
            if not early:
                evaluate()
        return told(losses, order.shape[1]), held

    return train


def nothing(*_given):
    pass


def each_number(model, clip):
    nn.utils.clip_grad_value_(model.parameters(), clip)


def each_parameter(model, clip):
    for parameter in model.parameters():
        nn.utils.clip_grad_norm_(parameter, clip)


def to_the_bound(model, clip):
    length = torch.cat([p.grad.flatten() for p in model.parameters()]).norm()
    for parameter in model.parameters():
        parameter.grad *= clip / length


def against(optimizer):
    for parameter in optimizer.param_groups[0]["params"]:
        parameter.grad.neg_()
    optimizer.step()


def squares(logits, labels):
    return F.mse_loss(logits, F.one_hot(labels, logits.shape[1]).float())


BANK.wrong("not-zeroed")(answer(zero=nothing))
BANK.wrong("not-zeroed")(answer(zero=lambda optimizer, step, first: optimizer.zero_grad() if first else None))
BANK.wrong("no-step")(answer(move=nothing))
BANK.wrong("no-step")(answer(late=lambda optimizer: optimizer.zero_grad(set_to_none=False)))
BANK.wrong("uphill")(answer(move=against))
BANK.wrong("evaluation-stays-on")(answer(begin=lambda model, epoch: model.train() if epoch == 0 else None))
BANK.wrong("evaluation-stays-on")(answer(begin=nothing))
BANK.wrong("trains-in-evaluation")(answer(begin=lambda model, epoch: model.eval()))
BANK.wrong("evaluates-in-training")(answer(test=nothing))
BANK.wrong("evaluates-too-early")(answer(early=True))
BANK.wrong("not-clipped")(answer(clipping=nothing))
BANK.wrong("not-clipped")(answer(clipping=nothing, after=each_parameter))
BANK.wrong("clips-each-number")(answer(clipping=each_number))
BANK.wrong("clips-each-parameter")(answer(clipping=each_parameter))
BANK.wrong("always-to-the-bound")(answer(clipping=to_the_bound))
BANK.wrong("schedule-too-early")(answer(rate=lambda step, epoch, place: step + 1))
BANK.wrong("schedule-stands-still")(answer(rate=lambda step, epoch, place: 0))
BANK.wrong("schedule-by-epoch")(answer(rate=lambda step, epoch, place: epoch))
BANK.wrong("schedule-by-epoch")(answer(rate=lambda step, epoch, place: place))
BANK.wrong("labels-not-in-order")(answer(own_labels=lambda index: index.sort().values))
BANK.wrong("labels-not-in-order")(answer(own_labels=lambda index: torch.arange(len(index))))
BANK.wrong("one-order-for-all")(answer(own_order=lambda epoch: 0))
BANK.wrong("softmax-before-loss")(answer(lambda logits, labels: F.cross_entropy(logits.softmax(dim=1), labels)))
BANK.wrong("wrong-axis")(answer(lambda logits, labels: F.nll_loss(logits.log_softmax(dim=0), labels)))
BANK.wrong("no-logarithm")(answer(lambda logits, labels: F.nll_loss(logits.softmax(dim=1), labels)))
BANK.wrong("summed-loss")(answer(lambda logits, labels: F.cross_entropy(logits, labels, reduction="sum")))
BANK.wrong("other-loss")(answer(squares))
BANK.wrong("one-loss-an-epoch")(
    answer(told=lambda losses, n: [sum(losses[i : i + n]) / n for i in range(0, len(losses), n)])
)
BANK.wrong("one-loss-an-epoch")(answer(told=lambda losses, n: losses[n - 1 :: n]))
BANK.wrong("keeps-the-graph")(answer(kept=lambda loss: loss))
BANK.wrong("keeps-the-graph")(answer(kept=lambda loss: loss.detach()))
BANK.wrong("wrong-type")(lambda *inputs: written_out(*inputs)[0])
BANK.wrong("swapped")(lambda *inputs: written_out(*inputs)[::-1])


@BANK.wrong("loss-after-the-step")
def runs_it_again(state, images, labels, held_images, held_labels, order, rates, clip):
    model = tiny(state)
    optimizer = torch.optim.SGD(model.parameters(), lr=rates[0])
    losses, held = [], []
    for batches in order:
        model.train()
        for index in batches:
            optimizer.param_groups[0]["lr"] = rates[len(losses)]
            optimizer.zero_grad()
            F.cross_entropy(model(images[index]), labels[index]).backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            with torch.no_grad():
                losses.append(F.cross_entropy(model(images[index]), labels[index]).item())
        model.eval()
        held.append(F.cross_entropy(model(held_images), held_labels).item())
    return losses, held


def stepped_by(make):
    """The right answer with another optimizer."""

    def train(state, *given):
        with mock.patch("torch.optim.SGD", make):
            return written_out(state, *given)

    return train


BANK.wrong("another-optimizer")(stepped_by(torch.optim.AdamW))
BANK.wrong("another-optimizer")(stepped_by(functools.partial(torch.optim.SGD, momentum=0.9)))
