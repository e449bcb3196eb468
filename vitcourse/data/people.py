"""Identity folders: a folder that holds one folder of pictures for each person, named after the person.

`read` looks at all of it before anything is decoded; `divide` shares each person's pictures out among train, valid and
test, so that pictures of one moment stay together.
"""

import hashlib
import unicodedata
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from vitcourse.data.copies import Copy, find_copies
from vitcourse.data.exports.roboflow import DataNote
from vitcourse.data.images import SUFFIXES, measure
from vitcourse.errors import DataError, InputError, one_line, some

PARTS = ("train", "valid", "test")
# Two pictures of a person that agree so well are taken as one moment. Pictures of one face are always somewhat alike:
# of 1,800 pairs in the ORL set half lie above 0.79, and 13 above this, which the eye takes for frames of one shot.
SAME_MOMENT = 0.95

People = dict[str, list[Path]]


def read(root: str | Path) -> People:
    """The pictures of each person, people and pictures in the order of their names.

    What is hidden (a name with a dot in front) is passed over; so is what is no picture by its name, with a `DataNote`.

    Raises:
        DataError: there are fewer than two people, two folders of one name, a folder within a person's, a link that
            leads out of the folder, a picture that cannot be read, or the same picture under two names.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError("there is no such folder", root)
    people: People = {}
    for folder in _entries(root):
        _stays_inside(folder, root)
        if not folder.is_dir():
            continue
        name = unicodedata.normalize("NFC", folder.name)  # an accent may be a letter of its own, as on a Mac
        if name in people:
            raise DataError(f"there are two folders of the name {name!r}, which differ in how it is spelled", root)
        people[name] = _pictures(folder, root)
    if len(people) < 2:
        found = f"only {some(people)}" if people else "none"
        raise DataError(f"one folder for each of two people or more is expected in it, found {found}", root)
    _no_two_names(people)
    return people


def _entries(folder: Path) -> list[Path]:
    return sorted((entry for entry in folder.iterdir() if not entry.name.startswith(".")), key=lambda entry: entry.name)


def _stays_inside(entry: Path, root: Path) -> None:
    if entry.is_symlink() and not entry.resolve().is_relative_to(root.resolve()):
        raise DataError("it is a link that leads out of the folder", entry)


def _pictures(folder: Path, root: Path) -> list[Path]:
    found, passed = [], []
    for file in _entries(folder):
        _stays_inside(file, root)
        if file.is_dir():
            raise DataError("it is a folder within a person's; pictures are expected there", file)
        if file.suffix.lower() not in SUFFIXES:
            passed.append(file.name)
            continue
        try:
            measure(file)
        except (OSError, ValueError) as error:
            raise DataError(one_line(error), folder) from error
        found.append(file)
    if passed:
        warnings.warn(DataNote(f"{folder}: passed over, no pictures by their names: {some(passed)}"), stacklevel=4)
    return found


def _no_two_names(people: People) -> None:
    """A picture under two names would teach two answers to one question."""
    owner: dict[str, tuple[str, Path]] = {}
    for name, files in people.items():
        for file in files:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            other, first = owner.setdefault(digest, (name, file))
            if other != name:
                raise DataError(f"it is the same picture as {first}, of {other!r}", file)


def divide(
    root: Path,
    people: People,
    valid: float,
    test: float,
    least: int,
    seed: int,
    few: str,
    copies: Iterable[Copy] | None = None,
) -> dict[str, dict[str, list[Path]]]:
    """The pictures of each person of a folder in each of `PARTS`; see `data.faces.load`."""
    if min(valid, test) < 0 or not valid + test < 1:
        raise InputError(f"valid and test must be shares that leave some for train, got {valid} and {test}")
    if least < 1:
        raise InputError(f"least must be 1 or more, got {least}")
    if few not in ("refuse", "skip"):
        raise InputError(f"few must be 'refuse' or 'skip', got {few!r}")
    shares = {"valid": valid, "test": test}
    wanted = f"{least} in each of {', '.join(['train', *(part for part, share in shares.items() if share)])}"
    copies = None if copies is None else list(copies)
    divided, too_few = {}, []
    for name, files in people.items():
        moments = _moments(files, find_copies(files, threshold=SAME_MOMENT) if copies is None else copies)
        parts = _shared_out(moments, shares, least, [seed, *name.encode("utf-8", "surrogatepass")])
        if parts is None:
            too_few.append(f"{name} ({len(files)})")
        else:
            divided[name] = parts
    if too_few and few == "refuse":
        raise DataError(f"too few pictures, near copies counted once, for {wanted}: {some(too_few)}", root)
    if len(divided) < 2:
        raise DataError(f"fewer than two people have enough pictures for {wanted}; too few: {some(too_few)}", root)
    if too_few:
        warnings.warn(DataNote(f"{root}: people left out, too few pictures: {some(too_few)}"), stacklevel=3)
    return divided


def _moments(files: list[Path], pairs: Iterable[Copy]) -> list[list[Path]]:
    """The pictures in groups: those of a pair are in one."""
    group = {str(file): [file] for file in files}
    for pair in pairs:
        one, other = group.get(pair.first), group.get(pair.second)
        if one is not None and other is not None and one is not other:
            one += other
            group |= {str(file): one for file in other}
    return list({id(own): own for own in group.values()}.values())


def _shared_out(
    moments: list[list[Path]], shares: dict[str, float], least: int, seed: list[int]
) -> dict[str, list[Path]] | None:
    """Whole groups, the largest first, each to the part that lacks most; None where one gets too few."""
    count = sum(map(len, moments))
    wanted = {part: max(least, round(share * count)) if share else 0 for part, share in shares.items()}
    wanted = {"train": count - sum(wanted.values())} | wanted
    if wanted["train"] < least:
        return None
    parts: dict[str, list[Path]] = {part: [] for part in PARTS}
    filled = [part for part in PARTS if wanted[part]]
    order = np.random.default_rng(seed).permutation(len(moments))
    for own in sorted((moments[i] for i in order), key=len, reverse=True):
        part = max(filled, key=lambda part: wanted[part] - len(parts[part]))
        parts[part] += own
    if any(len(parts[part]) < least for part in filled):
        return None
    return {part: sorted(own) for part, own in parts.items()}
