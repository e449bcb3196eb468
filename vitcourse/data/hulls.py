"""Boxes that grew when their picture was altered, and the way back.

An exporter that turns a picture draws a new upright box around the turned box: its *hull*. If it then shears the
picture, it draws another around the sheared hull. To first order each side grows by a share of the *other* one: a box
w wide and h high becomes W = w + k h wide and H = h + k' w high. `shrink` takes a mean k off. Where a set holds several
copies of a photo, `tighten` does better: registered to each other, they tell how far their angles differ, and their
boxes how far each grew (see `vitcourse.data.growth`).

Shape legend: N images, P photos, K copies of a photo.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from vitcourse.data.copies import group_by_photo
from vitcourse.data.growth import Photo, compare
from vitcourse.data.registration import register
from vitcourse.errors import InputError

K = 0.08  # what the solved boxes of the real set lost; turns and shears spread evenly up to 5 degrees make 0.087
BORDER = 1.01  # pixels from the image's edge within which a side counts as cut off
ALIKE = 0.8  # least similarity of a copy that counts as registered
CHECKED = 64  # photos on which the models are compared
CLOSER = 0.4  # hulls fit their copies to a pixel; those of tight labels at best by a third better than the same size


class Boxed(Protocol):
    """A data set with ``files``, ``boxes`` (N, 4) xyxy in fractions, and ``sizes`` (N, 2), width and height in pixels,
    as `vitcourse.data.asl.AslDataset` has them."""

    files: list[str]
    boxes: Tensor
    sizes: Tensor


def shrink(boxes: Tensor, sizes: Tensor, k: float = K) -> Tensor:
    """Takes the mean growth off boxes that are the hull of a hull: w = (W - k H) / (1 - k k), and h likewise.

    A side within a pixel of the image's edge was cut off there, and stays. The others move by half of what their axis
    loses, so that the middle of a whole box stays where it is.

    Args:
        boxes: (N, 4) xyxy in fractions of the image.
        sizes: (N, 2) width and height of the images in pixels: a box grows in pixels, not in fractions.
        k: growth as a share of the other side, 0 or more and below 1.

    Raises:
        InputError: k is out of range, or the shapes do not fit.
    """
    if not 0 <= k < 1:
        raise InputError(f"k must be 0 or more and below 1, got {k}")
    if boxes.shape != (len(boxes), 4) or sizes.shape != (len(boxes), 2):
        raise InputError(f"boxes (N, 4) and sizes (N, 2) are expected, got {[*boxes.shape]} and {[*sizes.shape]}")
    extent = (boxes[:, 2:] - boxes[:, :2]) * sizes
    return _moved(boxes, sizes, k * (extent.flip(1) - k * extent) / (1 - k * k))


def _moved(boxes: Tensor, sizes: Tensor, extra: Tensor) -> Tensor:
    """Boxes whose axes lose ``extra`` (N, 2) pixels, half on either side, but for the sides that were cut off."""
    half = (extra / sizes / 2).clamp_min(0)
    half = half.minimum((boxes[:, 2:] - boxes[:, :2]) / 4).repeat(1, 2)  # of a thin rest half is left at least
    return boxes + torch.where(cut_sides(boxes, sizes), 0.0, half * torch.tensor([1.0, 1.0, -1.0, -1.0]))


def cut_sides(boxes: Tensor, sizes: Tensor) -> Tensor:
    """(N, 4): which sides lie at the image's edge."""
    return torch.cat([boxes[:, :2] * sizes, (1 - boxes[:, 2:]) * sizes], 1) <= BORDER


@dataclass(frozen=True)
class Verdict:
    """Whether boxes look like hulls of hulls.

    Attributes:
        hulls: True; False where the copies do not show it; None where there are no copies to show it.
        why: one sentence.
        nats: how much better, in nats a photo, the hull of a hull explains the sizes of the boxes than each of
            `vitcourse.data.growth.MODELS`: mean and standard error.
        noise: pixels by which a side deviates from each of them; rounding alone makes about a half.
    """

    hulls: bool | None
    why: str
    nats: dict[str, tuple[float, float]] = field(default_factory=dict)
    noise: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tightened:
    """What `tighten` made of a set.

    Attributes:
        boxes: (N, 4); the old ones where ``how`` is "nothing".
        how: "solved" from copies, "constant", or "nothing".
        why: one sentence.
        verdict: None for a constant that was asked for.
        deviation: (N,) posterior standard deviation of a solved box's sides, as a share of them.
        angles: (N, 3) turn and shears along x and y that were inferred, in degrees, if the first copy of the photo was
            not mirrored (else of the other sign); ``angle_deviation`` (N, 3) likewise. nan where nothing was solved.
    """

    boxes: Tensor
    how: str
    why: str
    verdict: Verdict | None
    deviation: Tensor
    angles: Tensor
    angle_deviation: Tensor


def judge(dataset: Boxed, photos: int | None = CHECKED, progress: Callable[[int, int], None] | None = None) -> Verdict:
    """Whether the boxes of a set look like hulls of hulls, told by the copies of its photos (see `tighten`).

    Args:
        photos: how many of them, spread over the set, are looked at; None for all.
        progress: called with (pairs registered, pairs in all).
    """
    return _looked_at(dataset, photos, progress)[1]


def tighten(dataset: Boxed, k: float | None = None, progress: Callable[[int, int], None] | None = None) -> Tightened:
    """Takes off what the boxes of a set grew by, as far as the copies of its photos show that they did.

    Copies (told by name, see `group_by_photo`) are registered to the first of their photo. If the hull of a hull
    explains the sizes of their boxes better than boxes that kept their size, by more than two standard errors and to
    `CLOSER` of the pixels, each box is solved for, and one that could not be registered loses the mean growth. If not,
    nothing is changed. Where no photo has two copies nothing can be told, and nothing is changed.

    Args:
        k: take off this constant (see `shrink`; `K` is the mean) and look at no picture.
        progress: see `judge`.

    Raises:
        DataError: an image cannot be decoded.
        InputError: k is out of range.
    """
    boxes, sizes = dataset.boxes, dataset.sizes
    deviation, angles, angle_deviation = (torch.full((len(boxes), *n), math.nan) for n in ((), (3,), (3,)))
    if k is not None:
        why = f"each side lost the share {k:.3f} of the other one, as was asked"
        return Tightened(shrink(boxes, sizes, k), "constant", why, None, deviation, angles, angle_deviation)
    photos, verdict = _looked_at(dataset, None, progress)
    if not verdict.hulls:
        return Tightened(boxes.clone(), "nothing", verdict.why, verdict, deviation, angles, angle_deviation)
    tight = shrink(boxes, sizes)
    for photo in photos:
        solved, own = photo.solve(verdict.noise["hull of a hull"]), photo.places
        tight[own] = _moved(boxes[own], sizes[own], solved["extra"])
        deviation[own], angles[own] = solved["deviation"], solved["angles"]
        angle_deviation[own] = solved["angle_deviation"]
    return Tightened(tight, "solved", verdict.why, verdict, deviation, angles, angle_deviation)


def _looked_at(dataset: Boxed, most: int | None, progress: Callable | None) -> tuple[list[Photo], Verdict]:
    groups = [places for places in group_by_photo(dataset.files).values() if len(places) > 1]
    if not groups:
        return [], Verdict(None, "no photo has two copies, so there is nothing to compare the boxes with")
    groups = groups[:: max(1, len(groups) // most)] if most else groups
    boxes, sizes, cut = dataset.boxes, dataset.sizes, cut_sides(dataset.boxes, dataset.sizes)
    extents, whole = (boxes[:, 2:] - boxes[:, :2]) * sizes, ~(cut[:, :2] | cut[:, 2:])
    photos = [Photo(p, extents[p], whole[p], maps) for p, maps in _registered(dataset.files, groups, progress)]
    compared = [photo for photo in photos if len(photo.places) > 1]
    if not compared:
        return [], Verdict(None, "no two copies of a photo could be registered, so nothing can be told of the boxes")
    compared = compared[:: max(1, len(compared) // CHECKED)]
    nats, noise = compare(compared)
    (mean, error), close, far = nats["same size"], noise["hull of a hull"], noise["same size"]
    hulls = mean > 2 * error and close <= CLOSER * far
    why = (
        f"as hulls of hulls the sizes of a photo's boxes fit to {close:.1f} pixels, as boxes that kept their size to "
        f"{far:.1f}; that is {mean:.1f} nats a photo (standard error {error:.1f}, {len(compared)} photos)"
    )
    return photos, Verdict(hulls, why, nats, noise)


def _registered(
    files: list[str], groups: list[list[int]], progress: Callable | None
) -> Iterator[tuple[list[int], Tensor]]:
    """For each photo the copies that could be registered to its first, and the maps to all of them (K, 2, 2)."""
    used = [place for places in groups for place in places]
    at = {place: number for number, place in enumerate(used)}
    pairs = [(at[first], at[other]) for first, *others in groups for other in others]
    found, begin = register([files[place] for place in used], pairs, progress), 0
    for first, *others in groups:
        own = slice(begin, begin := begin + len(others))
        good = (found.similarity[own] >= ALIKE).nonzero().flatten()
        yield [first, *(others[i] for i in good.tolist())], torch.cat([torch.eye(2)[None], found.linear[own][good]])
