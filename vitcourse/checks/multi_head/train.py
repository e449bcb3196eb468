"""``multi_head.train(state, data, test, order, rate, dropout)``: a whole training loop, judged by what it reports.

The notebook hands out `make_model`. With the order of the examples given, plain SGD and no dropout, every loss follows
from the start, so a mistake in the loop has losses of its own. With dropout and a rate of 0 the weights stay where they
are, and the losses tell in which mode the model was when they were computed.

Source: Goodfellow, Bengio and Courville, "Deep Learning" (2016), algorithm 8.1 (stochastic gradient descent).
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.probe import Probe, close, several
from vitcourse.checks.engine.solved import Solved

State = dict[str, Tensor]
Data = dict[str, Tensor]  # "tokens" (M, N, D) and "labels" (M, N)
Log = tuple[Tensor, Tensor, Tensor]
PARTS = ("the list of step losses", "the list of test losses", "the list of accuracies")


def make_model(state: State, dropout: float) -> nn.Sequential:
    """As in the notebook: tokens (B, N, D) to logits (B, N, C)."""
    (hidden, width), classes = state["0.weight"].shape, len(state["3.weight"])
    model = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Dropout(dropout), nn.Linear(hidden, classes))
    model.to(state["0.weight"].dtype).load_state_dict(state)
    return model


def right(
    state: State,
    data: Data,
    test: Data,
    order: Tensor,
    rate: float,
    dropout: float,
    *,
    optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
    zero: str = "step",
    moves: bool = True,
    sign: int = 1,
    loss_of: Callable[[Tensor, Tensor], Tensor] = lambda logits, labels: F.cross_entropy(logits.mT, labels),
    inputs_of: Callable[[Tensor, int], Tensor] = lambda order, epoch: order[epoch],
    labels_of: Callable[[Tensor, int], Tensor] = lambda order, epoch: order[epoch],
    restart: bool = False,
    early: bool = False,
    late: bool = False,
    share: Callable[[Tensor, Tensor], Tensor] = lambda logits, labels: logits.argmax(dim=-1) == labels,
) -> Log:
    """The right log; every option stands for a way to get it wrong.

    Args:
        zero: when the gradients are set to zero: at every "step", at every "epoch", or "never".
        moves: the optimiser takes its steps; ``sign``: -1 up the loss.
        inputs_of, labels_of: whose tokens and whose labels make the batches of an epoch.
        restart: every epoch begins with the weights of the start.
        early: the test comes before the epoch; ``late``: a step's loss is computed after the step.
        share: what is averaged as the accuracy.
    """
    model = make_model(state, dropout)
    made, losses, test_losses, accuracies = optimizer(model.parameters(), lr=rate), [], [], []

    def examine() -> None:
        logits = model.eval()(test["tokens"])
        test_losses.append(loss_of(logits, test["labels"]))
        accuracies.append(share(logits, test["labels"]).to(logits.dtype).mean())
        model.train()

    for epoch in range(len(order)):
        if restart:
            model.load_state_dict(state)
        if zero == "epoch":
            made.zero_grad()
        if early:
            examine()
        for inputs, answers in zip(inputs_of(order, epoch), labels_of(order, epoch), strict=True):
            if zero == "step":
                made.zero_grad()
            loss = loss_of(model(data["tokens"][inputs]), data["labels"][answers])
            (sign * loss).backward()
            if moves:
                made.step()
            losses.append(loss_of(model(data["tokens"][inputs]), data["labels"][answers]) if late else loss)
        if not early:
            examine()
    return tuple(torch.stack(part).detach() for part in (losses, test_losses, accuracies))


def _in_turn(order: Tensor, _epoch: int) -> Tensor:
    return torch.arange(order[0].numel()).reshape(order[0].shape)


OPTIONS: dict[str, dict] = {
    "gradients-add-up": {"zero": "never"},
    "gradients-add-up/epoch": {"zero": "epoch"},
    "never-moves": {"moves": False},
    "uphill": {"sign": -1},
    "starts-over": {"restart": True},
    "sums-losses": {"loss_of": lambda logits, labels: F.cross_entropy(logits.mT, labels, reduction="sum")},
    "sums-losses/tokens": {"loss_of": lambda logits, labels: labels.shape[1] * F.cross_entropy(logits.mT, labels)},
    "softmax-before-loss": {"loss_of": lambda logits, labels: F.cross_entropy(logits.softmax(-1).mT, labels)},
    "shuffled-labels": {"labels_of": _in_turn},
    "shuffled-labels/inputs": {"inputs_of": _in_turn},
    "order-ignored": {"inputs_of": _in_turn, "labels_of": _in_turn},
    "order-ignored/first": dict.fromkeys(("inputs_of", "labels_of"), lambda order, _epoch: order[0]),
    "noted-late": {"late": True},
    "tests-too-early": {"early": True},
    "another-optimiser": {"optimizer": torch.optim.Adam},
    "another-optimiser/decay": {"optimizer": torch.optim.AdamW},
    "another-optimiser/momentum": {"optimizer": partial(torch.optim.SGD, momentum=0.9)},
    "accuracy-of-sequences": {"share": lambda logits, labels: (logits.argmax(dim=-1) == labels).all(dim=-1)},
    "percent": {"share": lambda logits, labels: 100 * (logits.argmax(dim=-1) == labels)},
    "counts": {"share": lambda logits, labels: labels.numel() * (logits.argmax(dim=-1) == labels)},
}


def wrong(state: State, data: Data, test: Data, order: Tensor, rate: float, dropout: float) -> dict[str, Log]:
    inputs = state, data, test, order, rate, dropout
    losses, test_losses, accuracies = right(*inputs)
    by_epoch = losses.reshape(len(order), -1)
    found = {name: right(*inputs, **options) for name, options in OPTIONS.items()}
    found |= {
        "tests-on-training-data": right(state, data, data, order, rate, dropout),
        "one-loss-an-epoch": (by_epoch.mean(dim=1), test_losses, accuracies),
        "tests-once": (losses, test_losses[-1:], accuracies[-1:]),
    }
    if data["labels"].shape[1] == len(state["3.weight"]):  # as many tokens as classes: no error says a word
        found["wrong-axis"] = right(*inputs, loss_of=F.cross_entropy)
        found["accuracy-axis"] = right(*inputs, share=lambda logits, labels: logits.argmax(dim=1) == labels)
    return found


def read(value: object) -> tuple[Tensor, ...]:
    lists = several(value, 3, f"three lists ({', '.join(PARTS)})")
    return tuple(numbers(part, None, name.capitalize()) for part, name in zip(lists, PARTS, strict=True))


train = Solved("multi_head.train", right=right, wrong=wrong, parts=PARTS, read=read)


@train.on("the losses of all steps, and what the test says after each epoch, are those of the right loop", slack=10)
def square(probe: Probe, tokens: int = 5, dropout: float = 0.0, rate: float | None = None) -> tuple:
    """As many tokens as classes, so that no axis can be wrong with an error."""
    classes, width, hidden, steps, batch = 5, probe.integer(6, 8), 9, 3, 4
    sizes = {"0.weight": (hidden, width), "0.bias": (hidden,), "3.weight": (classes, hidden), "3.bias": (classes,)}
    state = {name: probe.normal(*size) / size[-1] ** 0.5 for name, size in sizes.items()}
    data, test = (
        {"tokens": probe.normal(count, tokens, width), "labels": (classes * probe.uniform(count, tokens)).long()}
        for count in (steps * batch, 7)
    )
    order = torch.stack([probe.uniform(steps * batch).argsort().reshape(steps, batch) for _ in range(2)])
    return state, data, test, order, probe.integer(5, 9) / 10 if rate is None else rate, dropout


train.on("sequences may be shorter or longer", slack=10)(
    lambda probe: square(probe, tokens=(3, 8)[probe.integer(0, 1)])
)


@train.property("dropout is on in every training step, and off in every test")
def _modes(probe: Probe) -> None:
    inputs = square(probe, dropout=0.5, rate=0.0)
    found = train.answer(probe, inputs)
    probe.require(found is not None, "wrong-type")
    losses, test_losses, _ = (part.float() for part in train.solution((*inputs[:-1], 0.0)))
    probe.require(close(found[1], test_losses), "tests-in-training-mode")
    # A single loss may be met by chance, those of a whole epoch are not.
    pairs = zip(*(part.reshape(len(inputs[3]), -1) for part in (found[0], losses)), strict=True)
    off = [f"{epoch}" for epoch, (one, other) in enumerate(pairs, start=1) if close(one, other)]
    probe.require(not off, "trains-in-test-mode", f"Dropout is off in epoch {' and '.join(off)} of {len(inputs[3])}.")
