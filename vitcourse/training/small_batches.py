"""Batches that a model cannot train on: one value a channel has no variance, so batch norm refuses it.

Which layers meet one value depends on the size of the images as well as on that of the batch: a convolutional stem or a
ResNet that has shrunk its map to one pixel sees one value of a batch of one, and of a larger map it sees many.
"""

import copy
from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.utils.data import Dataset, default_collate

from vitcourse.errors import InputError
from vitcourse.training.config import LossFunction


def smallest_share(count: int, batch_size: int, world: int) -> int:
    """The fewest items of a batch that one of ``world`` processes gets in an epoch of ``count`` items."""
    last = count % batch_size or batch_size
    return max(min(last, batch_size, count) // world, 1)


def check_small_batches(
    model: nn.Module,
    dataset: Dataset | Sequence[dict],
    loss_function: LossFunction,
    batch_size: int,
    world: int,
    transform: Callable | None = None,
) -> None:
    """Tries one item in training, where an epoch has a batch of one in some process; nothing is changed by it.

    Args:
        dataset: see `fit`; its first item is tried.
        world: processes that share a batch.
        transform: a `BatchTransform`.

    Raises:
        InputError: a batch norm of the model would get one value a channel; with the nearest batch size that works.
    """
    count = len(dataset)
    if smallest_share(count, batch_size, world) > 1 or not any(_trains(module) for module in model.modules()):
        return
    model = copy.deepcopy(model).train()
    if isinstance(loss_function, nn.Module):
        loss_function = copy.deepcopy(loss_function).to(next(model.parameters()).device)
    for module in filter(_trains, model.modules()):
        module.register_forward_pre_hook(_refuse_one_value)
    with torch.random.fork_rng(), torch.no_grad():
        batch = default_collate([dataset[0]])
        place = next(model.parameters()).device
        batch = {key: part.to(place) if isinstance(part, torch.Tensor) else part for key, part in batch.items()}
        if transform is not None:
            batch = transform(batch, torch.full((1, transform.numbers), 0.5, device=place))
        try:
            loss_function(model, batch)
        except _OneValueError as error:
            raise InputError(_line(count, batch_size, world)) from error


class _OneValueError(Exception):
    """A batch norm in training met one value a channel."""


def _trains(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm)


def _refuse_one_value(module: nn.Module, inputs: tuple) -> None:
    # One that is in evaluation (a frozen one) takes the statistics that it has.
    if (module.training or module.running_mean is None) and inputs[0].numel() == inputs[0].shape[1]:
        raise _OneValueError


def _line(count: int, batch_size: int, world: int) -> str:
    reason = "this model cannot train on one image alone at this size (batch norm over one value a channel)"
    by_distance = sorted(range(2, count + 1), key=lambda size: (abs(size - batch_size), size))
    working = next((size for size in by_distance if smallest_share(count, size, world) > 1), None)
    way = f"batch_size {working} leaves none alone" if working else "it takes more images, or larger ones"
    return f"batch_size {batch_size} leaves one of {count} images alone, and {reason}: {way}"
