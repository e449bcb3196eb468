"""What has been graded, kept as it goes: a line for each submission, the last one for a student and lesson counts.

A grading that was broken off goes on from here, one student is graded again and the others stay, parts are joined, and
an appeal is replayed: with the seed, which lies beside it for the instructor alone, and the versions.
"""

import hashlib
import json
import os
import platform
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.files import write_whole
from vitcourse.grading.grades import Row
from vitcourse.grading.late import Policy
from vitcourse.grading.master import Master
from vitcourse.grading.platforms import Person
from vitcourse.grading.submissions import Submission

LINES, SEED = "graded.jsonl", "seed.txt"
BY_HAND = """
SELECT submitted_assignment.student_id, assignment.name, base_cell.name, marks.value
FROM (
    SELECT cell_id, notebook_id, manual_score AS value FROM grade
    UNION ALL SELECT cell_id, notebook_id, manual_comment FROM comment
) AS marks
JOIN base_cell ON base_cell.id = marks.cell_id
JOIN submitted_notebook ON submitted_notebook.id = marks.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
WHERE marks.value IS NOT NULL
ORDER BY 1, 2, 3, 4
"""


@dataclass
class Entry:
    """One submission, graded.

    Args:
        lesson: the assignment.
        person: the student, with what the platform says of the file; ``late`` is what the policy says.
        rows: of the table.
        problems: lines for the instructor.
        by_hand: answers that wait for manual points.
        page: the feedback page, below the folder; "" where there is none.
        digest: of what was handed in.
        seed: the fingerprint of the seed.
        versions: of what has graded it.
        hand: a mark of the points and comments given by hand by then.
        when: it was graded.
    """

    lesson: str
    person: Person
    rows: list[Row]
    problems: list[str] = field(default_factory=list)
    by_hand: int = 0
    page: str = ""
    digest: str = ""
    seed: str = ""
    versions: str = ""
    hand: str = ""
    when: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.person.student, self.lesson


class Ledger:
    """The entries of a folder of grades, by student and lesson. Nothing is written before the first one is added.

    Args:
        root: the folder.
        keep: False begins anew.
    """

    def __init__(self, root: Path, keep: bool = True):
        self.root, self.file, self.entries, self.new = root, root / LINES, {}, True
        with suppress(OSError):
            for line in self.file.read_text(encoding="utf-8").split("\n") if keep else ():
                with suppress(ValueError, TypeError, KeyError):  # what was cut off when the machine stopped
                    entry = _read(json.loads(line))
                    self.entries[entry.key] = entry

    def add(self, entry: Entry) -> None:
        """Keeps an entry at once, whatever comes after."""
        entry.when = datetime.now(UTC).isoformat(timespec="seconds")
        self.entries[entry.key] = entry
        if self.new:
            self.write()
        else:
            with self.file.open("ab") as file:
                file.write(_line(entry))

    def write(self) -> None:
        """Writes all entries, in place of what is there."""
        write_whole(self.file, b"".join(map(_line, self.all())))
        self.new = False

    @property
    def rows(self) -> list[Row]:
        """The table."""
        return [row for entry in self.all() for row in entry.rows]

    @property
    def names(self) -> dict[str, str]:
        """The students' names, as far as they are told, by what the table calls them."""
        return {entry.person.student: entry.person.name for entry in self.all()}

    def all(self) -> list[Entry]:
        """In the order of the table."""
        return [self.entries[key] for key in sorted(self.entries)]


def _line(entry: Entry) -> bytes:
    return (json.dumps(asdict(entry)) + "\n").encode()


def _read(plain: dict) -> Entry:
    known = {one.name for one in fields(Row)}
    plain["rows"] = [Row(**{name: row[name] for name in row.keys() & known}) for row in plain["rows"]]
    return Entry(**plain | {"person": Person(**plain["person"])})


@cache
def fingerprint(seed: str) -> str:
    """Tells seeds apart and does not give them away; a short seed could still be guessed."""
    return hashlib.scrypt(seed.encode(), salt=b"vitcourse", n=2**14, r=8, p=1, dklen=8).hex()


@cache
def versions() -> str:
    names = ("vitcourse", "torch", "nbgrader")
    return ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in names)])


def digest(submission: Submission, master: Master, policy: Policy) -> str:
    """Of what was handed in, as far as it is graded, of what was asked for, and of what lateness costs."""
    cells = []
    for entry in (submission, *submission.rivals):
        late = policy.lateness(entry)
        cells.append([entry.name, late.total_seconds(), policy.points(100, late)])
        cells += [[cell.kind, cell.source, cell.grade_id, cell.cell_id] for cell in entry.cells]
    asked = [*(cell.source for cell in master.notebook.cells), repr(list(master.tasks.values()))]
    text = json.dumps([submission.problem, submission.detail, cells, asked])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def by_hand(root: Path) -> dict[tuple[str, str], str]:
    """A mark of the points and comments given by hand, by nbgrader's name of a student (`as_id`) and lesson."""
    marks: dict[tuple[str, str], str] = {}
    if (root / "gradebook.db").is_file():
        with closing(sqlite3.connect(root / "gradebook.db")) as gradebook, suppress(sqlite3.Error):
            for student, lesson, *given in gradebook.execute(BY_HAND):
                whole = f"{marks.get((student, lesson), '')}{given}"
                marks[student, lesson] = hashlib.sha256(whole.encode()).hexdigest()[:16]
    return marks


def keep_seed(root: Path, seed: str) -> None:
    """Writes the seed where only its owner may read it."""
    with suppress(FileNotFoundError):
        (root / SEED).unlink()
    with os.fdopen(os.open(root / SEED, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(seed)


def kept_seed(root: Path, seed: str | None, again: bool) -> str:
    """The seed to grade with: the one that is given, else the one that is kept.

    Args:
        root: the folder of grades.
        seed: what is given.
        again: whether part of the class stays as it was graded.

    Raises:
        InputError: there is none, or part of the class was graded with another one.
    """
    kept = None
    with suppress(OSError):
        kept = (root / SEED).read_text(encoding="utf-8")
    if seed == "":
        raise InputError("the seed is empty")
    if seed is None and kept is None:
        raise InputError(f"Missing option '--seed': {root} keeps none")
    if again and kept is not None and seed not in (None, kept):
        raise InputError(f"{root}: the others were graded with another seed; without --seed it is used again")
    return kept if seed is None else seed
