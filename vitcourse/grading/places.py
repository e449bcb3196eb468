"""What stands at the top of a folder of submissions, or of the zip in which a learning platform packs them.

A zip is read where it lies: nothing of it is written, and each student's share of it has an end of its own.
"""

import datetime
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vitcourse.errors import InputError
from vitcourse.grading.outputs import clean_name
from vitcourse.grading.pieces import FILES, Piece, is_junk, open_zip, pieces, refusing, why_closed
from vitcourse.grading.platforms import by_name

MEMBERS, LIST = 200_000, 64 * 2**20  # files in the zip of a class, and bytes of its list of contents


@dataclass(frozen=True)
class Top:
    """One folder or file at the top.

    Args:
        name: as it lies there.
        path: where; in a zip, below the zip.
        folder: whether it is a folder.
        packed: whether it lies in a zip.
        pieces: gives its files.
    """

    name: str
    path: Path
    folder: bool
    packed: bool
    pieces: Callable[[], Iterable[Piece]]


def tops(place: Path) -> list[Top]:
    """All at the top of a folder, or of a zip, by name.

    Raises:
        InputError: it is neither, or a zip that cannot be read.
    """
    if place.is_dir():
        paths = sorted(place.iterdir())
        return [Top(path.name, path, path.is_dir(), False, lambda path=path: pieces(path)) for path in paths]
    if not place.exists():
        raise InputError(f"{place}: no such folder")
    try:
        archive = open_zip(io.FileIO(place), LIST)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        why = str(error) if isinstance(error, InputError) else "neither a folder nor a zip that can be read"
        raise InputError(f"{place}: {why}") from error
    infos = [info for info in archive.infolist() if not is_junk(info)]
    if len(infos) > MEMBERS:
        raise InputError(f"{place}: a zip of {len(infos):,} files, more than {MEMBERS:,}")
    if infos and all(info.flag_bits & 1 for info in infos if not info.is_dir()):
        raise InputError(f"{place}: an encrypted zip")
    return _grouped(place, archive, infos)


def _grouped(place: Path, archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> list[Top]:
    groups: dict[str, list[tuple[tuple[str, ...], zipfile.ZipInfo]]] = {}
    members = [(parts, info) for info in infos if (parts := _parts(info))]
    while _is_wrapped(members):
        members = [(parts[1:], info) for parts, info in members if parts[1:]]
    for parts, info in members:
        groups.setdefault(parts[0], []).append((parts, info))
    return [
        Top(
            name,
            place / name,
            any(len(parts) > 1 or info.is_dir() for parts, info in group),
            True,
            lambda group=group: _files(place, archive, group),
        )
        for name, group in sorted(groups.items())
    ]


def _parts(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """The folders above a file, and its name; of a path that leads out of the zip, from a student's folder on."""
    whole = PurePosixPath(info.filename.replace("\\", "/")).parts
    parts = tuple(part for part in whole if part not in ("/", ".", ".."))
    owned = [place for place, part in enumerate(parts) if by_name(part)] if ".." in whole else []
    return parts[owned[0] :] if owned else parts


def _is_wrapped(members: list[tuple[tuple[str, ...], zipfile.ZipInfo]]) -> bool:
    """Whether all lies in one folder that is no student's, as some programs pack it."""
    firsts = {parts[0] for parts, _ in members}
    if len(firsts) != 1 or by_name(*firsts):
        return False
    folders = {parts[1] for parts, _ in members if len(parts) > 2}
    return len(folders) > 1 or any(by_name(part) for parts, _ in members for part in parts[1:])


def _files(place: Path, archive: zipfile.ZipFile, group: list[tuple[tuple[str, ...], zipfile.ZipInfo]]):
    files = sorted(((parts, info) for parts, info in group if not info.is_dir()), key=lambda one: (len(one[0]), one[0]))
    for parts, info in files[:FILES]:
        shown = parts[1:] or parts
        hidden = any(part.startswith(".") for part in shown)
        yield Piece(
            clean_name("/".join(shown)), place.joinpath(*parts), _changed(info), hidden, _opening(archive, info)
        )
    if len(files) > FILES:
        yield Piece("the files below", place, (0.0,), False, refusing(f"only the first {FILES:,} files are looked at"))


def _changed(info: zipfile.ZipInfo) -> tuple[float]:
    try:
        return (datetime.datetime(*info.date_time).timestamp(),)
    except (ValueError, OverflowError, OSError):
        return (0.0,)


def _opening(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def open_() -> BinaryIO:
        if why := why_closed(info):
            raise InputError(why)
        try:
            return _Member(archive.open(info))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise InputError("it is damaged in the zip") from error

    return open_


class _Member(io.BufferedReader):
    """A file in the zip of a class; what is damaged in it is said in words."""

    def read(self, size: int | None = -1) -> bytes:
        try:
            return super().read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise InputError("it is damaged in the zip") from error
