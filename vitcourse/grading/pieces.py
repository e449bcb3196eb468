"""The files that a student has handed in, those in zips included. Nothing is written, and no link is followed.

A file is opened when it is asked for; what is read of it, and of a zip altogether, has an end.
"""

import contextlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vitcourse.errors import InputError
from vitcourse.grading.outputs import clean_name

FILES = 1000  # of one student, and in one zip
LARGEST = 64 * 2**20  # bytes of all that is read of a student's files, and of the zips among them
LIST = 2**20  # bytes of the list of a zip's contents
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others cannot be unpacked piece by piece
NOTEBOOK = re.compile(r"\.ipynb(?!\.?\w)|\.ipynb(\.(txt|json|zip|download|crdownload|part))+", re.IGNORECASE)
# Folders that programs make: they hold no work, or copies of what is beside them.
JUNK = (".git", "__MACOSX", "__pycache__", "node_modules")
JUNK_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Piece:
    """One file.

    Args:
        name: as it is shown: the path below the student's folder.
        path: where it lies; in a zip, below the zip.
        changed: when, for comparison.
        hidden: it, or a folder above it, has a name that begins with a dot; programs keep their copies there.
        open: gives its bytes; raises OSError or InputError.
        packed: whether it lies in a zip.
    """

    name: str
    path: Path
    changed: tuple
    hidden: bool
    open: Callable[[], BinaryIO]
    packed: bool = False


def pieces(place: Path) -> Iterator[Piece]:
    """A file, or the files in a folder and below it, the upper ones first."""
    if place.is_symlink() or not place.is_dir():
        yield _file(place, place.parent)
        return
    folders, count = [place], 0
    for folder in folders:
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            yield Piece(_shown(folder, place.parent), folder, (0.0,), False, refusing(error.strerror or "closed"))
            continue
        for entry in entries:
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                folders += [path] if path.name not in JUNK and not has_file(path, "pyvenv.cfg") else []
            elif path.name not in JUNK_FILES and not path.name.startswith("._"):
                count += 1
                if count > FILES:
                    words = f"only the first {FILES:,} files are looked at"
                    yield Piece("the files below", place, (0.0,), False, refusing(words))
                    return
                yield _file(path, place)


def has_file(folder: Path, name: str) -> bool:
    return os.path.isfile(folder / name)  # noqa: PTH113 - Path.is_file raises where it may not look


def _file(path: Path, root: Path) -> Piece:
    parts, changed = path.relative_to(root).parts, (0.0,)
    with contextlib.suppress(OSError):
        changed = (path.lstat().st_mtime,)
    return Piece(_shown(path, root), path, changed, _is_hidden(parts), lambda: _open(path))


def _shown(path: Path, root: Path) -> str:
    return clean_name(path.relative_to(root).as_posix())


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") for part in parts)


def refusing(words: str) -> Callable[[], BinaryIO]:
    def open_() -> BinaryIO:
        raise InputError(words)

    return open_


def _open(path: Path) -> BinaryIO:
    # Not through a link, which may lead to another student's work, and not from a pipe, which would never end.
    if path.is_symlink():
        raise InputError("it is a link")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InputError("it is no file")
    return os.fdopen(descriptor, "rb")


class Room:
    """How much may still be read of one student's files, in bytes."""

    def __init__(self):
        self.left = LARGEST

    def read(self, file: BinaryIO, what: str = "it has") -> bytes:
        """All that an open file holds.

        Raises:
            InputError: it holds more than there is room for.
        """
        data = file.read(self.left + 1)
        before, self.left = self.left, max(0, self.left - len(data))
        if len(data) > before:
            beside = "" if before == LARGEST else ", with what was read before it"
            raise InputError(f"{what} more than {LARGEST // 2**20} MB{beside}")
        return data

    def some(self, file: BinaryIO) -> bytes:
        """What an open file holds, as far as there is room."""
        data = file.read(self.left)
        self.left -= len(data)
        return data


def open_zip(file: io.IOBase, most: int) -> zipfile.ZipFile:
    """A zip whose list of contents, which `zipfile` reads in one go, has at most so many bytes.

    Raises:
        InputError: it has more.
    """
    read, lists = file.read, True

    def read_a_short_list(size: int | None = -1) -> bytes:
        if lists and size is not None and size > most:
            raise InputError("a zip of too many files")
        return read(size)

    file.read = read_a_short_list
    archive, lists = zipfile.ZipFile(file), False
    return archive


def unpack(piece: Piece, data: bytes, room: Room) -> list[Piece]:
    """The files in a zip, notebooks first.

    Args:
        piece: the zip.
        data: its bytes.
        room: for what is unpacked of it.

    Raises:
        InputError: it cannot be opened; the message says what it is instead, such as "a damaged zip".
    """
    try:
        archive = open_zip(io.BytesIO(data), LIST)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise error if isinstance(error, InputError) else InputError("a damaged zip") from error
    infos = [info for info in archive.infolist() if not info.is_dir() and not is_junk(info)]
    if len(infos) > FILES:
        raise InputError(f"a zip of {len(infos):,} files, more than {FILES:,}")
    if infos and all(info.flag_bits & 1 for info in infos):
        raise InputError("an encrypted zip")
    infos.sort(key=lambda info: (not says_notebook(info.filename), info.filename.count("/")))
    return [_member(piece, archive, info, room) for info in infos]


def says_notebook(name: str) -> bool:
    """Whether a file's name says that it is a notebook: so does ``x.ipynb.txt``, but not ``x.ipynb.html``."""
    return NOTEBOOK.search(PurePosixPath(name).name) is not None


def is_junk(info: zipfile.ZipInfo) -> bool:
    *folders, name = PurePosixPath(info.filename.replace("\\", "/")).parts or ("",)
    return any(part in JUNK for part in folders) or name in JUNK_FILES or name.startswith("._")


def why_closed(info: zipfile.ZipInfo) -> str:
    """Why a file in a zip is not read; "" where it is."""
    if ".." in PurePosixPath(info.filename.replace("\\", "/")).parts:
        return "its path leads out of the zip"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link"
    if info.flag_bits & 1:
        return "it is encrypted"
    return "" if info.compress_type in METHODS else "it is packed in a way that is not read here"


def _member(piece: Piece, archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: Room) -> Piece:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    name = f"{piece.name}/{clean_name('/'.join(parts))}"

    def open_() -> BinaryIO:
        if why := why_closed(info):
            raise InputError(why)
        try:
            with archive.open(info) as file:
                return io.BytesIO(room.read(file, "the zip holds"))
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise InputError("it is damaged in the zip") from error

    changed = (*piece.changed, info.date_time)
    inner = tuple(part for part in parts if part not in ("/", ".."))
    return Piece(name, piece.path.joinpath(*inner), changed, piece.hidden or _is_hidden(parts), open_, packed=True)
