"""The list of a class: a CSV with a row for each student, or what a platform exports, which then gets the points back.

Known are Moodle's grading worksheet (``mod/assign/gradingtable.php``), Canvas's export of the gradebook
(``lib/gradebook_importer.rb``), Blackboard's of the Grade Center, and any table with a header that has a column such as
``student``, ``username``, ``id``, ``name`` or ``email``.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vitcourse.errors import DataError, some
from vitcourse.files import write_whole
from vitcourse.grading.outputs import clean_name
from vitcourse.grading.platforms import (
    BLACKBOARD,
    CANVAS,
    MOODLE,
    Person,
    called,
    canvas_student,
    moodle_student,
    names_alike,
    plain,
)
from vitcourse.grading.students import Student

KEPT = "roster.csv"
LARGEST = 20 * 2**20  # bytes
OWN = ("student", "username", "user", "login", "id", "student id", "matriculation", "number", "email", "name")
NAMES = ("name", "full name", "student name", "display name")
PARTICIPANT = re.compile(r"\D*(\d+)")


@dataclass(frozen=True)
class Roster:
    """A class.

    Args:
        file: where it was read.
        platform: whose export it is, or "".
        header: the names of the columns.
        rows: all below, the students' and others.
        people: the students, by the place of their row.
        ids: what tells each of them apart beside their name, by the place of their row.
    """

    file: Path
    platform: str
    header: list[str]
    rows: list[list[str]]
    people: dict[int, Person]
    ids: dict[int, frozenset[str]]


def read_roster(file: Path) -> Roster:
    """Reads it, whatever its encoding, and whether commas, semicolons or tabs part its columns.

    Raises:
        DataError: it cannot be read, has no column that tells who somebody is, or the same student twice.
    """
    table = _table(file)
    header, rows = [cell.strip().lstrip("\ufeff") for cell in table[0]], table[1:]
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    named = {plain(name): place for place, name in reversed(list(enumerate(header)))}
    if {"id", "section"} <= named.keys() and ("student" in named or {"lastname", "firstname"} <= named.keys()):
        platform, people, ids = CANVAS, *_canvas(named, rows)
    elif {"last name", "first name", "username"} <= named.keys():
        platform, people, ids = BLACKBOARD, *_blackboard(named, rows)
    elif len(header) > 2 and rows and _is_worksheet(rows):
        platform, people, ids = MOODLE, *_moodle(rows)
    else:
        platform, people, ids = "", *_any(named, rows, file)
    if not people:
        raise DataError("no student in it", file)
    # It becomes a folder's name.
    people = {place: replace(person, student=person.student.replace("/", "_")) for place, person in people.items()}
    if nameless := [place for place, person in people.items() if not person.student.strip(". _")]:
        raise DataError(f"no student is called {people[nameless[0]].student!r}", file, nameless[0] + 2)
    places = Counter(person.student for person in people.values())
    for place, person in people.items():
        if places[person.student] > 1:
            raise DataError(f"{person.student!r} stands in it {places[person.student]} times", file, place + 2)
    return Roster(file, platform, header, rows, people, ids)


def read_kept(root: Path, file: Path | None) -> Roster | None:
    """The roster that is given, else the one that is kept in the folder of grades, if there is one."""
    kept = root / KEPT
    return read_roster(file) if file else read_roster(kept) if kept.is_file() else None


def keep_roster(root: Path, roster: Roster | None) -> None:
    """Keeps it in the folder of grades."""
    if roster is not None and roster.file != root / KEPT:
        write_whole(root / KEPT, roster.file.read_bytes())


def _table(file: Path) -> list[list[str]]:
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise DataError(error.strerror or "it cannot be read", file) from error
    if len(data) > LARGEST:
        raise DataError(f"more than {LARGEST // 2**20} MB", file)
    form = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(form)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    if "\0" in text:
        raise DataError("no table of text", file)
    first = text.split("\n", 1)[0]
    sign = max(",;\t", key=first.count)
    try:
        table = [list(map(clean_name, row)) for row in csv.reader(io.StringIO(text), delimiter=sign) if any(row)]
    except csv.Error as error:
        raise DataError(f"no table of text ({error})", file) from error
    if not table:
        raise DataError("it is empty", file)
    return table


def _is_worksheet(rows: list[list[str]]) -> bool:
    """Whether the first column says "Participant 123", in whatever language."""
    heads = {re.sub(r"\d+$", "", row[0]) for row in rows}
    return len(heads) == 1 and bool(heads.pop().strip()) and all(PARTICIPANT.fullmatch(row[0]) for row in rows)


def _moodle(rows: list[list[str]]) -> tuple[dict, dict]:
    people = {}
    for place, row in enumerate(rows):
        number = PARTICIPANT.fullmatch(row[0])[1]
        label = f"{moodle_student(row[1], number)}_assignsubmission_file"
        people[place] = Person(moodle_student(row[1], number), row[1], MOODLE, number, label)
    return people, {place: frozenset({person.id}) for place, person in people.items()}


def _canvas(named: dict[str, int], rows: list[list[str]]) -> tuple[dict, dict]:
    people, ids = {}, {}
    logins = [named[name] for name in ("sis user id", "sis login id", "integration id") if name in named]
    for place, row in enumerate(rows):
        # Canvas can part the names, in the columns "LastName" and "FirstName".
        parts = ["student"] if "student" in named else ["lastname", "firstname"]
        name, number = ", ".join(row[named[part]].strip() for part in parts), row[named["id"]].strip()
        # Other rows hold the most points and how they are posted.
        if number.isdecimal() and "Points Possible" not in name:
            people[place] = Person(canvas_student(name, number), name, CANVAS, number)
            ids[place] = frozenset({number} | {plain(row[login]) for login in logins}) - {""}
    return people, ids


def _blackboard(named: dict[str, int], rows: list[list[str]]) -> tuple[dict, dict]:
    people = {}
    for place, row in enumerate(rows):
        if user := row[named["username"]].strip():
            name = f"{row[named['first name']]} {row[named['last name']]}".strip()
            people[place] = Person(user, name, BLACKBOARD, user)
    numbers = named.get("student id")
    extra = {place: {plain(rows[place][numbers])} if numbers is not None else set() for place in people}
    return people, {place: frozenset({plain(person.id)} | extra[place]) - {""} for place, person in people.items()}


def _any(named: dict[str, int], rows: list[list[str]], file: Path) -> tuple[dict, dict]:
    own = next((named[name] for name in OWN if name in named), None)
    if own is None:
        columns = some(sorted(named, key=named.get)) or "none"
        raise DataError(f"no column says who a student is (such as student, id, name); there are: {columns}", file, 1)
    called = next((named[name] for name in NAMES if name in named), None)
    last, first = named.get("last name", named.get("surname")), named.get("first name")
    others = [place for name, place in named.items() if name in OWN and name not in NAMES]
    people, ids = {}, {}
    for place, row in enumerate(rows):
        name = row[called] if called is not None else ""
        name = f"{row[first]} {row[last]}".strip() if not name and None not in (first, last) else name
        if student := row[own].strip():
            people[place] = Person(student, name or student)
            ids[place] = frozenset({plain(row[other]) for other in others} | {plain(student)}) - {""}
    return people, ids


def enter(students: Sequence[Student], roster: Roster) -> tuple[list[Student], list[Student], list[str]]:
    """Finds the students in the roster.

    Returns:
        The students, called as the roster calls them, where it knows them; those of the roster who have handed in
        nothing; and in words what does not fit.

    Raises:
        DataError: the roster knows none of them.
    """
    found = {student.name: _rows_of(student.person, roster) for student in students}
    # Whom a number and a name tell goes before whom a name alone tells.
    numbered = {one.name for one in students if found[one.name] & _by_id(one.person, roster)}
    claims = Counter(next(iter(places)) for places in found.values() if len(places) == 1)
    firsts = Counter(next(iter(found[name])) for name in numbered if len(found[name]) == 1)
    result, unclear, strangers = [], [], []
    for student in students:
        places = found[student.name]
        place = next(iter(places)) if len(places) == 1 else None
        if claims[place] == 1 or (student.name in numbered and firsts[place] == 1):
            result.append(_called(student, roster.people[place]))
        else:
            (unclear if places else strangers).append(student.name)
            result.append(student)
    if students and not claims:
        ours, theirs = (
            some(student.name for student in students),
            some(called(person.student, person.name) for person in roster.people.values()),
        )
        raise DataError(f"of those who handed in ({ours}) none stands in it ({theirs})", roster.file)
    there = {student.name for student in result}
    lines = [f"handed in, but not in the roster: {some(strangers)}"] if strangers else []
    lines += [f"the roster does not tell who of several students of one name it is: {some(unclear)}"] if unclear else []
    absent = [person for person in roster.people.values() if person.student not in there]
    missing = [Student(person, Path(), person.student) for person in absent]
    return sorted(result, key=lambda student: student.name), missing, lines


def _rows_of(person: Person, roster: Roster) -> set[int]:
    """The places of the rows that may be a student's: by what the platform calls them, by an id, or by the name."""
    same = {place for place, entry in roster.people.items() if entry.student == person.student}
    by_id = _by_id(person, roster)
    if same or (by_id and roster.platform == person.platform):
        return same or by_id
    forms = names_alike(person.name or person.student)
    alike = {place for place, entry in roster.people.items() if forms & names_alike(entry.name)}
    # A number of one platform may be somebody else's on another.
    return by_id & alike or alike or (by_id if not person.platform or not person.name else set())


def _by_id(person: Person, roster: Roster) -> set[int]:
    own = plain(person.id or person.student)
    return {place for place, ids in roster.ids.items() if own in ids}


def _called(student: Student, entry: Person) -> Student:
    name = entry.name or student.person.name

    def renamed(person: Person) -> Person:
        # A folder that no platform has named goes back to the one that the roster tells.
        return replace(person if person.platform else entry, student=entry.student, name=name)

    files = [(found, renamed(person)) for found, person in student.files]
    return replace(student, person=renamed(student.person), files=files)
