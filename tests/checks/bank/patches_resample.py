"""Answers to ``patches.resample``."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange

from tests.checks.bank.entries import Bank
from vitcourse import positions

BANK = Bank("patches.resample")


def variant(
    apart=lambda table: (table[:, :1], table[:, 1:]),
    image=lambda patches, side: patches.unflatten(1, (side, side)).permute(0, 3, 1, 2),
    size=lambda rows, columns: (rows, columns),
    back=lambda image, _rows, _columns: image.flatten(2).transpose(1, 2),
    join=lambda first, patches: torch.cat([first, patches], dim=1),
    **how,
):
    """A resampling of which one step can be replaced; as it stands, it is right."""

    def resample(pos_embed, rows, columns):
        first, patches = apart(pos_embed)
        grid = image(patches, math.isqrt(patches.shape[1]))
        grid = F.interpolate(grid, size=size(rows, columns), **{"mode": "bicubic", "align_corners": False} | how)
        return join(first, back(grid, rows, columns))

    return resample


BANK.right(variant())


def unless(kept):
    """The right answer, but for tables that a short cut gives back as they are."""

    def resample(pos_embed, rows, columns):
        side = math.isqrt(pos_embed.shape[1])
        return pos_embed.clone() if kept(side, rows, columns) else variant()(pos_embed, rows, columns)

    return resample


@BANK.wrong("by-a-factor")
def by_a_factor(pos_embed, rows, columns):
    side = math.isqrt(pos_embed.shape[1])
    grid = pos_embed[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, scale_factor=(rows / side, columns / side), mode="bicubic")
    return torch.cat([pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], dim=1)


BANK.wrong("not-resampled")(unless(lambda side, rows, columns: rows * columns == side * side))
BANK.wrong("not-resampled")(unless(lambda side, rows, columns: rows == side))
BANK.wrong("not-resampled")(lambda pos_embed, rows, columns: pos_embed.clone())


@BANK.right
def by_einops(pos_embed, rows, columns):
    side = int((pos_embed.shape[1] - 1) ** 0.5)
    grid = rearrange(pos_embed[:, 1:], "one (h w) d -> one d h w", h=side)
    grid = torch.nn.functional.interpolate(grid, (rows, columns), mode="bicubic")
    return torch.cat((pos_embed[:, 0:1], rearrange(grid, "one d h w -> one (h w) d")), 1)


@BANK.right
def only_where_it_must(pos_embed, rows, columns):
    if rows == columns == math.isqrt(pos_embed.shape[1] - 1):
        return pos_embed
    return by_einops(pos_embed, rows, columns)


BANK.wrong("antialiased")(variant(antialias=True))
BANK.wrong("corners-aligned")(variant(align_corners=True))
BANK.wrong("not-bicubic")(variant(mode="bilinear"))
BANK.wrong("not-bicubic")(variant(mode="bilinear", align_corners=True))
BANK.wrong("not-bicubic")(variant(mode="nearest", align_corners=None))
BANK.wrong("not-bicubic")(variant(mode="area", align_corners=None))
BANK.wrong("rows-for-columns")(variant(size=lambda rows, columns: (columns, rows)))
BANK.wrong("columns-first")(variant(back=lambda image, *_: image.mT.flatten(2).mT))
BANK.wrong("channels-mixed")(variant(image=lambda patches, side: patches.reshape(1, -1, side, side)))
BANK.wrong("channels-mixed")(variant(back=lambda image, rows, columns: image.reshape(1, rows * columns, -1)))
BANK.wrong("channels-mixed")(
    variant(
        image=lambda patches, side: patches.reshape(1, -1, side, side),
        back=lambda image, rows, columns: image.reshape(1, rows * columns, -1),
    )
)
BANK.wrong("class-token-last")(variant(join=lambda first, patches: torch.cat([patches, first], dim=1)))
BANK.wrong("last-for-class-token")(variant(apart=lambda table: (table[:, -1:], table[:, :-1])))
BANK.wrong("last-for-class-token")(
    variant(
        apart=lambda table: (table[:, -1:], table[:, :-1]),
        join=lambda first, patches: torch.cat([patches, first], dim=1),
    )
)
BANK.wrong("class-token-lost")(variant(join=lambda first, patches: patches))
BANK.wrong("as-a-line")(
    lambda table, rows, columns: torch.cat(
        [table[:, :1], F.interpolate(table[:, 1:].mT, size=rows * columns, mode="linear").mT], dim=1
    )
)
BANK.wrong("as-a-line")(lambda table, rows, columns: F.interpolate(table.mT, size=1 + rows * columns, mode="linear").mT)
BANK.wrong("wrong-shape")(variant(size=lambda rows, columns: (rows, rows)))
BANK.wrong("wrong-values")(variant(join=lambda first, patches: torch.cat([0 * first, patches], dim=1)))
BANK.wrong("wrong-type")(variant(join=lambda first, patches: (first, patches)))
BANK.wrong("raises")(variant(image=lambda patches, side: patches.view(1, side, side)))
BANK.wrong("wrong-dtype")(lambda table, rows, columns: by_einops(table, rows, columns).half())
BANK.wrong("lost-precision")(lambda table, rows, columns: by_einops(table.float(), rows, columns).to(table))
BANK.wrong("cuts-gradient")(lambda table, rows, columns: by_einops(table.detach(), rows, columns))
BANK.wrong("forbidden-call")(lambda table, rows, columns: positions.resample(table, (rows, columns)))
