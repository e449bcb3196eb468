"""``training.repair(fixed)``: a training with three faults, which its author's test (the loss falls) does not see.

The notebook hands this out (see ``tests/checks/bank/training_repair.py``, which shows that it fails)::

    def train(state, new_head, images, labels, held_images, held_labels, order, rate):
        model, losses, held = tiny(state), [], []
        optimizer = torch.optim.SGD(model.parameters(), lr=rate)
        model[3] = nn.Linear(*new_head.T.shape)
        model[3].load_state_dict({"weight": new_head, "bias": torch.zeros(len(new_head))})
        images = (images - images.mean()) / images.std()
        held_images = (held_images - held_images.mean()) / held_images.std()
        for batches in order:
            for index in batches:
                loss = F.cross_entropy(model(images[index]), labels[index])
                …
            model.eval()
            with torch.no_grad():
                held.append(F.cross_entropy(model(held_images), held_labels).item())
        return losses, held

The new head is not in the optimizer, held-out images get their own mean and deviation, evaluation mode stays on.
"""

from itertools import combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.vit.common import PARTS, Losses, State, Tiny, read_losses

Inputs = tuple[State, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, float]
PLANTED = {
    "head-not-trained": {"head": "kept"},
    "own-level": {"level": "own"},
    "evaluation-stays-on": {"train_mode": "once"},
}
OTHERS = {
    "old-head": {"head": "old"},
    "head-alone": {"head": "alone"},
    "level-missing": {"level": "none"},
    "level-missing/held": {"level": "train only"},
    "level-of-both": {"level": "both"},
    "held-deviation": {"level": "deviation"},
    "not-zeroed": {"zero": False},
    "train-in-its-level": {"level": "held"},
    "evaluates-in-training": {"test_mode": True},
    "trains-in-evaluation": {"train_mode": "never"},
}


def right(
    state: State,
    new_head: Tensor,
    images: Tensor,
    labels: Tensor,
    held_images: Tensor,
    held_labels: Tensor,
    order: Tensor,
    rate: float,
) -> Losses:
    return _run(state, new_head, images, labels, held_images, held_labels, order, rate)


def _levelled(images: Tensor, held: Tensor, level: str) -> tuple[Tensor, Tensor]:
    """Both in the mean and deviation of train, or as a mistake has it."""

    def by(part: Tensor, of: Tensor) -> Tensor:
        return (part - of.mean()) / of.std()

    both = torch.cat([images, held])
    return {
        "train": (by(images, images), by(held, images)),
        "own": (by(images, images), by(held, held)),
        "none": (images, held),
        "train only": (by(images, images), held),
        "deviation": (by(images, images), (held - images.mean()) / held.std()),
        "both": (by(images, both), by(held, both)),
        "held": (by(images, held), by(held, held)),
    }[level]


def _run(
    state: State,
    new_head: Tensor,
    images: Tensor,
    labels: Tensor,
    held_images: Tensor,
    held_labels: Tensor,
    order: Tensor,
    rate: float,
    *,
    head: str = "new",
    level: str = "train",
    train_mode: str = "always",
    test_mode: bool = False,
    zero: bool = True,
) -> Losses:
    """The right training, or that of a mistake.

    Args:
        head: "new", "kept" as it was drawn, "old" (never exchanged) or "alone" in the optimizer.
        train_mode: when the model is set to train: "always" (each epoch), "once" (and left in evaluation) or "never".
        test_mode: the held-out images are met in training mode.
        zero: the gradients are cleared before every step.
    """
    (width, pixels), classes = state["0.weight"].shape, len(new_head)
    model = Tiny(pixels, width, classes).to(images.dtype)
    own = {} if head == "old" else {"3.weight": new_head, "3.bias": torch.zeros_like(new_head[:, 0])}
    model.load_state_dict(state | own)
    images, held_images = _levelled(images, held_images, level)
    trained = [
        p for name, p in model.named_parameters() if head in ("new", "old") or (head == "alone") == (name[0] == "3")
    ]
    optimizer, losses, held = torch.optim.SGD(trained, lr=rate), [], []
    model.train(train_mode != "never")
    with torch.enable_grad():
        for batches in order:
            if train_mode == "always":
                model.train()
            for index in batches:
                loss = F.cross_entropy(model(images[index]), labels[index])
                if zero:
                    model.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            model.train(test_mode)
            with torch.no_grad():
                held.append(F.cross_entropy(model(held_images), held_labels))
    return torch.stack(losses), torch.stack(held)


def wrong(*inputs: object) -> dict[str, Losses]:
    """One planted fault is left, or two, or all; then other mistakes. Of several that are left the first is named."""
    left = [names for count in (1, 2, 3) for names in combinations(PLANTED, count)]
    mistakes = {"/".join(names): {k: v for name in names for k, v in PLANTED[name].items()} for names in left}
    return {name: _run(*inputs, **how) for name, how in (mistakes | OTHERS).items()}


repair = Solved("training.repair", right=right, wrong=wrong, parts=PARTS, first="epoch", read=read_losses)


@repair.on("the losses of a training in which nothing is wrong")
def draw(probe: Probe) -> Inputs:
    """Images of three classes in three epochs of three batches; the held-out ones are brighter, with more contrast."""
    pixels, width, classes, size, batches, epochs = *probe.sizes(2, 4, 7), 3, 6, 3, 3
    state = {
        "0.weight": probe.normal(width, pixels),
        "0.bias": probe.normal(width),
        "1.weight": 1 + 0.2 * probe.normal(width),
        "1.bias": probe.normal(width),
        "1.running_mean": probe.normal(width),
        "1.running_var": 0.5 + probe.uniform(width),
        "1.num_batches_tracked": torch.tensor(0),
        "3.weight": 2 * probe.normal(classes, width),
        "3.bias": probe.normal(classes),
    }
    labels = torch.randint(classes, (batches * size + 9,), generator=probe.generator)
    images = 3 + 2 * probe.normal(len(labels), pixels) + 3 * probe.normal(classes, pixels)[labels]
    orders = [torch.randperm(batches * size, generator=probe.generator) for _ in range(epochs)]
    seen, held = slice(None, batches * size), slice(batches * size, None)
    order, new_head = torch.stack(orders).view(epochs, batches, size), 2 * probe.normal(classes, width)
    return state, new_head, images[seen], labels[seen], 1.5 * images[held] + 1, labels[held], order, 0.2
