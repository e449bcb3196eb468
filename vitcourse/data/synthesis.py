"""A data set of rendered signs on disk, in the layout of a Roboflow export of any form."""

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vitcourse.data.altered import Alteration, alter, hull, tight
from vitcourse.data.exports.records import Record
from vitcourse.data.exports.roboflow import FORMS
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.files import whole_folder
from vitcourse.hands import check_numbers, render_with_truth

SPLIT_STRIDE = 10**9  # pictures between the first of a split and the first of the next: no picture is in two
BATCH = 64  # pictures rendered and then written, so that progress moves
README = """American Sign Language letters, rendered
{rule}
{train} train, {valid} valid and {test} test pictures of {size} x {size} pixels, one hand and one box each.

Made by vitcourse {version}:
data.asl.synthesise(train={train}, valid={valid}, test={test}, size={size}, seed={seed}, form="{form}"{copied}).
The same call gives the same files, given the same versions of torch and Pillow.
The hands are drawn by a program, from poses typed by hand; no photo went in.
A box spans the pixels that show the hand, without the forearm{rounding}.{altered}
The layout is that of a Roboflow export, form {form}. J and Z, which are moving signs, are stills.
"""
ALTERED = """
Each train picture is there in {copies} copies: mirrored, cut, turned, sheared, lighter or darker, blurred.
{boxes} {truth} holds the box around the hand of each copy,
the one of its photo (width and height in pixels), and by how many degrees it was turned and sheared."""
BOXES = {
    True: "Their boxes are those that exporters draw: around the turned box, and again around the sheared one.",
    False: "Their boxes are around the hand as it is seen in the copy.",
}
TRUTH = "truth.json"
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
    copies: int = 0,
    hulls: bool = False,
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
        copies: how often each train picture is written, each time altered (see `vitcourse.data.altered`); 0 writes it
            once, as it was rendered. What was done to which, and the true boxes, are kept in ``truth.json``.
        hulls: the boxes of the copies are what exporters make of them, around the turned box and again around the
            sheared one, and not the true ones.

    Raises:
        InputError: ``out`` is in use, the form is unknown, a number is out of range, or there are ``hulls`` without
            ``copies``.
    """
    out = Path(out)
    counts = {"train": train, "valid": valid, "test": test}
    check_numbers(size, seed=seed, copies=copies, **counts)
    if hulls and not copies:
        raise InputError("hulls are boxes of altered copies: ask for 1 copy of each train picture or more")
    if form not in FORMS:
        raise InputError(f"form must be one of {', '.join(FORMS)}, got {form!r}")
    wanted = train * max(copies, 1) + valid + test
    facts = README.format(
        rounding=ROUNDING.get(form, ""),
        rule="=" * 40,
        version=version("vitcourse"),
        size=size,
        seed=seed,
        form=form,
        copied=f", copies={copies}, hulls={hulls}" if copies else "",
        altered=ALTERED.format(copies=copies, boxes=BOXES[hulls], truth=TRUTH) if copies else "",
        **counts,
    )
    with whole_folder(out) as partial:
        done, truth = 0, {}
        for number, (split, count) in enumerate(counts.items()):
            images = partial / split / FORMS[form].IMAGES
            images.mkdir(parents=True)
            records = []
            altered = copies if split == "train" else 0
            for record, true in _write_pictures(images, number, count, size, seed, altered, hulls):
                records.append(record)
                truth |= {record.file.name: true} if true else {}
                done += 1
                if progress is not None:
                    progress(done, wanted)
            FORMS[form].write(partial / split, records)
        if truth:
            (partial / TRUTH).write_text(json.dumps({"train": truth}, indent=0), encoding="utf-8")
        (partial / "README.dataset.txt").write_text(facts, encoding="utf-8")


def _write_pictures(
    folder: Path, split: int, count: int, size: int, seed: int, copies: int, hulls: bool
) -> Iterator[tuple[Record, dict]]:
    """Writes a split's pictures one after the other and yields their records, each with what is true of a copy."""
    letters = torch.from_numpy(np.random.default_rng([seed, split, count]).permutation(count) % len(LETTERS))
    for begin in range(0, count, BATCH):
        some = letters[begin : begin + BATCH]
        images, boxes, _, parts = render_with_truth(some, seed, size, first=split * SPLIT_STRIDE + begin)
        for row, (letter, image, box, part) in enumerate(zip(some.tolist(), images, boxes, parts, strict=True), begin):
            name = f"{LETTERS[letter]}{3 * row + split}"  # a source photo's name: no two of the three splits share it
            if not copies:
                yield _written(folder, name, image, letter, box), {}
            for copy in range(copies):
                made = Alteration.drawn(np.random.default_rng([seed, split, row, copy]), size)
                true, grown = tight(box, part, made, size), hull(box, made, size)
                record = _written(folder, name, alter(image, made), letter, grown if hulls else true)
                extent = ((box[2:] - box[:2]) * size).tolist()
                facts = {"mirrored": made.mirrored, "turn": made.turn, "shear": made.shear, "photo": extent}
                yield record, {"box": true.tolist(), **facts}


def _written(folder: Path, photo: str, image: Tensor, letter: int, box: Tensor) -> Record:
    """Writes one picture under the name that an export gives a copy of a photo."""
    jpeg, size = io.BytesIO(), image.shape[-1]
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(jpeg, "JPEG", quality=90)
    file = folder / f"{photo}_jpg.rf.{hashlib.md5(jpeg.getvalue()).hexdigest()}.jpg"
    file.write_bytes(jpeg.getvalue())
    return Record(file, size, size, letter, tuple(box.tolist()))
