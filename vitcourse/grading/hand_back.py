"""What goes back: totals, the table that each learning platform imports, and the pages as it takes them.

All is made from the ledger, at the end of each grading. Points go back as they are; what a platform counts as most is
not changed, and named where it differs.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vitcourse.errors import one_line
from vitcourse.files import whole_file, write_whole
from vitcourse.grading.grades import inert
from vitcourse.grading.ledger import Entry
from vitcourse.grading.platforms import BLACKBOARD, CANVAS, MOODLE, Person, plain
from vitcourse.grading.roster import Roster

TOTALS, UPLOAD = "totals.csv", "upload"
WORKSHEET = ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"]
GRADEBOOK = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
PARTED = ["LastName", "FirstName"]
CENTER = ["Last Name", "First Name", "Username"]
STUDENTS_OWN = {plain(name) for name in (*GRADEBOOK, *CENTER, "Integration ID", "Root Account", "Student ID", *PARTED)}
NUMBER = re.compile(r"-|-?\d+([.,]\d+)*%?")


class Totals:
    """Points by student and lesson."""

    def __init__(self, entries: Sequence[Entry]):
        self.people: dict[str, list[Person]] = {}
        self.handed_in: dict[tuple[str, str], Person] = {}
        self.points: dict[tuple[str, str], float] = {}
        self.most: dict[str, float] = {}
        self.late: dict[str, list[str]] = {}
        for entry in entries:
            student = entry.person.student
            self.people.setdefault(student, []).append(entry.person)
            self.handed_in[entry.key] = entry.person
            self.points[entry.key] = sum(row.points for row in entry.rows)
            self.most[entry.lesson] = sum(row.max_points for row in entry.rows)
            self.late.setdefault(student, []).extend([entry.lesson] if entry.person.late else [])

    def person(self, student: str, platform: str = "") -> Person | None:
        """As one platform knows them, or whoever knows most."""
        known = [person for person in self.people[student] if not platform or person.platform == platform]
        return max(known, key=lambda person: (bool(person.label), bool(person.name)), default=None)


def hand_back(root: Path, entries: Sequence[Entry], roster: Roster | None) -> list[str]:
    """Writes ``totals.csv``, and into ``upload`` what the platforms take of those who handed in there.

    Args:
        root: the folder of grades.
        entries: all of the class.
        roster: a platform's own export is filled in.

    Returns:
        What the instructor should know.
    """
    totals, notes = Totals(entries), []
    with _file(root / TOTALS, notes) as file:
        write_whole(file, _csv(_totals(totals)))
    platforms = {entry.person.platform for entry in entries} | ({roster.platform} if roster else set())
    for platform in sorted(platforms - {""}):
        own = roster if roster is not None and roster.platform == platform else None
        if platform == MOODLE:
            for lesson in totals.most:
                with _file(root / UPLOAD / f"moodle_{lesson}.csv", notes) as file:
                    table, note = _worksheet(totals, lesson, own)
                    write_whole(file, _csv(table))
                    notes += [note] if note else []
        else:
            with _file(root / UPLOAD / f"{platform}.csv", notes) as file:
                write_whole(file, _csv(_gradebook(totals, own) if platform == CANVAS else _center(totals, own)))
        for lesson in totals.most:
            pages = [entry for entry in entries if (entry.lesson, entry.person.platform) == (lesson, platform)]
            with _file(root / UPLOAD / f"{platform}_{lesson}_feedback.zip", notes) as file:
                _pack(root, file, filter(lambda entry: entry.page, pages))
    return notes


@contextmanager
def _file(file: Path, notes: list[str]) -> Iterator[Path]:
    """A file to write; one that cannot be written becomes a note, and the others are written all the same."""
    try:
        yield file
    except Exception as error:
        notes.append(f"{file} could not be written ({getattr(error, 'strerror', None) or one_line(error)})")


def _totals(totals: Totals) -> Iterable[list[str]]:
    lessons = list(totals.most)
    columns = [column for lesson in lessons for column in (lesson, f"{lesson}_max")]
    yield ["student", "name", "id", "late", *columns, "total", "max"]
    for student in totals.people:
        person, numbers = totals.person(student), []
        for lesson in lessons:
            there = (student, lesson) in totals.points
            numbers += [totals.points[student, lesson], totals.most[lesson]] if there else [None, None]
        both = [sum(number or 0 for number in numbers[side::2]) for side in (0, 1)]
        yield [student, person.name, person.id, " ".join(totals.late[student]), *map(_number, [*numbers, *both])]


def _worksheet(totals: Totals, lesson: str, roster: Roster | None) -> tuple[list[list[str]], str]:
    """Moodle's, for one assignment; and in words whether its most, or its students' numbers, are others."""
    most = totals.most[lesson]
    theirs = {person.student: person.id for person in roster.people.values()} if roster else {}
    ours = {
        one: person for (one, own), person in totals.handed_in.items() if own == lesson and person.platform == MOODLE
    }
    # Moodle numbers students anew for each assignment.
    new = {student: person for student, person in ours.items() if person.id not in ("", theirs.get(student))}
    if roster is None or new.keys() & theirs.keys():
        rows = [
            [f"Participant {person.id}", person.name, _number(totals.points[student, lesson]), _number(most), "-"]
            for student, person in new.items()
        ]
        words = "the roster is the worksheet of another assignment; this one is in English, with those who handed in"
        return [WORKSHEET, *rows], f"moodle_{lesson}.csv: {words}" if roster else ""
    where, top = _grade_column(roster)
    comma = top is not None and any("," in roster.rows[place][top] for place in roster.people)
    rows = [roster.header]
    for place, person in roster.people.items():
        row = list(roster.rows[place])
        if where is not None and (person.student, lesson) in totals.points:
            points = _number(totals.points[person.student, lesson])
            row[where] = points.replace(".", ",") if comma else points
        rows.append(row)
    theirs = {roster.rows[place][top].replace(",", ".") for place in roster.people} if top is not None else set()
    other = [text for text in theirs if NUMBER.fullmatch(text) and text != "-" and float(text) != most]
    if not other:
        return rows, ""
    return rows, f"Moodle's roster says at most {float(other[0]):g} points; {lesson} has {most:g}: set it so in Moodle"


def _grade_column(roster: Roster) -> tuple[int | None, int | None]:
    """Where the grade stands in Moodle's worksheet, and the most: by name in English, else by what is in it."""
    header = list(map(plain, roster.header))
    if "grade" in header:
        return header.index("grade"), header.index("maximum grade") if "maximum grade" in header else None
    for column in range(3, len(header)):
        cells = {roster.rows[place][column] for place in roster.people}
        if len(cells) == 1 and NUMBER.fullmatch(cell := cells.pop()) and cell != "-":
            return column - 1, column
    return None, None


def _gradebook(totals: Totals, roster: Roster | None) -> list[list[str]]:
    """Canvas's, with a row that says the most of each column."""
    if roster is None:
        own = len(GRADEBOOK)
        known = [(student, totals.person(student, CANVAS)) for student in totals.people]
        rows = {student: [person.name, person.id, "", "", ""] for student, person in known if person}
        header, kept = GRADEBOOK, {}
    else:
        header, rows, kept, own = _own_columns(totals, roster)
    lessons = list(totals.most)
    columns = [roster.header[kept[lesson]] if lesson in kept else lesson for lesson in lessons]
    top = next((row for row in roster.rows if "Points Possible" in row[0]), None) if roster else None
    most = [top[kept[lesson]] if top and lesson in kept else _number(totals.most[lesson]) for lesson in lessons]
    return [[*header, *columns], ["    Points Possible", *[""] * (own - 1), *most], *_filled(totals, rows)]


def _center(totals: Totals, roster: Roster | None) -> list[list[str]]:
    """Blackboard's."""
    if roster is None:
        header, kept, rows = CENTER, {}, {}
        for student in totals.people:
            if person := totals.person(student, BLACKBOARD):
                first, _, last = person.name.rpartition(" ")
                rows[student] = [last, first, person.id]
    else:
        header, rows, kept, _ = _own_columns(totals, roster)
    columns = [roster.header[kept[lesson]] if lesson in kept else lesson for lesson in totals.most]
    return [[*header, *columns], *_filled(totals, rows)]


def _own_columns(totals: Totals, roster: Roster) -> tuple[list[str], dict[str, list[str]], dict[str, int], int]:
    """Of a platform's export: the columns that say who somebody is, their rows, and the columns of our lessons."""
    own = [column for column, name in enumerate(roster.header) if plain(name) in STUDENTS_OWN]
    rows = {person.student: [roster.rows[place][column] for column in own] for place, person in roster.people.items()}
    kept = {}
    for lesson in totals.most:
        names = lesson, f"{lesson.partition('_')[2]}_exercises"
        fitting = [
            column
            for column, name in enumerate(roster.header)
            if any(one in re.sub(r"\W+", "_", plain(name)) for one in names)
        ]
        kept |= {lesson: fitting[0]} if len(fitting) == 1 else {}
    return [roster.header[column] for column in own], rows, kept, len(own)


def _filled(totals: Totals, rows: dict[str, list[str]]) -> Iterable[list[str]]:
    for student, row in rows.items():
        yield [*row, *(_number(totals.points.get((student, lesson))) for lesson in totals.most)]


def _pack(root: Path, file: Path, entries: Iterable[Entry]) -> None:
    """A zip of pages, each under the name by which the platform knows whose it is."""
    with whole_file(file) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            page, person = root / entry.page, entry.person
            label = person.id if person.platform == BLACKBOARD else person.label
            if label and page.is_file():
                archive.write(page, f"{label}{'/' if person.platform == MOODLE else '_'}{page.name}")


def _number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 2):g}"


def _csv(table: Iterable[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    safe = ([cell if NUMBER.fullmatch(cell) else inert(cell) for cell in row] for row in table)
    csv.writer(text).writerows(safe)
    return text.getvalue().encode()
