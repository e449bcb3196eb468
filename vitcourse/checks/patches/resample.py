"""``patches.resample(pos_embed, rows, columns)``: a table (1, 1 + S S, D) to (1, 1 + rows columns, D).

Bicubic, corners not aligned, no antialiasing, as Hugging Face and DeiT do it; the class token's position stays.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.2; the code of DeiT (main.py).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Case = tuple[Tensor, int, int]


def right(pos_embed: Tensor, rows: int, columns: int) -> Tensor:
    return _carried(pos_embed, rows, columns)


def _carried(table: Tensor, rows: int, columns: int, **how: object) -> Tensor:
    """Another way to interpolate stands for a mistake."""
    grid = _grid(table[:, 1:])
    made = F.interpolate(grid, **{"size": (rows, columns), "mode": "bicubic"} | how)
    return torch.cat([table[:, :1], made.flatten(2).mT], dim=1)


def _grid(patches: Tensor) -> Tensor:
    """(1, S S, D) to (1, D, S, S)."""
    return patches.mT.unflatten(2, (math.isqrt(patches.shape[1]), -1))


def _factors(table: Tensor, rows: int, columns: int) -> tuple[float, float]:
    side = math.isqrt(table.shape[1])
    return rows / side, columns / side


def wrong(pos_embed: Tensor, rows: int, columns: int) -> dict[str, Tensor]:
    table, made = pos_embed, right(pos_embed, rows, columns)
    first, patches = table[:, :1], table[:, 1:]
    turned = F.interpolate(_grid(patches), size=(columns, rows), mode="bicubic")
    mixed = patches.reshape(1, table.shape[2], *_grid(patches).shape[2:])
    mixed = F.interpolate(mixed, size=(rows, columns), mode="bicubic")
    end = F.interpolate(_grid(table[:, :-1]), size=(rows, columns), mode="bicubic").flatten(2).mT
    line = {"size": rows * columns, "mode": "linear"}
    return {
        "antialiased": _carried(table, rows, columns, antialias=True),
        "corners-aligned": _carried(table, rows, columns, align_corners=True),
        "not-bicubic/linear": _carried(table, rows, columns, mode="bilinear"),
        "not-bicubic/smooth": _carried(table, rows, columns, mode="bilinear", antialias=True),
        "not-bicubic/corners": _carried(table, rows, columns, mode="bilinear", align_corners=True),
        "not-bicubic/nearest": _carried(table, rows, columns, mode="nearest"),
        "not-bicubic/area": _carried(table, rows, columns, mode="area"),
        "rows-for-columns": torch.cat([first, turned.flatten(2).mT], dim=1),
        "columns-first": torch.cat([first, made[:, 1:].unflatten(1, (rows, columns)).transpose(1, 2).flatten(1, 2)], 1),
        "columns-first/turned": torch.cat([first, turned.mT.flatten(2).mT], dim=1),
        "channels-mixed": torch.cat([first, mixed.flatten(2).mT], dim=1),
        "channels-mixed/after": torch.cat([first, made[:, 1:].mT.reshape(made[:, 1:].shape)], dim=1),
        "channels-mixed/both": torch.cat([first, mixed.reshape(made[:, 1:].shape)], dim=1),
        "class-token-last": torch.cat([made[:, 1:], first], dim=1),
        "last-for-class-token": torch.cat([table[:, -1:], end], dim=1),
        "last-for-class-token/last": torch.cat([end, table[:, -1:]], dim=1),
        "class-token-lost": made[:, 1:],
        "not-resampled": table,
        "by-a-factor": _carried(table, rows, columns, size=None, scale_factor=_factors(table, rows, columns)),
        "as-a-line": torch.cat([first, F.interpolate(patches.mT, **line).mT], dim=1),
        "as-a-line/all": F.interpolate(table.mT, **line | {"size": 1 + rows * columns}).mT,
    }


resample = Solved("patches.resample", right=right, wrong=wrong, parts=("the table",))


@resample.on("a larger grid, with more columns than rows; the class token's position stays as it was")
def larger(probe: Probe) -> Case:
    side, dim = probe.integer(4, 5), probe.integer(7, 9)
    return probe.normal(1, 1 + side**2, dim), side + probe.integer(1, 2), side + probe.integer(3, 4)


@resample.on("a smaller grid: bicubic, and nothing is blurred before")
def smaller(probe: Probe) -> Case:
    return probe.normal(1, 1 + 36, probe.integer(7, 9)), probe.integer(2, 3), probe.integer(4, 5)


@resample.on("as many rows as before, and more columns", but=["by-a-factor"])
def wider(probe: Probe) -> Case:
    side = probe.integer(4, 5)
    return probe.normal(1, 1 + side**2, probe.integer(7, 9)), side, side + probe.integer(1, 3)


@resample.on("as many positions as before, in another grid", but=["by-a-factor"])
def flatter(probe: Probe) -> Case:
    return probe.normal(1, 1 + 16, probe.integer(7, 9)), 2, 8


@resample.on("the grid has the size that is asked for, whatever is rounded on the way", only=["by-a-factor"])
def rounded(probe: Probe) -> Case:
    """Here a factor, times the old size, comes out just below the new one."""
    return probe.normal(1, 1 + (11, 13)[probe.integer(0, 1)] ** 2, probe.integer(3, 5)), 15, 15


@resample.on("the same grid gives the same table back")
def same(probe: Probe) -> Case:
    side = probe.integer(3, 5)
    return probe.normal(1, 1 + side**2, 6), side, side


resample.exact(lambda probe: (larger(probe)[0].double() / 3, 7, 9))
resample.differentiable(larger, to="the table")
