"""The errors that a person can cause and mend.

Everything here is a ``ValueError`` whose message is one line that names the culprit. The command line prints that line
and exits with status 2; anything else that escapes is a fault of the package and keeps its traceback.
"""

from collections.abc import Iterable
from pathlib import Path
from reprlib import Repr

MOST = 5  # names in a message
LONGEST = 100  # letters of one
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


class InputError(ValueError):
    """Something that the user gave cannot be used."""


class DataError(InputError):
    """A data set that cannot be read as it stands.

    Args:
        problem: what is wrong, with the offending values.
        file: the file at fault.
        row: the line in that file, counted from 1 and including the header, as an editor counts.

    The message reads ``FILE, row N: problem``.
    """

    def __init__(self, problem: str, file: str | Path | None = None, row: int | None = None):
        self.problem, self.file, self.row = problem, None if file is None else Path(file), row
        where = "" if file is None else f"{file}: " if row is None else f"{file}, row {row}: "
        super().__init__(where + problem)


class CheckpointError(InputError):
    """A run folder or weights file that is missing, damaged or of another kind. The message starts with its path."""

    def __init__(self, problem: str, file: str | Path):
        self.problem, self.file = problem, Path(file)
        super().__init__(f"{file}: {problem}")


def one_line(error: BaseException | str, length: int = 300) -> str:
    """The message of any error on one line, cut where it is long; its type's name where it has none."""
    message = " ".join(str(error).split()) or type(error).__name__
    return message if len(message) <= length else message[:length] + " …"


def shown(value: object) -> str:
    """A value as a message names it: on one line, and cut where it is long."""
    return _SHORT.repr(value)


def some(names: Iterable[str], most: int = MOST) -> str:
    """The first names for one line, cut where they are long, and the number of the others.

    What cannot be seen or told apart in them, as a narrow blank, is spelled out.
    """
    names = [name if repr(name)[1:-1] == name else shown(name) for name in names]
    first = ", ".join(name if len(name) <= LONGEST else f"{name[:LONGEST]}…" for name in names[:most])
    return first if len(names) <= most else f"{first} and {len(names) - most:,} more"
