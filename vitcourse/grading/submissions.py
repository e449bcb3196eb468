"""What students have handed in, given to the lesson that it belongs to: a row and a true sentence for everybody.

Whose a file is says `students`, which lesson's it is says `lessons`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.grading.lessons import BY_A_FEW, BY_NAME, lesson_by_name, match
from vitcourse.grading.master import Master
from vitcourse.grading.outputs import NAMES, listed
from vitcourse.grading.platforms import MOODLE, Person, names_alike, plain
from vitcourse.grading.reading import Cell, Found
from vitcourse.grading.roster import Roster, enter
from vitcourse.grading.students import Student, find_students

RIVALS = 4  # each takes as long as a submission
MISSING, NO_NOTEBOOK, UNREADABLE, NOT_GRADED = "nothing-handed-in", "no-notebook", "unreadable", "not-graded"


@dataclass
class Submission:
    """One student's work for one lesson.

    Args:
        student: name of the folder or file.
        lesson: the assignment; "" where it cannot be told.
        path: the notebook; None where there is none.
        cells: its content.
        problem: None, `MISSING`, `NO_NOTEBOOK`, `UNREADABLE` or `NOT_GRADED`.
        detail: the problem in words.
        notes: what the instructor should know besides.
        name: of the notebook, below the student's folder.
        place: the student's folder or file, at the top.
        order: the higher, the more it is meant: readable, not hidden, marked as an assignment, handed in last.
        person: the student, with what the platform says of this file.
        changed: the file's time, in seconds; 0 where there is none.
        rivals: other notebooks of this student for this lesson, least meant first; the one with most points counts.
    """

    student: str
    lesson: str = ""
    path: Path | None = None
    cells: list[Cell] = field(default_factory=list)
    problem: str | None = None
    detail: str = ""
    notes: list[str] = field(default_factory=list)
    name: str = ""
    place: Path | None = None
    order: tuple = ()
    person: Person | None = None
    changed: float = 0.0
    rivals: list["Submission"] = field(default_factory=list)

    @property
    def when(self) -> float:
        """When it was handed in, as the platform says, or else when the file was changed; in seconds."""
        told = self.person and self.person.handed_in
        return told.timestamp() if told else self.changed


def collect(
    places: Sequence[Path],
    masters: Mapping[str, Master],
    *,
    ours: Iterable[Path] = (),
    say: Callable[[str], None] | None = None,
    roster: Roster | None = None,
) -> list[Submission]:
    """Every student's submissions, one for each lesson, by student and lesson.

    Args:
        places: folders that hold a folder or a file for each student, and zips in which platforms pack these.
        masters: the lessons.
        ours: files and folders there that the grader writes.
        say: is told, in one line, what at the top of the folder is nobody's; and what does not fit the roster.
        roster: gives every student of it a submission for every lesson.

    Raises:
        InputError: there are none, nothing says what they are for, or the roster fits none of them.
    """
    students, strays = find_students(places, ours)
    where = ", ".join(map(str, places))
    nobodys = f"passed over, at the top of the folder: {listed(strays)}" if strays else ""
    if not students:
        more = f"; {nobodys}" if nobodys else ""
        raise InputError(f"{where}: no submissions in it (STUDENT/name.ipynb or STUDENT.ipynb){more}")
    absent, lines = [], []
    students = _joined(students, masters, roster)
    if roster is not None:
        students, absent, lines = enter(students, roster)
    found = [entry for student in students for entry in _of_student(student, masters)]
    lessons = sorted({entry.lesson for entry in found if entry.lesson})
    if not lessons:
        if len(masters) > 1:
            seen = listed([f"{entry.student}: {entry.detail}" for entry in found if entry.detail])
            raise InputError(
                f"{where}: no notebook in it says which lesson it is for (there are: {', '.join(masters)})"
                + (f"; {seen}" if seen else "")
            )
        lessons = list(masters)
    for line in [nobodys, *lines] if say is not None else ():
        if line:
            say(line)
    # Who has handed in nothing that can be told apart has handed in nothing for every lesson that the others did.
    result = [
        Submission(**{**vars(entry), "lesson": lesson})
        for entry in found
        for lesson in ([entry.lesson] if entry.lesson else lessons)
    ]
    if roster is not None:
        there = {(entry.student, entry.lesson) for entry in result}
        # A number on a platform may be one assignment's.
        for person in [replace(student.person, id="", label="") for student in students]:
            left = [lesson for lesson in lessons if (person.student, lesson) not in there]
            result += [_missing(person, lesson, f"Nothing was handed in for {lesson}.") for lesson in left]
        result += [_missing(student.person, lesson) for student in absent for lesson in lessons]
    return sorted(result, key=lambda entry: (entry.student, entry.lesson))


def _missing(person: Person, lesson: str, detail: str = "") -> Submission:
    return Submission(person.student, lesson, problem=MISSING, detail=detail, person=person)


def _joined(students: list[Student], masters: Mapping[str, Master], roster: Roster | None) -> list[Student]:
    """Moodle numbers students anew for each assignment: of one name, in several zips for other lessons, is one student.

    Where a zip, a lesson or the roster has the name twice, they stay apart.
    """
    names = Counter(form for one in roster.people.values() for form in names_alike(one.name)) if roster else Counter()
    alike: dict[str, list[Student]] = defaultdict(list)
    result = []
    for student in students:
        name = plain(student.person.name)
        (alike[name] if student.person.platform == MOODLE and names[name] < 2 else result).append(student)
    for group in alike.values():
        if len(group) > 1 and _is_one(group, masters):
            first, *others = sorted(group, key=lambda student: int(student.person.id))
            more = [(found, replace(person, student=first.name)) for one in others for found, person in one.files]
            group = [replace(first, files=[*first.files, *more])]
        result += group
    return sorted(result, key=lambda student: student.name)


def _is_one(students: list[Student], masters: Mapping[str, Master]) -> bool:
    places = [student.place.parent for student in students]
    lessons = [entry.lesson for student in students for entry in _of_student(student, masters) if entry.lesson]
    return (len(set(places)), len(set(lessons))) == (len(places), len(lessons))


def _of_student(student: Student, masters: Mapping[str, Master]) -> list[Submission]:
    """A student's submissions: one for each lesson, or one that says what there is instead."""
    entries, passed = [], []
    for found, person in student.files:
        entry, words = _submission(student, found, person, masters)
        if entry is not None:
            entries.append(entry)
        elif not (found.piece.hidden and len(student.files) > 1):
            passed.append(f"{found.piece.name} ({words})")
    chosen = _choose(entries)
    if chosen:
        chosen[0].notes += [f"{listed(passed)} {_was(passed)} passed over"] if passed else []
        return chosen
    if not passed:
        return [Submission(student.name, problem=MISSING, place=student.place, person=student.person)]
    count = "1 file that is" if len(passed) == 1 else f"{len(passed)} files that are"
    detail = f"{count} no notebook of an assignment: {listed(passed)}"
    return [Submission(student.name, problem=NO_NOTEBOOK, detail=detail, place=student.place, person=student.person)]


def _submission(
    student: Student, found: Found, person: Person, masters: Mapping[str, Master]
) -> tuple[Submission | None, str]:
    """What a file is handed in for; or nothing, and what it is instead."""
    piece, words, strength = found.piece, found.problem, BY_NAME
    person = replace(person, name=student.person.name or person.name)
    entry = Submission(
        student.name, path=piece.path, name=piece.name, place=student.place, cells=found.cells, person=person
    )
    if found.problem:
        if not found.says_notebook:
            return None, found.problem
        entry.problem = UNREADABLE
        entry.detail = words if words.startswith(("it ", "its ", "the ")) or words[0].isupper() else f"it is {words}"
        entry.lesson = lesson_by_name(piece.path.name, masters)
    else:
        fit = match(found, masters)
        if not fit.lesson:
            return None, fit.words
        entry.lesson, strength = fit.lesson, min(fit.strength, BY_NAME)
    entry.changed = piece.changed[0]
    entry.order = (not found.problem, not piece.hidden, strength, person.time, piece.changed)
    return entry, ""


def _choose(entries: list[Submission]) -> list[Submission]:
    """One submission for each lesson; the others are its rivals, or named in its notes."""
    best: dict[str, Submission] = {}
    for entry in sorted(entries, key=lambda entry: entry.order):
        best[entry.lesson] = entry
    sure = [entry for entry in best.values() if entry.lesson and entry.order[2] > BY_A_FEW]
    if sure:
        # Beside these, a file that says nothing, or a few functions of another lesson, are no submission.
        best = {entry.lesson: entry for entry in sure}
    chosen = [best[lesson] for lesson in sorted(best)]
    taken = set(map(id, chosen))
    aside = [entry for entry in entries if id(entry) not in taken and entry.order[1]]
    for entry in chosen:
        beside = [other for other in aside if best.get(other.lesson, chosen[0]) is entry]
        entry.rivals = _rivals(entry, beside)
        own = [_aside(other) for other in beside if not any(other is rival for rival in entry.rivals)]
        entry.notes += [f"{name} was left aside" for name in own[:NAMES]]
        entry.notes += [f"{len(own) - NAMES} more were left aside"] if len(own) > NAMES else []
    return chosen


def _rivals(entry: Submission, others: list[Submission]) -> list[Submission]:
    """Those of the others that may be meant as well, and hold something else."""
    found: list[Submission] = []
    for other in sorted(others, key=lambda other: other.order, reverse=True):
        if other.lesson != entry.lesson or other.problem or entry.problem or other.order[2] <= BY_A_FEW:
            continue
        # What was handed in again unchanged is late the second time alone.
        if len(found) < RIVALS and all(_work(other) != _work(one) for one in (entry, *found)):
            found.append(other)
    return found[::-1]


def _work(entry: Submission) -> tuple:
    return entry.cells, entry.person.time if entry.person else ""


def _was(names: list[str]) -> str:
    return "was" if len(names) == 1 else "were"


def _aside(entry: Submission) -> str:
    return f"{entry.name} ({entry.detail})" if entry.problem else entry.name
