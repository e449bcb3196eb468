"""``training.diagnose(log)``: names the fault of a training from what it has logged.

The log is that of a real training, of two linear maps on three to six clouds of points; the check draws data and fault.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.words import describe

Log = dict[str, object]
Rule = Callable[[Log], str]
FAULTS = ("detached", "not in the optimizer", "schedule", "other inputs", "softmax twice", "wrong labels", "healthy")
# Other inputs: brighter, darker, inverted with twice the contrast (the answers are then mostly wrong), paler.
OTHER: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda x: x + 1,
    lambda x: x - 1,
    lambda x: -2 * x,
    lambda x: x / 2,
)
STEPS, RATE, WIDTH, EACH, FEW = 60, 0.05, 12, 60, 12  # EACH and FEW: points of a class
diagnose = Check("training.diagnose")


def train(probe: Probe, fault: str, kind: int = 0) -> Log:
    """The log of a training with this fault, of Adam with a warm-up that starts at 0.

    Args:
        kind: 0 or 1: which layer the optimizer lacks, and whether there are few images, whose wrong labels can be
            learned by heart; a place in `OTHER`.
    """
    classes, end = probe.integer(3, 6), 2 if fault == "schedule" else STEPS
    few = fault == "wrong labels" and kind
    labels, centres = torch.arange(classes).repeat(FEW if few else EACH), 4 * torch.eye(classes, 8)
    seen, held = (centres[labels] + probe.normal(len(labels), 8) for _ in range(2))
    mean, deviation = seen.mean(), seen.std()
    seen, held = (seen - mean) / deviation, (held - mean) / deviation
    if fault == "other inputs":
        held = OTHER[kind](held)
    taught = labels[torch.randperm(len(labels), generator=probe.generator)] if fault == "wrong labels" else labels
    weights = {"hidden": probe.normal(8, WIDTH) / 8**0.5, "head": probe.normal(WIDTH, classes) / WIDTH**0.5}
    weights = {name: weight.requires_grad_() for name, weight in weights.items()}
    lost = ("hidden", "head")[kind] if fault == "not in the optimizer" else None
    optimizer = torch.optim.Adam([weight for name, weight in weights.items() if name != lost])
    log = {"classes": classes, "loss": [], "gradients": {n: [] for n in weights}, "steps": {n: [] for n in weights}}

    def logits(points: Tensor) -> Tensor:
        hidden = F.gelu(points @ weights["hidden"])
        return (hidden.detach() if fault == "detached" else hidden) @ weights["head"]

    with torch.enable_grad():
        for step in range(STEPS):
            optimizer.param_groups[0]["lr"] = RATE * min(step / 3, 1) * (step < end)
            found = logits(seen)
            loss = F.cross_entropy(found.softmax(dim=-1) if fault == "softmax twice" else found, taught)
            before = {name: weight.detach().clone() for name, weight in weights.items()}
            for weight in weights.values():
                weight.grad = None
            loss.backward()
            optimizer.step()
            log["loss"].append(loss.item())
            for name, weight in weights.items():
                log["gradients"][name].append(0.0 if weight.grad is None else weight.grad.norm().item())
                log["steps"][name].append(((weight.detach() - before[name]).norm() / before[name].norm()).item())
    log["held_right"] = (logits(held).argmax(dim=-1) == labels).float().mean().item()
    log["train_level"], log["held_level"] = ([part.mean().item(), part.std().item()] for part in (seen, held))
    return log


def floor(classes: int) -> float:
    """The least loss where the softmax is taken twice: one probability is 1, the others are 0."""
    return math.log(math.e + classes - 1) - 1


def _rule(
    *,
    order: tuple[str, ...] = FAULTS,
    layers: Callable[[list[bool]], bool] = any,
    by_steps: bool = False,
    warm_up: bool = True,
    classes: int | None = None,
    guess: int | None = None,
    last: Callable[[list[float]], float] = min,
    right_needed: bool = True,
    level: int | None = None,
    apart: Callable[[float], float] = abs,
    lacking: tuple[str, ...] = ("hidden", "head"),
) -> Rule:
    """The right rule, or one with a part replaced.

    Args:
        order: in which the faults are asked for.
        layers: whether any layer may show it, or all have to.
        by_steps: "detached" is read from the steps in place of the gradients.
        warm_up: whether the first step, at a rate of 0, is left out of account.
        classes, guess: taken for the number of classes in the floor of the loss, and in the share right by chance.
        last: of the losses, what is compared with the floor.
        right_needed: "softmax twice" asks for right answers as well.
        level: of mean and deviation, the only one that is compared.
        apart: of their difference, held-out less train, what has to be large.
        lacking: the layers that are asked for steps.
    """

    def rule(log: Log) -> str:
        k, gradients, steps = log["classes"], log["gradients"], log["steps"]
        parts, begun = (level,) if level is not None else (0, 1), 1 if warm_up else 0
        chance = log["held_right"] < 1.5 / (guess or k)
        shows = {
            "detached": layers([not any((steps if by_steps else gradients)[name]) for name in gradients]),
            "not in the optimizer": layers([not any(steps[name]) for name in lacking]),
            "schedule": all(min(sizes[begun:]) == 0 for sizes in steps.values()),
            "other inputs": any(apart(log["held_level"][part] - log["train_level"][part]) > 0.2 for part in parts),
            "softmax twice": last(log["loss"]) > floor(classes or k) - 1e-3 and not (right_needed and chance),
            "wrong labels": chance,
            "healthy": True,
        }
        return next(name for name in order if shows[name])

    return rule


def _first(*names: str) -> tuple[str, ...]:
    return (*names, *(name for name in FAULTS if name not in names))


right = _rule()
SUSPECTS = {
    "detached-by-steps": _rule(by_steps=True),
    "all-layers-asked": _rule(layers=all),
    "warm-up-is-an-end": _rule(warm_up=False),
    "one-layer-asked/hidden": _rule(lacking=("hidden",)),
    "one-layer-asked/head": _rule(lacking=("head",)),
    "optimizer-first": _rule(order=_first("not in the optimizer")),
    "sign-forgotten": _rule(apart=lambda difference: difference),
    "sign-forgotten/less": _rule(apart=lambda difference: -difference),
    "accuracy-not-asked": _rule(right_needed=False),
    "accuracy-not-asked/last": _rule(right_needed=False, last=lambda losses: losses[-1]),
    "ten-classes": _rule(classes=10, guess=10),
    "ten-classes/floor": _rule(classes=10),
    "ten-classes/guess": _rule(guess=10),
    "chance-first": _rule(order=_first("wrong labels")),
    "chance-first/inputs": _rule(order=_first("detached", "not in the optimizer", "schedule", "wrong labels")),
    "mean-only": _rule(level=0),
    "deviation-only": _rule(level=1),
}


# What one check draws: every fault, and both kinds of those that have two.
DRAWN = (*((fault, 0) for fault in FAULTS), *((FAULTS[place], 1) for place in (1, 3, 5)))
DRAWN += tuple(("other inputs", kind) for kind in (2, 3))


def draw(probe: Probe, fault: str, kind: int) -> Log:
    """A log with this fault, drawn anew until it is plain: what is learned, and what is not, lies far apart."""
    while True:
        log = train(probe, fault, kind)
        guesses = log["held_right"] * log["classes"] < 1.3
        ratio = min(log["loss"]) / floor(log["classes"])
        if fault in ("schedule", "wrong labels"):
            # Above 0.16, a chance of one in ten is never the answer, and shows as that mistake alone.
            if guesses and (fault == "schedule" or log["held_right"] > 0.16) and (ratio < 0.9 if kind else ratio > 1.1):
                return log
        elif fault == "other inputs":
            if guesses if kind == 2 else log["held_right"] * log["classes"] > 2:
                return log
        elif not guesses:
            return log


@diagnose.property("each fault has its name, and a healthy run is called healthy")
def _judge(probe: Probe) -> None:
    order = torch.randperm(len(DRAWN), generator=probe.generator).tolist()
    logs = [draw(probe, *DRAWN[place]) for place in order]
    found = []
    for log in logs:
        name = probe.call(log)
        probe.require(isinstance(name, str), "wrong-type", f"Expected a text, got {describe(name)}.")
        found.append(name)
    wanted = [DRAWN[place][0] for place in order]
    if found == wanted:
        return
    place = next(place for place, name in enumerate(found) if name != wanted[place])
    probe.given = (logs[place],), {}
    detail = f"One log is called {found[place]!r}; its fault is {wanted[place]!r}."
    for suspect, rule in SUSPECTS.items():
        probe.require(found != [rule(log) for log in logs], suspect.partition("/")[0], detail)
    strange = next((name for name in found if name not in FAULTS), None)
    probe.require(strange is None, "another-word", f"You say {strange!r}.")
    raise Wrong("wrong-values", detail)
