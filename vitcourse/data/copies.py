"""Which images were made from one photo: told by their names, and by what is seen in them.

An export may hold several augmented copies of a photo. All of them belong on one side of any split: a model that has
seen one copy knows the others. Names say what the exporter knew; pixels also show a photo that was uploaded twice, or
two frames of one burst.

Shape legend: N, M images of the two sides, P places in an image, D values of a patch.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.data.images import SUFFIXES, decode
from vitcourse.errors import InputError

UPLOADED = "|".join(sorted(suffix[1:] for suffix in {*SUFFIXES, ".heic"}))  # what a photo's name ended in
THUMBNAIL = 48  # pixels along a side of what is compared
PATCH, SHARE = 24, 0.8  # the patch is the middle 80% of an image: a copy may have lost its edges
SCALES = (1.0, 1.13, 1.28)  # it is searched for in the other at these sizes, each of the two in turn,
TURNS = (-6, 0, 6)  # at these angles in degrees,
BLUR = 9  # and without what is smoother than this many pixels: light and shade of a room are no sign of a copy
CHUNK = 16  # images whose places are held in memory at once
# Measured on the real train split: 99.1% of the pairs of copies by name lie above it, and 1 in 15,000 of the pairs
# of different letters, most of which were taken in the same place.
THRESHOLD = 0.8


@dataclass(frozen=True)
class Copy:
    """Two images of one photo: their files, how alike they are (1: the same), and whether one is mirrored."""

    first: str
    second: str
    similarity: float
    mirrored: bool


def source_photo(file: str | Path) -> str:
    """The photo that an exported, augmented copy was made from: Roboflow's ``U7_jpg.rf.0037….jpg`` comes from U7.

    A name that Roboflow did not make stands for itself, without its suffix.
    """
    name = Path(file).name
    made, mark, _ = name.partition(".rf.")
    return re.sub(rf"[_-]({UPLOADED})$", "", made, flags=re.I) if mark else Path(name).stem


def group_by_photo(files: Iterable[str | Path], copies: Iterable[Copy] = ()) -> dict[str, list[int]]:
    """The places in ``files`` of the images of each source photo, photos in the order of their first image.

    Args:
        copies: pairs of `find_copies`; the photos of a pair become one group, under the name of the first.
    """
    names = [source_photo(file) for file in files]
    parent = {name: name for name in names}

    def top(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for copy in copies:
        first, second = (source_photo(file) for file in (copy.first, copy.second))
        if first in parent and second in parent:
            parent[top(second)] = top(first)
    groups: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        groups.setdefault(top(name), []).append(place)
    return groups


def hold_out(
    files: Sequence[str | Path], labels: Sequence[int], share: float = 0.2, seed: int = 0, copies: Iterable[Copy] = ()
) -> tuple[list[int], list[int]]:
    """Divides images so that all copies of a photo stay together, in about the same share of each letter's images.

    The photos of a letter come in random order, and one is held out where that brings the letter nearer to its share:
    a group of copies that is far larger than the share stays with the rest.

    Args:
        files, labels: of a data set, such as ``dataset.files`` and ``dataset.labels.tolist()``.
        share: of the images of each letter that are held out, between 0 and 1.
        copies: see `group_by_photo`. A pair of two letters is passed over: it is two signs before one wall.

    Returns:
        The places of the images that are kept and of those held out, each in ascending order.

    Raises:
        InputError: ``share`` is not between 0 and 1, or the lengths differ.
    """
    if not 0 < share < 1:
        raise InputError(f"share must be between 0 and 1, got {share}")
    if len(files) != len(labels):
        raise InputError(f"as many labels as files are expected, got {len(labels)} and {len(files)}")
    letter = {source_photo(file): int(label) for file, label in zip(files, labels, strict=True)}
    copies = [copy for copy in copies if letter.get(source_photo(copy.first)) == letter.get(source_photo(copy.second))]
    by_letter: dict[int, list[list[int]]] = {}
    for places in group_by_photo(files, copies).values():
        by_letter.setdefault(int(labels[places[0]]), []).append(places)
    generator, held = torch.Generator().manual_seed(seed), []
    for _, photos in sorted(by_letter.items()):
        wanted, own = share * sum(map(len, photos)), []
        for photo in torch.randperm(len(photos), generator=generator).tolist():
            if len(own) + len(photos[photo]) / 2 <= wanted:
                own += photos[photo]
        held += own
    return sorted(set(range(len(files))) - set(held)), sorted(held)


def find_copies(
    first: Sequence[str | Path], second: Sequence[str | Path] | None = None, threshold: float = THRESHOLD
) -> list[Copy]:
    """The pairs of images that show one photo, the most alike first.

    The middle of each image is searched in the other, mirrored as well, at three sizes and three angles, as a
    correlation of thumbnails without their smooth parts. So a copy is found that was mirrored, cropped by up to 20%,
    turned by a few degrees, made brighter, grey or blurred. Two frames of one burst are found too: for a split they
    are no better than copies. Nothing is random. 1500 images against 150 take half a minute on one core.

    Args:
        first, second: image files, such as the ``files`` of two splits; without ``second``, the pairs within ``first``.
        threshold: the least similarity, up to 1.

    Raises:
        DataError: an image cannot be decoded.
    """
    left = _thumbnails(first)
    right = left if second is None else _thumbnails(second)
    straight, mirrored = (_similarity(left, side) for side in (right, right.flip(-1)))
    best = torch.maximum(straight, mirrored)
    found = best >= threshold
    if second is None:
        found, second = found.triu(1), first
    pairs = [
        Copy(str(first[i]), str(second[j]), best[i, j].item(), bool(mirrored[i, j] > straight[i, j]))
        for i, j in found.nonzero().tolist()
    ]
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def _thumbnails(files: Sequence[str | Path]) -> Tensor:
    """Grey images (N, THUMBNAIL, THUMBNAIL), float32, 0 to 255."""
    small = [F.adaptive_avg_pool2d(decode(file).float().mean(0, keepdim=True), THUMBNAIL) for file in files]
    return torch.cat(small) if small else torch.empty(0, THUMBNAIL, THUMBNAIL)


def _similarity(left: Tensor, right: Tensor) -> Tensor:
    """(N, M): the best correlation of the middle of one image with any place of the other, either way round."""
    return torch.maximum(_searched(left, right), _searched(right, left).T)


def _searched(patches: Tensor, images: Tensor) -> Tensor:
    """(N, M): the best correlation of the middle of each of N thumbnails with any place in each of M."""
    if not len(patches) or not len(images):
        return torch.zeros(len(patches), len(images))
    edge = (round(PATCH / SHARE) - PATCH) // 2
    middle = _details(patches, round(PATCH / SHARE))[:, edge : edge + PATCH, edge : edge + PATCH]
    middle = _standard(middle.flatten(1))  # (N, D)
    best = torch.full((len(patches), len(images)), -1.0)
    for begin in range(0, len(images), CHUNK):
        some = images[begin : begin + CHUNK]
        for turn in TURNS:
            turned = _turned(some, turn)
            for scale in SCALES:
                places = _details(turned, round(PATCH / SHARE * scale)).unfold(1, PATCH, 1).unfold(2, PATCH, 1)
                places = _standard(places.flatten(3).flatten(1, 2))  # (M, P, D)
                alike = (places @ middle.T).amax(1).T  # (N, M)
                best[:, begin : begin + CHUNK] = torch.maximum(best[:, begin : begin + CHUNK], alike)
    return best


def _details(images: Tensor, size: int) -> Tensor:
    """(N, size, size): the images resized, less their blurred selves."""
    small = F.interpolate(images[:, None], size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    smooth = F.avg_pool2d(F.pad(small, (BLUR // 2,) * 4, mode="replicate"), BLUR, stride=1)
    return (small - smooth)[:, 0]


def _standard(values: Tensor) -> Tensor:
    """The last axis with mean 0 and length 1; one that is constant stays 0."""
    values = values - values.mean(-1, keepdim=True)
    return values / values.norm(dim=-1, keepdim=True).clamp_min(1e-3)


def _turned(images: Tensor, degrees: float) -> Tensor:
    """The images (N, h, h) turned about their centre, the edge repeated where they end."""
    if degrees == 0:
        return images
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = torch.tensor([[cos, -sin, 0.0], [sin, cos, 0.0]]).expand(len(images), 2, 3)
    grid = F.affine_grid(matrix, (len(images), 1, *images.shape[1:]), align_corners=False)
    return F.grid_sample(images[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
