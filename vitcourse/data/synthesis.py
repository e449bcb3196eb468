"""A data set of rendered signs on disk, in the layout of a Roboflow export of any form."""

import hashlib
import io
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vitcourse.data.exports.records import Record
from vitcourse.data.exports.roboflow import FORMS
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.files import whole_folder
from vitcourse.hands import check_numbers, render

SPLIT_STRIDE = 10**9  # pictures between the first of a split and the first of the next: no picture is in two
BATCH = 64  # pictures rendered and then written, so that progress moves
README = """American Sign Language letters, rendered
{rule}
{train} train, {valid} valid and {test} test pictures of {size} x {size} pixels, one hand and one box each.

Made by vitcourse {version}:
data.asl.synthesise(train={train}, valid={valid}, test={test}, size={size}, seed={seed}, form="{form}").
The same call gives the same files, given the same versions of torch and Pillow.
The hands are drawn by a program, from poses typed by hand; no photo went in.
A box spans the pixels that show the hand, without the forearm{rounding}.
The layout is that of a Roboflow export, form {form}. J and Z, which are moving signs, are stills.
"""
ROUNDING = {"csv": ", rounded to whole pixels", "voc": ", rounded to whole pixels and counted from 1"}


def synthesise(
    out: str | Path,
    train: int = 1512,
    valid: int = 144,
    test: int = 72,
    size: int = 128,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    form: str = "csv",
) -> None:
    """Writes a rendered data set in the layout of a Roboflow export.

    ``out`` holds ``train/``, ``valid/`` and ``test/`` with JPEG files and their annotations, and
    ``README.dataset.txt``. Letters are balanced and shuffled. The pictures and their names are the same in every form;
    the boxes are exact in "coco" and "yolo", and rounded to whole pixels, by half of one at most, in "csv" and "voc".
    The folder appears when it is complete; nothing is left behind where the writing fails or is interrupted.

    Args:
        out: a folder that is empty or does not exist yet.
        train, valid, test: number of pictures in each split.
        size: pixels along a side, 32 to 4096.
        seed: 0 or more; the same one gives the same files.
        progress: called with (pictures done, pictures in all).
        form: "csv", "coco", "yolo" or "voc" (see `vitcourse.data.exports.roboflow`).

    Raises:
        InputError: ``out`` is in use, the form is unknown, or a number is out of range.
    """
    out = Path(out)
    counts = {"train": train, "valid": valid, "test": test}
    check_numbers(size, seed=seed, **counts)
    if form not in FORMS:
        raise InputError(f"form must be one of {', '.join(FORMS)}, got {form!r}")
    facts = README.format(
        rounding=ROUNDING.get(form, ""),
        rule="=" * 40,
        version=version("vitcourse"),
        size=size,
        seed=seed,
        form=form,
        **counts,
    )
    with whole_folder(out) as partial:
        done = 0
        for number, (split, count) in enumerate(counts.items()):
            images = partial / split / FORMS[form].IMAGES
            images.mkdir(parents=True)
            records = []
            for record in _write_pictures(images, number, count, size, seed):
                records.append(record)
                done += 1
                if progress is not None:
                    progress(done, sum(counts.values()))
            FORMS[form].write(partial / split, records)
        (partial / "README.dataset.txt").write_text(facts, encoding="utf-8")


def _write_pictures(folder: Path, split: int, count: int, size: int, seed: int) -> Iterator[Record]:
    """Writes a split's pictures one after the other and yields their records."""
    letters = torch.from_numpy(np.random.default_rng([seed, split, count]).permutation(count) % len(LETTERS))
    for begin in range(0, count, BATCH):
        some = letters[begin : begin + BATCH]
        images, boxes = render(some, seed, size, first=split * SPLIT_STRIDE + begin)
        for row, (letter, image, box) in enumerate(zip(some.tolist(), images, boxes, strict=True), start=begin):
            jpeg = io.BytesIO()
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(jpeg, "JPEG", quality=90)
            # A source photo's name, as in a real export: no two pictures of the three splits share it.
            name = f"{LETTERS[letter]}{3 * row + split}_jpg.rf.{hashlib.md5(jpeg.getvalue()).hexdigest()}.jpg"
            (folder / name).write_bytes(jpeg.getvalue())
            yield Record(folder / name, size, size, letter, tuple(box.tolist()))
