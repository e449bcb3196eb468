"""Faces cut out of photos, squares of one size, as `data.faces` wants them and a recogniser is trained on.

The detector is dlib's, which lies within the package: https://dlib.net/face_detector.py.html (gradients in a pyramid,
King 2015, https://arxiv.org/abs/1502.00046). It knows faces that look about straight at the camera.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from vitcourse.data.images import SUFFIXES, decode
from vitcourse.errors import DataError, InputError
from vitcourse.files import whole_folder

# uint8 (3, height, width) to boxes in pixels, (left, top, right, bottom).
Detect = Callable[[Tensor], list[tuple[float, float, float, float]]]

SEVERAL = ("skip", "largest", "all")
LONGEST, SHORTEST = 1280, 400  # pixels along the longer side, between which a photo is searched
GROW, RAISE = 1.35, 0.06  # dlib's boxes end at the brows: how much larger the square is, and how much higher it lies


@dataclass(frozen=True)
class Cropped:
    """What became of one photo.

    Attributes:
        file: the photo.
        written: how many crops of it there are.
        faces: how many were found.
        turned: quarter turns, against the clock, after which they were.
        problem: why it could not be read; empty if it could.
    """

    file: Path
    written: int = 0
    faces: int = 0
    turned: int = 0
    problem: str = ""

    @property
    def note(self) -> str:
        """What is to be said of it, or nothing."""
        if self.problem:
            return self.problem
        if not self.faces:
            return "no face is found in it"
        several = {0: "left out", 1: "the largest is taken"}.get(self.written, "all are taken")
        told = [f"{self.faces} faces are found in it, {several}"] if self.faces > 1 else []
        told += [f"it lies on its side or head, and was turned by {90 * self.turned} degrees"] if self.turned else []
        return "; ".join(told)


def dlib_detector() -> Detect:
    """The detector of the package dlib.

    Raises:
        InputError: it is not installed.
    """
    try:
        import dlib
    except ImportError as error:
        problem = "finding faces needs the package dlib, which the course does not install by itself"
        raise InputError(f"{problem}: pip install dlib-bin") from error
    found = dlib.get_frontal_face_detector()

    def detect(image: Tensor) -> list[tuple[float, float, float, float]]:
        longer = max(image.shape[1:])
        scale = min(max(longer, SHORTEST), LONGEST) / longer
        size = [max(round(side * scale), 1) for side in image.shape[1:]]
        small = image if scale == 1 else F.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0]
        boxes = found(np.ascontiguousarray(small.permute(1, 2, 0).numpy()), 0)
        return [tuple(side / scale for side in (b.left(), b.top(), b.right(), b.bottom())) for b in boxes]

    return detect


def find_faces(image: Tensor, detect: Detect) -> tuple[Tensor, list[tuple[float, float, float, float]], int]:
    """The photo as it stands upright, the boxes of its faces, the largest first, and the quarter turns that it took.

    A photo in which no face is found is turned: a scan, or one that lost its camera's note, may lie on its side.
    """
    for turned in range(4):
        upright = image.rot90(turned, (1, 2))
        if boxes := detect(upright):
            return upright, sorted(boxes, key=lambda b: (b[0] - b[2]) * (b[3] - b[1])), turned
    return image, [], 0


def square(image: Tensor, box: tuple[float, float, float, float], size: int) -> Tensor:
    """The square around a face, uint8 (3, size, size); beyond the photo's edge the edge is repeated."""
    left, top, right, bottom = box
    side = max(round(GROW * max(right - left, bottom - top)), 1)
    x = round((left + right - side) / 2)
    y = round((top + bottom - side) / 2 - RAISE * side)
    rows, columns = (
        np.clip(np.arange(start, start + side), 0, most - 1)
        for start, most in ((y, image.shape[1]), (x, image.shape[2]))
    )
    cut = image[:, rows][:, :, columns]
    return F.interpolate(cut[None], size=(size, size), mode="bilinear", antialias=True)[0]


def crop_faces(
    source: Path,
    out: Path,
    detect: Detect,
    size: int = 160,
    several: str = "skip",
    progress: Callable[[int, int], None] | None = None,
) -> list[Cropped]:
    """Cuts the faces out of all photos of a folder, in the order of their names, and says of each what became of it.

    Folders within are gone through, and made again: ``Ana/1.jpg`` becomes ``Ana/1.png``. The folder appears when it is
    complete.

    Args:
        out: a folder that is empty or does not exist yet.
        several: a photo with more than one face: "skip" it, take the "largest", or take "all" (``1.png``, ``1-2.png``).
        progress: called with (photos done, photos in all).

    Raises:
        DataError: there is no such folder, no photo in it, or no face in any.
        InputError: ``out`` is in use, or an option is out of range.
    """
    if several not in SEVERAL:
        raise InputError(f"several must be one of {', '.join(SEVERAL)}, got {several!r}")
    if not source.is_dir():
        raise DataError("there is no such folder", source)
    if out.resolve().is_relative_to(source.resolve()):
        raise InputError(f"{out}: lies within {source}; crops would be cropped again")
    files = sorted(file for file in source.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise DataError("there are no photos in it", source)
    done, taken = [], set()
    with whole_folder(out) as folder:
        for file in files:
            done.append(_cropped(file, folder / file.relative_to(source), detect, size, several, taken))
            if progress is not None:
                progress(len(done), len(files))
        if not taken:
            raise DataError(f"there is no face to crop in {len(files)} photos", source)
    return done


def _cropped(file: Path, place: Path, detect: Detect, size: int, several: str, taken: set[Path]) -> Cropped:
    try:
        image, boxes, turned = find_faces(decode(file), detect)
    except DataError as error:
        return Cropped(file, problem=error.problem)
    wanted = {"skip": boxes if len(boxes) == 1 else [], "largest": boxes[:1], "all": boxes}[several]
    for number, box in enumerate(wanted, start=1):
        name = place.with_name(f"{place.stem}.png" if number == 1 else f"{place.stem}-{number}.png")
        while name in taken:  # 1.jpg and 1.png beside each other
            name = name.with_name(f"{name.stem}_{place.suffix[1:]}.png")
        taken.add(name)
        name.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(square(image, box, size).permute(1, 2, 0).numpy()).save(name)
    return Cropped(file, len(wanted), len(boxes), turned)
