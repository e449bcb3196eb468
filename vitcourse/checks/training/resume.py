"""``training.resume(checkpoint, images, labels, epochs, size)``: the losses of all steps that are left, a list.

The model is one linear map under AdamW, the rate falls by a tenth with every step, and a generator draws the order of
each epoch: four states beside the number of epochs that are done, and each that is lost changes the losses.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

RATE, FALL = 0.1, 0.9
Checkpoint = dict[str, Tensor | int]
Inputs = tuple[Checkpoint, Tensor, Tensor, int, int]


def right(checkpoint: Checkpoint, images: Tensor, labels: Tensor, epochs: int, size: int) -> Tensor:
    return _Run(checkpoint, images).losses(images, labels, checkpoint["epoch"], epochs, size)


class _Run:
    """A training that has what a checkpoint holds, but for the parts that are lost."""

    def __init__(self, checkpoint: Checkpoint, images: Tensor, lost: Sequence[str] = ()):
        classes, pixels = checkpoint["weight"].shape
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.model = nn.Linear(pixels, classes).to(images.dtype)
        self.generator = torch.Generator().manual_seed(0)
        kept = {} if "weights" in lost else {name: checkpoint[name] for name in ("weight", "bias")}
        self.model.load_state_dict(self.model.state_dict() | kept)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), RATE)
        self.step = 0 if "schedule" in lost else checkpoint["step"]
        if "moments" not in lost and checkpoint["step"]:
            for name, parameter in self.model.named_parameters():
                self.optimizer.state[parameter] = {
                    "step": torch.tensor(float(checkpoint["step"])),
                    "exp_avg": checkpoint[f"{name}_mean"].clone(),
                    "exp_avg_sq": checkpoint[f"{name}_square"].clone(),
                }
        if "random" not in lost:
            self.generator.set_state(checkpoint["random"])
        # The rate of the first step is the optimizer's own; from then on it is the schedule's.
        self.first = 0 if "rate" in lost else checkpoint["step"]

    def losses(self, images: Tensor, labels: Tensor, start: int, epochs: int, size: int, least: int = 1) -> Tensor:
        """Those of all steps, without the batches of fewer images than ``least``."""
        found = []
        with torch.enable_grad():
            for _ in range(start, epochs):
                for index in torch.randperm(len(images), generator=self.generator).split(size):
                    if len(index) < least:
                        continue
                    self.optimizer.param_groups[0]["lr"] = RATE * FALL ** (self.step if found else self.first)
                    loss = F.cross_entropy(self.model(images[index]), labels[index])
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                    self.step += 1
                    found.append(loss.detach())
        return torch.stack(found).float() if found else torch.zeros(0)

    def checkpoint(self, epoch: int) -> Checkpoint:
        saved: Checkpoint = {name: value.detach().clone() for name, value in self.model.named_parameters()}
        for name, parameter in self.model.named_parameters():
            state = self.optimizer.state[parameter]
            saved |= {f"{name}_mean": state["exp_avg"].clone(), f"{name}_square": state["exp_avg_sq"].clone()}
        return saved | {"step": self.step, "epoch": epoch, "random": self.generator.get_state()}


def wrong(checkpoint: Checkpoint, images: Tensor, labels: Tensor, epochs: int, size: int) -> dict[str, Tensor]:
    done, optimizer = checkpoint["epoch"], ("moments", "rate")

    def found(*lost: str, start: int = done) -> Tensor:
        return _Run(checkpoint, images, lost).losses(images, labels, start, epochs, size)

    return {
        "epochs-begin-anew": found(start=0),
        "epochs-begin-anew/as many": found(start=0)[: len(found())],
        "one-epoch-off": found(start=done + 1),
        "one-epoch-off/more": found(start=done - 1),
        "drops-the-small-batch": _Run(checkpoint, images).losses(images, labels, done, epochs, size, least=size),
        "all-anew": found("weights", *optimizer, "schedule", "random"),
        "all-anew/epochs": found("weights", *optimizer, "schedule", "random", start=0),
        "weights-not-restored": found("weights"),
        "optimizer-not-restored": found(*optimizer),
        "optimizer-not-restored/averages": found("moments"),
        "optimizer-not-restored/schedule": found(*optimizer, "schedule"),
        "schedule-not-restored": found("schedule"),
        "order-not-restored": found("random"),
        "only-weights": found(*optimizer, "schedule", "random"),
        "optimizer-and-order-not-restored": found(*optimizer, "random"),
    }


resume = Solved(
    "training.resume",
    right=right,
    wrong=wrong,
    parts=("the losses",),
    first="step",
    read=lambda value: numbers(value, None, "The result"),
)


@resume.on("the losses of the steps that are left are those of a run that was never stopped")
def draw(probe: Probe) -> Inputs:
    """The checkpoint of a run that has begun from drawn weights, and with an order of its own.

    An epoch has more steps than epochs are left: else small batches left out would count as an epoch left out.
    """
    (pixels, classes), size, done = probe.sizes(2, 3, 6), probe.integer(4, 5), probe.integer(2, 3)
    labels = torch.randint(classes, (4 * size - 1,), generator=probe.generator)
    images = probe.normal(len(labels), pixels) + 1.5 * probe.normal(classes, pixels)[labels]
    order = torch.Generator().manual_seed(probe.integer(1, 10**6))
    start = {"weight": probe.normal(classes, pixels), "bias": probe.normal(classes)}
    run = _Run(start | {"step": 0, "epoch": 0, "random": order.get_state()}, images)
    run.losses(images, labels, 0, done, size)
    return run.checkpoint(done), images, labels, done + probe.integer(2, 3), size
