"""The real photos of a recorded run: which they are, and which of the images show one and the same."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from vitcourse import results
from vitcourse.asl.parts import Parts
from vitcourse.data.asl import AslDataset, Copy, find_copies, load, tighten
from vitcourse.data.exports.roboflow import FORMS, form_of, split_folder
from vitcourse.files import write_whole

SPLITS = ("train", "valid")
# By the names and letters of all images, which are the same in every form of an export.
KNOWN = {
    "7f1b8797dfc379ec9762d2402b25a2882b725eb3b84395a1d080f4a2de96b1be": (
        "American Sign Language Letters by David Lee, Roboflow version 1"
    )
}


def identity(data: str | Path) -> dict:
    """Which data a run has seen: its name, its form, the images of each split, and digests.

    ``images_sha256`` is of the names and letters of the images, and does not depend on the form of the export;
    ``annotations_sha256`` is of the files that hold the annotations.
    """
    names, annotations, counts = hashlib.sha256(), hashlib.sha256(), {}
    for split in SPLITS:
        dataset, folder = load(data, split), split_folder(data, split)
        counts[split] = len(dataset)
        rows = sorted(f"{split} {record.file.name} {record.label}\n" for record in dataset.records)
        names.update("".join(rows).encode())
        form = form_of(folder)
        for file in _annotation_files(folder, form):
            annotations.update(file.read_bytes())
    name = KNOWN.get(names.hexdigest(), "an export that the course does not know")
    digests = {"images_sha256": names.hexdigest(), "annotations_sha256": annotations.hexdigest()}
    return {"name": name, "form": form, **counts, **digests}


def _annotation_files(folder: Path, form: str) -> list[Path]:
    if form == "yolo":
        return [folder.parent / "data.yaml", *sorted((folder / FORMS["yolo"].LABELS).glob("*.txt"))]
    return sorted(folder.glob("*.xml")) if form == "voc" else [folder / FORMS[form].NAME]


def copies_within(dataset: AslDataset, say: Callable[[str], None]) -> list[Copy]:
    """`find_copies` among the images of a data set; what was found once is read from ``_build/copies``."""
    files = dataset.files
    place = {file: i for i, file in enumerate(files)}

    def look() -> list[list]:
        say(f"looking for copies of one photo among {len(files)} images, which takes minutes the first time")
        return [[place[c.first], place[c.second], c.similarity, c.mirrored] for c in find_copies(files)]

    return [Copy(files[i], files[j], *facts) for i, j, *facts in _kept("copies", dataset, look)]


def tight_boxes(dataset: AslDataset, say: Callable[[str], None]) -> Tensor:
    """The boxes of `tighten`, (N, 4); what was solved once is read from ``_build/tight``."""

    def solve() -> list[list[float]]:
        say(f"registering the copies of photos among {len(dataset)} images, which takes minutes the first time")
        return tighten(dataset).boxes.tolist()

    return torch.tensor(_kept("tight", dataset, solve))


def _kept(kind: str, dataset: AslDataset, make: Callable[[], list]) -> list:
    """What is made of the images and boxes of a data set, made once and kept below ``_build``."""
    digest = hashlib.sha256(dataset.boxes.numpy().tobytes() if kind == "tight" else b"")
    for file in map(Path, dataset.files):
        digest.update(file.name.encode() + file.read_bytes())
    cache = results.FOLDER.parents[1] / "_build" / kind / f"{digest.hexdigest()}.json"
    if not cache.is_file():
        write_whole(cache, json.dumps(make()).encode())
    return json.loads(cache.read_text(encoding="utf-8"))


def real_parts(data: str | Path, say: Callable[[str], None], *, tight: bool = False) -> Parts:
    """The parts of an export of real photos, in which no copies of one photo are parted; ``tight``: with tight boxes.

    Photos without a box are refused.
    """
    train = load(data, "train")
    return Parts(data, copies_within(train, say), tight=tight_boxes(train, say) if tight else None)
