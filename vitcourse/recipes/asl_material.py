"""The data of a recorded run on signs: what it is called, which images show one photo, and images in memory."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from vitcourse import results
from vitcourse.data.asl import AslDataset, Copy, InMemory, find_copies, hold_out, load
from vitcourse.data.exports.roboflow import FORMS, form_of, split_folder
from vitcourse.errors import InputError
from vitcourse.recipes.signs import HOLD_OUT_SEED, decoded, subset

SPLITS = ("train", "valid")
# By the names and letters of all images, which are the same in every form of an export.
KNOWN = {
    "7f1b8797dfc379ec9762d2402b25a2882b725eb3b84395a1d080f4a2de96b1be": (
        "American Sign Language Letters by David Lee, Roboflow version 1"
    ),
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
    digest = hashlib.sha256()
    for file in map(Path, dataset.files):
        digest.update(file.name.encode() + file.read_bytes())
    cache = results.FOLDER.parents[1] / "_build" / "copies" / f"{digest.hexdigest()}.json"
    place = {file: i for i, file in enumerate(dataset.files)}
    if not cache.is_file():
        say(f"looking for copies of one photo among {len(dataset)} images, which takes minutes the first time")
        pairs = [[place[c.first], place[c.second], c.similarity, c.mirrored] for c in find_copies(dataset.files)]
        results.write_whole(cache, json.dumps(pairs).encode())
    files = dataset.files
    return [Copy(files[i], files[j], *facts) for i, j, *facts in json.loads(cache.read_text(encoding="utf-8"))]


class Material:
    """The images of a recorded run: train, parted into what is trained on and what is held out, and valid.

    Args:
        copies: pairs that must not be parted, see `copies_within`.
        share: of the photos of each letter that are held out.
    """

    def __init__(self, data: str | Path, copies: list[Copy], share: float):
        self.train, self.valid = (load(data, split) for split in SPLITS)
        self.kept, self.held = hold_out(self.train.files, self.train.labels.tolist(), share, HOLD_OUT_SEED, copies)
        if not self.kept or not self.held:
            raise InputError(f"{data}: holding out {share:.0%} of the photos of train leaves one side empty")
        self._decoded: dict[int, list[InMemory]] = {}

    def images(self, size: int) -> dict[str, InMemory]:
        """``train`` (all of it), ``kept``, ``held_out`` and ``valid`` in memory, decoded once for each size."""
        if size not in self._decoded:
            self._decoded[size] = decoded([self.train, self.valid], size, None)
        train, valid = self._decoded[size]
        return {
            "train": train,
            "kept": subset(train, self.kept),
            "held_out": subset(train, self.held),
            "valid": valid,
        }

    def counts(self) -> dict[str, int]:
        """Images of each part."""
        parts = {"train": self.train, "kept": self.kept, "held_out": self.held, "valid": self.valid}
        return {name: len(part) for name, part in parts.items()}
