"""Answers to ``multi_head.train``."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.train", seeds=3)


def make_model(state, dropout):
    """As the notebook hands it out."""
    hidden, width = state["0.weight"].shape
    model = nn.Sequential(
        nn.Linear(width, hidden), nn.Tanh(), nn.Dropout(dropout), nn.Linear(hidden, len(state["3.weight"]))
    )
    model.load_state_dict(state)
    return model


@BANK.right
def the_loop_of_the_lesson(state, data, test, order, rate, dropout):
    model = make_model(state, dropout)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    losses, test_losses, accuracies = [], [], []
    for epoch in order:
        model.train()
        for index in epoch:
            logits = model(data["tokens"][index])
            loss = F.cross_entropy(logits.transpose(1, 2), data["labels"][index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            logits = model(test["tokens"])
        test_losses.append(F.cross_entropy(logits.transpose(1, 2), test["labels"]).item())
        accuracies.append((logits.argmax(dim=-1) == test["labels"]).float().mean().item())
    return losses, test_losses, accuracies


@BANK.right
def without_an_optimiser(state, data, test, order, rate, dropout):
    model, log = make_model(state, dropout), {"loss": [], "test": [], "right": []}
    weights = list(model.parameters())

    def loss_of(part, index):
        logits = model(part["tokens"][index])
        return F.cross_entropy(logits.flatten(0, 1), part["labels"][index].flatten()), logits

    for epoch in range(order.shape[0]):
        for step in range(order.shape[1]):
            loss, _ = loss_of(data, order[epoch, step])
            for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight.data -= rate * gradient
            log["loss"].append(loss.detach())
        model.eval()
        loss, logits = loss_of(test, slice(None))
        log["test"].append(loss.detach())
        log["right"].append((logits.argmax(-1) == test["labels"]).sum() / test["labels"].numel())
        model.train()
    return tuple(torch.stack(part) for part in log.values())


def turned(logits, labels, **options):
    return F.cross_entropy(logits.transpose(1, 2), labels, **options)


def tokens_right(logits, labels):
    return (logits.argmax(dim=-1) == labels).float().mean()


def variant(
    optimiser=lambda weights, rate: torch.optim.SGD(weights, lr=rate),
    zero=lambda optimizer, step: optimizer.zero_grad(),
    after_backward=lambda optimizer: optimizer.step(),
    loss_of=turned,
    inputs=lambda order, epoch, step: order[epoch, step],
    labels=lambda order, epoch, step: order[epoch, step],
    train=lambda model, epoch: model.train(),
    test_mode=lambda model: model.eval(),
    share=tokens_right,
    model_of=lambda model, state, dropout: model,
    backward=lambda loss: loss.backward(),
    report=lambda *lists: lists,
    examined=lambda data, test: test,
):
    """The loop with one thing changed."""

    def answer(state, data, test, order, rate, dropout):
        model = make_model(state, dropout)
        optimizer = optimiser(model.parameters(), rate)
        losses, test_losses, accuracies = [], [], []
        for epoch in range(len(order)):
            model = model_of(model, state, dropout)
            train(model, epoch)
            for step in range(len(order[epoch])):
                zero(optimizer, step)
                logits = model(data["tokens"][inputs(order, epoch, step)])
                loss = loss_of(logits, data["labels"][labels(order, epoch, step)])
                backward(loss)
                after_backward(optimizer)
                losses.append(loss.item())
            test_mode(model)
            seen = examined(data, test)
            logits = model(seen["tokens"])
            test_losses.append(loss_of(logits, seen["labels"]).item())
            accuracies.append(float(share(logits, seen["labels"])))
        return report(losses, test_losses, accuracies)

    return answer


def nothing(*_args):
    return None


def in_turn(order, _epoch, step):
    size = order.shape[2]
    return slice(step * size, (step + 1) * size)


def made_anew():
    """Model and optimiser are made in every epoch."""

    def answer(state, data, test, order, rate, dropout):
        logs = [the_loop_of_the_lesson(state, data, test, epoch[None], rate, dropout) for epoch in order]
        return tuple([number for log in logs for number in log[part]] for part in range(3))

    return answer


BANK.right(variant())
BANK.wrong("gradients-add-up")(variant(zero=nothing))
BANK.wrong("gradients-add-up")(variant(zero=lambda optimizer, step: step == 0 and optimizer.zero_grad()))
BANK.wrong("never-moves")(variant(after_backward=nothing))
BANK.wrong("never-moves")(variant(backward=nothing))
BANK.wrong("never-moves")(variant(after_backward=lambda optimizer: (optimizer.zero_grad(), optimizer.step())))
BANK.wrong("never-moves")(variant(model_of=lambda model, state, dropout: make_model(state, dropout)))
BANK.wrong("uphill")(variant(backward=lambda loss: (-loss).backward()))
BANK.wrong("starts-over")(made_anew())
BANK.wrong("wrong-axis")(variant(loss_of=F.cross_entropy))
BANK.wrong("sums-losses")(variant(loss_of=lambda logits, labels: turned(logits, labels, reduction="sum")))
BANK.wrong("softmax-before-loss")(variant(loss_of=lambda logits, labels: turned(logits.softmax(dim=-1), labels)))
BANK.wrong("shuffled-labels")(variant(labels=in_turn))
BANK.wrong("shuffled-labels")(variant(inputs=in_turn))
BANK.wrong("order-ignored")(variant(inputs=in_turn, labels=in_turn))
BANK.wrong("order-ignored")(variant(**dict.fromkeys(("inputs", "labels"), lambda order, epoch, step: order[0, step])))
BANK.wrong("another-optimiser")(variant(optimiser=lambda weights, rate: torch.optim.Adam(weights, lr=rate)))
BANK.wrong("another-optimiser")(variant(optimiser=lambda weights, rate: torch.optim.AdamW(weights, lr=rate)))
BANK.wrong("another-optimiser")(variant(optimiser=lambda weights, rate: torch.optim.SGD(weights, rate, momentum=0.9)))
BANK.wrong("tests-once")(variant(report=lambda losses, tests, shares: (losses, tests[-1:], shares[-1:])))
BANK.wrong("tests-on-training-data")(variant(examined=lambda data, test: data))
BANK.wrong("tests-in-training-mode")(variant(test_mode=nothing))
BANK.wrong("trains-in-test-mode")(variant(train=nothing))
BANK.wrong("trains-in-test-mode")(variant(train=lambda model, epoch: model.eval()))
BANK.wrong("accuracy-axis")(variant(share=lambda logits, labels: (logits.argmax(dim=1) == labels).float().mean()))
BANK.wrong("accuracy-of-sequences")(
    variant(share=lambda logits, labels: (logits.argmax(dim=-1) == labels).all(dim=1).float().mean())
)
BANK.wrong("percent")(variant(share=lambda logits, labels: 100 * tokens_right(logits, labels)))
BANK.wrong("counts")(variant(share=lambda logits, labels: (logits.argmax(dim=-1) == labels).sum()))
BANK.wrong("wrong-type")(variant(report=lambda losses, tests, shares: losses))
BANK.wrong("wrong-type")(variant(report=lambda losses, tests, shares: (losses, tests, None)))
BANK.wrong("wrong-shape")(variant(report=lambda losses, tests, shares: (losses[1:], tests, shares)))
BANK.wrong("wrong-values")(variant(report=lambda losses, tests, shares: ([2 * one for one in losses], tests, shares)))
BANK.wrong("raises")(variant(share=lambda logits, labels: (logits.argmax(dim=-1) == labels).mean()))


@BANK.wrong("one-loss-an-epoch")
def means_of_epochs(state, data, test, order, *others):
    losses, *tests = the_loop_of_the_lesson(state, data, test, order, *others)
    return torch.tensor(losses).reshape(len(order), -1).mean(dim=1), *tests


@BANK.wrong("tests-too-early")
def the_test_first(state, data, test, order, rate, dropout):
    losses, test_losses, shares = the_loop_of_the_lesson(state, data, test, order, rate, dropout)
    _, first, share = the_loop_of_the_lesson(state, data, test, order[:1], 0.0, dropout)
    return losses, first + test_losses[:-1], share + shares[:-1]


@BANK.wrong("noted-late")
def the_loss_after_the_step(state, data, test, order, rate, dropout):
    model, optimizer, losses = make_model(state, dropout), None, []
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for epoch in order:
        for index in epoch:
            optimizer.zero_grad()
            turned(model(data["tokens"][index]), data["labels"][index]).backward()
            optimizer.step()
            losses.append(turned(model(data["tokens"][index]), data["labels"][index]).item())
    return losses, *the_loop_of_the_lesson(state, data, test, order, rate, dropout)[1:]


@BANK.wrong("changes-inputs")
def trains_the_state_itself(state, *others):
    made = the_loop_of_the_lesson(state, *others)
    state["0.weight"].sub_(1.0)
    return made
