"""``vit.train(…)``: a whole training, of a model so small and so free of chance that every mistake leaves its numbers.

The function gets weights, data and the order of the batches, and gives two lists: the loss of every step, and the loss
on the held-out images after every epoch. The model has batch norm, which tells training from evaluation.

Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013), section 3.2, for the clipping.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.vit.common import PARTS, Losses, State, Tiny, read_losses

Inputs = tuple[State, Tensor, Tensor, Tensor, Tensor, Tensor, list[float], float]


def right(
    state: State,
    images: Tensor,
    labels: Tensor,
    held_images: Tensor,
    held_labels: Tensor,
    order: Tensor,
    rates: list[float],
    clip: float,
) -> Losses:
    return _run(state, images, labels, held_images, held_labels, order, rates, clip)


def _clip_norm(model: nn.Module, clip: float) -> None:
    nn.utils.clip_grad_norm_(model.parameters(), clip)


def _clip_each(model: nn.Module, clip: float) -> None:
    """Each number of the gradient by itself."""
    nn.utils.clip_grad_value_(model.parameters(), clip)


def _clip_parts(model: nn.Module, clip: float) -> None:
    """Each parameter's gradient by itself."""
    for parameter in model.parameters():
        nn.utils.clip_grad_norm_([parameter], clip)


def _clip_up(model: nn.Module, clip: float) -> None:
    """To the length ``clip``, from below too."""
    gradients = [parameter.grad for parameter in model.parameters()]
    length = torch.stack([gradient.norm() for gradient in gradients]).norm()
    for gradient in gradients:
        gradient.mul_(clip / length)


def _run(
    state: State,
    images: Tensor,
    labels: Tensor,
    held_images: Tensor,
    held_labels: Tensor,
    order: Tensor,
    rates: list[float],
    clip: float,
    *,
    loss_of: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    zero: str = "step",
    steps: bool = True,
    clipped: Callable[[nn.Module, float], None] | None = _clip_norm,
    rate: Callable[[int], int] = lambda step: step,
    label_order: Callable[[Tensor], Tensor] = lambda index: index,
    epoch_order: Callable[[int], int] = lambda epoch: epoch,
    train_mode: str = "always",
    test_mode: bool = False,
    test_at: str = "end",
    keep: str = "before",
    scale: float = 1.0,
    optimizer_of: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
    told: Callable[[list[list[Tensor]]], list[Tensor]] = lambda epochs: [loss for epoch in epochs for loss in epoch],
) -> Losses:
    """The right training, or that of a mistake.

    Args:
        zero: when the gradients are cleared: "step", "epoch" or "never".
        train_mode: when the model is set to train: "always" (each epoch), "once" (and left in evaluation) or "never".
        test_mode: the held-out images are met in training mode.
        test_at: the "end" or the "start" of an epoch.
        keep: the loss "before" the step, or "after" it.
    """
    (width, pixels), classes = state["0.weight"].shape, len(state["3.bias"])
    model = Tiny(pixels, width, classes).to(images.dtype)
    model.load_state_dict(state)
    optimizer = optimizer_of(model.parameters(), lr=rates[0])
    if train_mode == "never":
        model.eval()
    kept, held, step = [], [], 0

    def test() -> None:
        mode = model.training
        model.train(test_mode)
        with torch.no_grad():
            held.append(loss_of(model(held_images), held_labels))
        model.train(mode if train_mode != "once" else False)

    with torch.enable_grad():
        for epoch in range(len(order)):
            if test_at == "start":
                test()
            if zero == "epoch":
                optimizer.zero_grad()
            kept.append([])
            for index in order[epoch_order(epoch)]:
                for group in optimizer.param_groups:
                    group["lr"] = rates[rate(step)]
                loss = loss_of(model(images[index]), labels[label_order(index)])
                if zero == "step":
                    optimizer.zero_grad()
                (scale * loss).backward()
                if clipped:
                    clipped(model, clip)
                if steps:
                    optimizer.step()
                step += 1
                if keep == "after":
                    with torch.no_grad():
                        loss = loss_of(model(images[index]), labels[index])
                kept[-1].append(loss.detach())
            if test_at == "end":
                test()
    return torch.stack(told(kept)), torch.stack(held)


def wrong(*inputs: object) -> dict[str, Losses]:
    order, rates = inputs[5], inputs[6]
    _, batches, size = order.shape
    last = len(rates) - 1

    def found(**how: object) -> Losses:
        return _run(*inputs, **how)

    mistakes: dict[str, dict] = {
        "not-zeroed": {"zero": "never"},
        "not-zeroed/epoch": {"zero": "epoch"},
        "no-step": {"steps": False},
        "uphill": {"scale": -1.0},
        "evaluation-stays-on": {"train_mode": "once"},
        "trains-in-evaluation": {"train_mode": "never"},
        "evaluates-in-training": {"test_mode": True},
        "evaluates-too-early": {"test_at": "start"},
        "not-clipped": {"clipped": None},
        "clips-each-number": {"clipped": _clip_each},
        "clips-each-parameter": {"clipped": _clip_parts},
        "always-to-the-bound": {"clipped": _clip_up},
        "schedule-too-early": {"rate": lambda step: min(step + 1, last)},
        "schedule-stands-still": {"rate": lambda _: 0},
        "schedule-by-epoch": {"rate": lambda step: step // batches},
        "schedule-by-epoch/restarts": {"rate": lambda step: step % batches},
        "labels-not-in-order": {"label_order": lambda index: index.sort().values},
        "labels-not-in-order/start": {"label_order": lambda _: torch.arange(size)},
        "one-order-for-all": {"epoch_order": lambda _: 0},
        "softmax-before-loss": {"loss_of": lambda logits, labels: F.cross_entropy(logits.softmax(dim=-1), labels)},
        "wrong-axis": {"loss_of": lambda logits, labels: F.nll_loss(logits.log_softmax(dim=0), labels)},
        "no-logarithm": {"loss_of": lambda logits, labels: F.nll_loss(logits.softmax(dim=-1), labels)},
        "summed-loss": {"loss_of": partial(F.cross_entropy, reduction="sum")},
        "other-loss": {"loss_of": _squares},
        "another-optimizer": {"optimizer_of": torch.optim.AdamW},
        "another-optimizer/momentum": {"optimizer_of": partial(torch.optim.SGD, momentum=0.9)},
        "loss-after-the-step": {"keep": "after"},
        "one-loss-an-epoch": {"told": lambda epochs: [torch.stack(epoch).mean() for epoch in epochs]},
        "one-loss-an-epoch/last": {"told": lambda epochs: [epoch[-1] for epoch in epochs]},
    }
    return {name: found(**how) for name, how in mistakes.items()}


def _squares(logits: Tensor, labels: Tensor) -> Tensor:
    return F.mse_loss(logits, F.one_hot(labels, logits.shape[1]).to(logits))


train = Solved("vit.train", right=right, wrong=wrong, parts=PARTS, first="epoch", read=read_losses)


def draw(probe: Probe) -> Inputs:
    """Images of three classes in two epochs of three batches, drawn anew until every way to clip shows.

    The bound lies below a number of the first gradient, and above the length of a later one.
    """
    pixels, width, classes, size, batches, epochs = *probe.sizes(2, 4, 7), 3, 6, 3, 2
    while True:
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
        images = probe.normal(len(labels), pixels) + 2 * probe.normal(classes, pixels)[labels]
        orders = [torch.randperm(batches * size, generator=probe.generator) for _ in range(epochs)]
        order, rates = torch.stack(orders).view(epochs, batches, size), [0.1, 0.3, 0.4, 0.25, 0.15, 0.05]
        seen, held = slice(None, batches * size), slice(batches * size, None)
        case = state, images[seen], labels[seen], images[held], labels[held], order, rates
        gradients: list[Tensor] = []
        _run(*case, 0.0, clipped=_noted(gradients))
        bound = round(0.8 * gradients[0].abs().max().item(), 3)
        _run(*case, bound, clipped=_noted(gradients))
        if min(gradient.norm().item() for gradient in gradients[len(rates) :]) < 0.8 * bound:
            return *case, bound


def _noted(gradients: list[Tensor]) -> Callable[[nn.Module, float], None]:
    """The clipping that also keeps each gradient as it was; without a bound it clips nothing."""

    def clipped(model: nn.Module, clip: float) -> None:
        gradients.append(torch.cat([parameter.grad.flatten().clone() for parameter in model.parameters()]))
        _clip_norm(model, clip or torch.inf)

    return clipped


train.on("the loss of every step, and the held-out loss after every epoch")(draw)
