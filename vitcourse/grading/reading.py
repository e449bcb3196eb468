"""Notebooks, known by what they hold and not by their name: whatever program has saved or packed or renamed them.

Nothing in them is believed but the text of their cells.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from vitcourse.errors import InputError
from vitcourse.grading import bounded_json
from vitcourse.grading.kinds import HEAD, OFFICE, PDF, by_content, kind, plain_text
from vitcourse.grading.outputs import clean_text
from vitcourse.grading.pieces import Piece, Room, says_notebook, unpack

SOURCES = 20 * 2**20  # characters in the cells of all notebooks of a student
CELLS, VALUES, DEPTH = 2000, 2_000_000, 100  # of one notebook, and of its JSON


@dataclass
class Cell:
    """A cell as it was handed in.

    Args:
        kind: "code", "markdown" or "raw".
        source: its text.
        grade_id: nbgrader's, where it has one.
        cell_id: the notebook's, where it has one.
    """

    kind: str
    source: str
    grade_id: str | None = None
    cell_id: str | None = None


@dataclass
class Found:
    """A file, looked at.

    Args:
        piece: the file.
        cells: what it holds, if it is a notebook.
        facts: the course's own metadata of the notebook.
        problem: why it is no notebook that can be read; "" for one.
        is_zip: whether it is a zip that could not be looked into, or holds nothing.
    """

    piece: Piece
    cells: list[Cell] = field(default_factory=list)
    facts: dict = field(default_factory=dict)
    problem: str = ""
    is_zip: bool = False

    @property
    def packed(self) -> bool:
        return self.piece.packed

    @property
    def says_notebook(self) -> bool:
        return says_notebook(self.piece.name)


def look_through(files: Iterable[Piece]) -> Iterator[Found]:
    """Every file of a student, and what lies in the zips among them; notebooks first, then zips."""
    room, sources = Room(), SOURCES
    for piece in sorted(files, key=lambda one: (not says_notebook(one.name), not one.name.lower().endswith(".zip"))):
        for found in _look(piece, room):
            size = sum(len(cell.source) for cell in found.cells)
            if size > sources:
                words = f"its cells, with those of the notebooks before it, hold more than {SOURCES // 2**20} MB"
                yield Found(found.piece, problem=words)
                continue
            sources -= size
            yield found


def _look(piece: Piece, room: Room, inside: bool = False) -> list[Found]:
    is_zip = False
    try:
        with piece.open() as file:
            head = file.read(HEAD)
            is_zip = head.startswith(b"PK") and not piece.name.lower().endswith(OFFICE)
            if is_zip and not inside:
                return _look_into(piece, head + room.read(file), room)
            if is_zip or not _may_be_notebook(piece.name, head):
                rest = room.some(file) if head.startswith(PDF) else b""
                return [Found(piece, problem="a zip inside a zip" if is_zip else kind(piece.name, head, rest))]
            file.seek(0)
            # What lies in a zip has been read by now.
            content = _parse(file.read() if inside else room.read(file))
            return [Found(piece, _cells(content), _facts(content))]
    except OSError as error:
        problem = error.strerror or "it cannot be opened"
    except InputError as error:
        problem = str(error)
    except Exception as error:  # whatever it is, it costs one file, and not the class
        problem = f"its text is damaged ({type(error).__name__})"
    return [Found(piece, problem=problem, is_zip=is_zip)]


def _look_into(piece: Piece, data: bytes, room: Room) -> list[Found]:
    found = [entry for member in unpack(piece, data, room) for entry in _look(member, room, inside=True)]
    return found or [Found(piece, problem="a zip with no file in it", is_zip=True)]


def _may_be_notebook(name: str, head: bytes) -> bool:
    """Whether a file must be read as a whole: it begins as a notebook does, or its name says that it is one."""
    return not by_content(head) and (plain_text(head).startswith("{") or says_notebook(name))


def _parse(data: bytes) -> dict:
    if not data.strip():
        raise InputError("it is empty")
    try:
        text = data.decode(json.detect_encoding(data), "surrogatepass")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # an editor on Windows has saved it
    content = bounded_json.loads(text.removeprefix("\ufeff"), VALUES, DEPTH)
    if not isinstance(content, dict):
        raise InputError("it is no notebook")
    return content


def _facts(content: dict) -> dict:
    metadata = content.get("metadata")
    facts = metadata.get("vitcourse") if isinstance(metadata, dict) else None
    facts = facts if isinstance(facts, dict) else {}
    return {name: text for name in ("lesson", "kind") if isinstance(text := facts.get(name), str)}


def _cells(content: dict) -> list[Cell]:
    """The cells of a notebook, of this format or of the one before it.

    Raises:
        InputError: there are none, or too many.
    """
    sheets = content.get("worksheets")
    holders = [content, *(sheets if isinstance(sheets, list) else [])]
    lists = [
        holder["cells"] for holder in holders if isinstance(holder, dict) and isinstance(holder.get("cells"), list)
    ]
    if not lists:
        raise InputError("it has no cells")
    cells = [cell for cells in lists for cell in cells if isinstance(cell, dict)]
    if len(cells) > CELLS:
        raise InputError(f"it has {len(cells):,} cells, more than {CELLS:,}")
    return [_cell(cell) for cell in cells]


def _cell(cell: dict) -> Cell:
    source = cell.get("source", cell.get("input", ""))
    text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
    metadata = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
    facts = metadata.get("nbgrader")
    grade_id = facts.get("grade_id") if isinstance(facts, dict) else None
    # Colab keeps a cell's id among its metadata.
    cell_id = cell.get("id", metadata.get("id"))
    kind = cell.get("cell_type")
    return Cell(
        kind if kind in ("code", "markdown") else "raw",
        clean_text(text),
        grade_id if isinstance(grade_id, str) else None,
        cell_id if isinstance(cell_id, str) else None,
    )
