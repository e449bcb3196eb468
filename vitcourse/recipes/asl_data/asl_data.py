"""The recorded run ``asl_data``: what is known of the real photos before any model is trained.

How many photos there are behind the images, which of them have a near twin on the other side of the split, what that
does to an honest number, what an answer that never looks reaches, and what rounding costs a box. Only measures are
written, no photo and no part of one.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.asl.metrics import THRESHOLDS, aligned_iou
from vitcourse.data.asl import AslDataset, Copy, decode, find_copies, hold_out, load, source_photo
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity

SIDE = 12  # pixels along a side of what the nearest neighbour compares
SEEDS = (0, 1, 2, 3, 4)
SHARE = 0.2  # of the train images, or of their photos, that is held out
SIMILARITIES = (0.8, 0.85, 0.9, 0.95)


def thumbnails(images: Iterable[Tensor], side: int = SIDE) -> Tensor:
    """Grey thumbnails (N, side, side) of images (3, h, w), each with mean 0 and length 1."""
    small = torch.cat([F.adaptive_avg_pool2d(image.float().mean(0, keepdim=True), side) for image in images])
    small = small - small.mean(dim=(1, 2), keepdim=True)
    return small / small.flatten(1).norm(dim=1)[:, None, None].clamp_min(1e-6)


def alike(first: Tensor, second: Tensor) -> Tensor:
    """(N, side, side) and (M, side, side) to (N, M): the correlation of thumbnails, mirrored where that is closer."""
    straight, mirrored = (first.flatten(1) @ other.flatten(1).T for other in (second, second.flip(-1)))
    return torch.maximum(straight, mirrored)


def right_by_neighbour(similarity: Tensor, known: Tensor, asked: Tensor) -> Tensor:
    """(N, M), the M known labels and the N true ones to (N,): whether the most alike image has the right label."""
    return known[similarity.argmax(dim=1)] == asked


def two_splits(small: Tensor, labels: Tensor, files: Sequence[str], seed: int) -> dict[str, float]:
    """The neighbour's accuracy on held-out images: once images were divided by chance, once photos.

    Raises:
        InputError: there are too few photos of each letter to hold any out.
    """
    order = torch.randperm(len(small), generator=torch.Generator().manual_seed(seed))
    count = round(SHARE * len(small))
    photos = hold_out(files, labels.tolist(), SHARE, seed)
    if not all(photos):
        raise InputError(f"there are too few photos of each letter to hold out {SHARE:.0%} of them")
    sides = {"by_image": (order[count:], order[:count]), "by_photo": tuple(map(torch.tensor, photos))}
    return {
        name: share(right_by_neighbour(alike(small[held], small[kept]), labels[kept], labels[held]))
        for name, (kept, held) in sides.items()
    }


def share(found: Tensor) -> float | None:
    """The mean of truth values, to four digits; None where there are none."""
    return round(found.float().mean().item(), 4) if found.numel() else None


def blind(train: AslDataset, valid: AslDataset) -> dict:
    """What the most frequent letter of train (each of them, where several are) and its mean box reach on valid."""
    counts = train.labels.bincount(minlength=len(LETTERS))
    usual = (counts == counts.max()).nonzero().flatten().tolist()
    box = train.boxes.mean(dim=0)
    found = aligned_iou(box.expand_as(valid.boxes), valid.boxes)
    return {
        "letters": [LETTERS[i] for i in usual],
        "accuracy": [share(valid.labels == i) for i in usual],
        "box": [round(side, 4) for side in box.tolist()],
        "mean_iou": round(found.mean().item(), 4),
        **{name: share(found >= threshold) for name, threshold in THRESHOLDS.items()},
    }


def twins(copies: Sequence[Copy], valid: Sequence[str]) -> dict[str, Tensor]:
    """For every similarity of `SIMILARITIES`: which of the valid images have so near a twin in train."""
    best: dict[str, float] = {}
    for copy in copies:
        best[copy.second] = max(best.get(copy.second, 0.0), copy.similarity)
    return {str(least): torch.tensor([best.get(file, 0.0) >= least for file in valid]) for least in SIMILARITIES}


def rounding(datasets: Iterable[AslDataset], labels: Path) -> dict:
    """How far the CSV's whole pixels are from the same boxes in YOLO's form, which is not rounded.

    Args:
        labels: a folder with ``train/`` and ``valid/``, and in them a label file for every image.
    """
    moved, overlaps = [], []
    for dataset in datasets:
        for entry in dataset.records:
            file = labels / entry.file.parent.name / f"{entry.file.stem}.txt"
            x, y, w, h = map(float, file.read_text(encoding="utf-8").split()[1:])
            exact = torch.tensor([x - w / 2, y - h / 2, x + w / 2, y + h / 2], dtype=torch.float64)
            box = torch.tensor(entry.box, dtype=torch.float64)
            moved.append(((exact - box) * torch.tensor([entry.width, entry.height] * 2)).abs().max())
            overlaps.append(aligned_iou(box[None], exact[None])[0])
    return {
        "images": len(moved),
        "most_pixels": round(torch.stack(moved).max().item(), 6),
        "mean_iou": round(torch.stack(overlaps).mean().item(), 5),
        "least_iou": round(torch.stack(overlaps).min().item(), 5),
    }


def card(dataset: AslDataset) -> dict:
    """Images, photos, letters and sizes of one split."""
    widths = [entry.width for entry in dataset.records]
    return {
        "images": len(dataset),
        "photos": len({source_photo(file) for file in dataset.files}),
        "letters": dataset.labels.bincount(minlength=len(LETTERS)).tolist(),
        "square": all(entry.width == entry.height for entry in dataset.records),
        "widths": [min(widths), max(widths), len(set(widths))],
    }


@recipe("asl_data", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Measures the photos.

    Where a folder ``DATA-yolo-labels`` lies beside the export, with the same labels in YOLO's form, the rounding of the
    CSV is measured too.
    """
    train, valid = load(data, "train"), load(data, "valid")
    content = {"data": identity(data), "card": {"train": card(train), "valid": card(valid)}}
    content["blind"] = blind(train, valid)
    say(f"without looking: mean IoU {content['blind']['mean_iou']:.2f}")
    small, asked = (thumbnails(map(decode, part.files)) for part in (train, valid))
    rows = [{"seed": seed, **two_splits(small, train.labels, train.files, seed)} for seed in SEEDS]
    say(f"nearest neighbour by image {rows[0]['by_image']:.0%}, by photo {rows[0]['by_photo']:.0%}")
    right = right_by_neighbour(alike(asked, small), train.labels, valid.labels)
    copies = find_copies(train.files, valid.files, min(SIMILARITIES))
    near = twins(copies, valid.files)
    some = near[str(min(SIMILARITIES))]
    on_valid = {"all": share(right), "with_twin": share(right[some]), "without_twin": share(right[~some])}
    content["neighbour"] = {"side": SIDE, "share": SHARE, "rows": rows, "valid": on_valid}
    content["twins"] = {least: int(found.sum()) for least, found in near.items()}
    content["most_alike"] = round(copies[0].similarity, 4) if copies else None
    say(f"near twins of valid images in train: {content['twins']}")
    labels = data.with_name(f"{data.name}-yolo-labels")
    if labels.is_dir():
        content["rounding"] = rounding((train, valid), labels)
    return content
