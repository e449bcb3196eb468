"""Files are written whole or not at all: a program that is killed leaves the old one or none, never half of one."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from vitcourse.errors import InputError


def check_way(folder: Path) -> None:
    """
    Raises:
        InputError: a file stands where the folder, or one that it lies in, would be.
    """
    if any(place.exists() and not place.is_dir() for place in (folder, *folder.parents)):
        raise InputError(f"{folder}: a file stands in the way of this folder")


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Gives a temporary name to write to; renamed to ``file`` at the end, removed where the writing fails.

    The bytes are on the disk before the name is: a machine that loses power has the old file or the new one.

    Raises:
        InputError: a file stands in the way of its folder.
    """
    check_way(file.parent)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    try:
        yield partial
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file whole or not at all."""
    with whole_file(file) as partial:
        partial.write_bytes(content)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Gives a temporary folder to fill; ``out`` has its content at the end, and nothing where the filling fails.

    Args:
        out: an empty folder, which is filled and not replaced (it may be the one that the user is in), or none yet.

    Raises:
        InputError: ``out`` is in use, or a file stands in its way.
    """
    out = out.resolve()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out}: exists and is not an empty folder")
    place = out if out.exists() else out.parent
    check_way(place)
    place.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=place))
    try:
        yield partial
        partial.chmod(0o755)  # mkdtemp makes folders that nobody else may read
        if place == out:
            for part in partial.iterdir():
                part.rename(out / part.name)
            partial.rmdir()
        else:
            partial.rename(out)
    except BaseException:  # an interrupt as well
        shutil.rmtree(partial, ignore_errors=True)
        raise


def write_all(files: Mapping[Path, str]) -> list[Path]:
    """Writes several text files, all or none: where one fails, those before it are as before. Gives their names."""
    made = {folder for file in files for folder in file.parents if not folder.exists()}
    written: dict[Path, bytes | None] = {}
    try:
        for file, text in files.items():
            old = file.read_bytes() if file.exists() else None
            write_whole(file, text.encode())
            written[file] = old
    except BaseException:
        for file, old in written.items():
            file.unlink() if old is None else write_whole(file, old)
        for folder in sorted(filter(Path.exists, made), reverse=True):
            folder.rmdir()
        raise
    return list(files)
