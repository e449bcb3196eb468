"""Names of files as cameras and systems write them, and the photos of a folder, found by what annotations call them.

One name has several spellings: macOS stores an accent apart from its letter where others store both as one, a camera
writes .JPG where an export says .jpg, and some tools drop the suffix. Such a photo is found, if it is the only one.
What is merely like a name (another suffix, small letters, another blank) is not taken for it, but a message names it.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from vitcourse.data.images import SUFFIXES
from vitcourse.errors import DataError, shown, some

NO_PHOTOS = (".txt", ".xml", ".json", ".csv", ".cache")  # what stands beside photos under their names
# Embeddings, overrides and isolates: they turn the direction of all that is written after them.
TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))


def unfit(name: str) -> str:
    """Why a name cannot stand in a line of text as it is; empty where it can, whatever its blanks and letters are."""
    for character in name:
        kind, number = unicodedata.category(character), f"U+{ord(character):04X}"
        if kind in ("Cc", "Zl", "Zp"):
            return f"it holds {number}, a character that controls or breaks a line"
        if kind == "Cs":
            return "it is not written in UTF-8"
        if character in TURNING:
            return f"it holds {number}, which turns the direction of what is written after it"
    return ""


def plain_name(name: object) -> str:
    """The name of a file in the same folder. Raises ValueError where it could lead anywhere else, or see `unfit`."""
    if not isinstance(name, str) or re.search(r"[/\\]", name) or name in ("", ".", "..") or unfit(name):
        reason = f": {unfit(name)}" if isinstance(name, str) and unfit(name) else ""
        raise ValueError(f"{shown(name)} is not the plain name of a file beside the annotations{reason}")
    return name


def listed(folder: Path, suffixes: frozenset[str] = SUFFIXES) -> list[Path]:
    """The files of a folder with such suffixes (images), by name; hidden ones, which some systems leave, do not count.

    Raises:
        DataError: a name that cannot stand in a line of text.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.name[0] != ".")
    files = [path for path in paths if path.is_file()]
    for file in files:
        if reason := unfit(file.name):
            raise DataError(f"the name {shown(file.name)} cannot be shown: {reason}", folder)
    return files


def composed(name: str) -> str:
    """A name with each accent in one character with its letter."""
    return unicodedata.normalize("NFC", name)


class Photos:
    """The photos of a folder: ``files``, by name.

    Raises:
        DataError: a name that cannot stand in a line of text.
    """

    def __init__(self, folder: Path):
        self.folder, self.files = folder, listed(folder)
        self._others = {path.name: path for path in folder.iterdir()}
        self._spelled = [_grouped(self.files, key) for key in (composed, _small_suffix, _stem)]

    def find(self, name: str, *akin: str) -> Path:
        """The photo that an annotation calls by a name, of this spelling or another.

        Args:
            akin: other names that the photo may go by, for the message.

        Raises:
            ValueError: it is missing, or several could be meant.
        """
        path = self._others.get(name)
        if path is not None and path.is_file():
            return path
        for found, key in zip(self._spelled, (composed, _small_suffix, composed), strict=True):
            if len(same := found.get(key(name), [])) > 1:
                raise ValueError(f"{some([name])} may be any of {some(file.name for file in same)}")
            if same:
                return same[0]
        what = f"the image {some([name])} is missing"
        if path is not None:
            raise ValueError(f"{what}: what has this name is no file")
        raise ValueError(what + self.hint(name, *akin))

    def hint(self, *names: str) -> str:
        """The end of a message that a photo is missing: the files that have like names."""
        wanted = {key for name in names for key in _alike(name)}
        near = [name for name in sorted(self._others) if wanted & _alike(name) and not unfit(name) and name[0] != "."]
        near = [name for name in near if not name.lower().endswith(NO_PHOTOS)]
        unread = near and not any(Path(name).suffix.lower() in SUFFIXES for name in near)
        end = f" ({', '.join(sorted(SUFFIXES))} are read)" if unread else ""
        return f"; {some(near)} {'is' if len(near) == 1 else 'are'} there{end}" if near else ""


def _grouped(files: list[Path], key: Callable[[str], str]) -> dict[str, list[Path]]:
    groups = defaultdict(list)
    for file in files:
        groups[key(file.name)].append(file)
    return groups


def _stem(name: str) -> str:
    return composed(Path(name).stem)


def _small_suffix(name: str) -> str:
    suffix = Path(name).suffix
    return composed(name.removesuffix(suffix)) + suffix.lower()


def _alike(name: str) -> set[str]:
    """What names that a person may take for one another have in common."""
    ends = (name, unquote(name))
    ends = {*ends, *(end[: -len(Path(end).suffix)] for end in ends if Path(end).suffix)}
    return {" ".join(unicodedata.normalize("NFKC", end).casefold().split()) for end in ends}
