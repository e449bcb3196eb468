"""Whose the files in a class's submissions are.

A student is a folder, or a file at the top, of a folder or a zip. What a learning platform has named is known by that
name (`platforms`); all else is called as it is.
"""

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import vitcourse
from vitcourse.errors import InputError
from vitcourse.grading.outputs import clean_name
from vitcourse.grading.pieces import JUNK, JUNK_FILES, has_file
from vitcourse.grading.places import Top, tops
from vitcourse.grading.platforms import BLACKBOARD, Person, by_name, with_name
from vitcourse.grading.reading import Found, look_through

# What programs put behind the name that a person has chosen.
SUFFIX = re.compile(r"(\.(ipynb|txt|json|zip|download|crdownload|part))+$", re.IGNORECASE)
BEGINNING = 2000  # bytes of Blackboard's text, which begins with the student's name


@dataclass
class Student:
    """Who has handed in.

    Args:
        person: the student.
        place: the folder or file at the top.
        spelling: its name there, before it was put on one line.
        files: all, looked at, each with what the platform says of it.
    """

    person: Person
    place: Path
    spelling: str
    files: list[tuple[Found, Person]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.person.student


def find_students(places: Sequence[Path], ours: Iterable[Path] = ()) -> tuple[list[Student], list[str]]:
    """The students, by name, and in words what is nobody's.

    Args:
        places: folders that hold a folder or a file for each student, and zips in which platforms pack these.
        ours: files and folders there that the grader writes.

    Raises:
        InputError: there is no such place, or it is the course.
    """
    course = Path(vitcourse.__file__).resolve().parents[1]
    written = {os.path.realpath(path) for path in ours}
    students: dict[str, Student] = {}
    unclear: list[tuple[Top, list[Found]]] = []
    strays = []
    for place in places:
        if place.resolve() == course:
            raise InputError(f"{place}: this is the course itself; name the folder that holds the submissions")
        for top in tops(place):
            if top.name.startswith(".") or top.name in (*JUNK, *JUNK_FILES) or os.path.realpath(top.path) in written:
                continue
            if words := _nobodys_folder(top, course):
                strays.append(f"{clean_name(top.name)} ({words})")
                continue
            files = list(look_through(top.pieces()))
            if words := _several_students(place, top, files):
                strays.append(f"{clean_name(top.name)} ({words})")
            elif top.folder or any(_is_work(found, top) for found in files):
                _give(students, top, files)
            else:
                unclear.append((top, files))
    for top, files in unclear:
        if by_name(clean_name(top.name)):
            _give(students, top, files)
        else:
            strays += [f"{found.piece.name} ({found.problem})" for found in files]
    return [students[name] for name in sorted(students)], strays


def _give(students: dict[str, Student], top: Top, files: list[Found]) -> None:
    spelling = _name(top)
    person = by_name(clean_name(top.name)) or Person(_unlike(clean_name(spelling), spelling, students))
    if person.platform == BLACKBOARD and not top.folder and top.name == f"{person.label}.txt":
        # Blackboard's own, and no work of the student's.
        person, files = with_name(person, _beginning(files[0])), []
    student = students.setdefault(person.student, Student(person, top.path, spelling))
    if person.name and not student.person.name:
        student.person = replace(student.person, name=person.name)
    student.files += [(found, person) for found in files]


def _unlike(name: str, spelling: str, students: dict[str, Student]) -> str:
    """The name, with a number where it is another's who is spelled in another way."""
    numbers = (f"{name} ({number})" for number in range(2, len(students) + 3))
    return next(one for one in (name, *numbers) if one not in students or students[one].spelling == spelling)


def _beginning(found: Found) -> str:
    try:
        with found.piece.open() as file:
            return file.read(BEGINNING).decode("utf-8", "replace")
    except (OSError, InputError):
        return ""


def _is_work(found: Found, top: Top) -> bool:
    """Whether a file at the top is certainly a student's."""
    return bool(found.cells) or found.says_notebook or found.is_zip or (found.packed and not top.packed)


def _name(top: Top) -> str:
    name = top.name
    if not top.folder:
        name = SUFFIX.sub("", name) if SUFFIX.search(name) else Path(name).stem
    # It becomes a folder's name, and these would be other folders.
    return next((one for one in (name, top.name) if clean_name(one).strip(". ")), "(without a name)")


def _nobodys_folder(top: Top, course: Path) -> str:
    """What a folder is, where it is no student's; "" for a student's folder, and for a file."""
    if not top.folder or top.packed:
        return ""
    if top.path.is_symlink():
        return "a link to a folder"
    if top.path.resolve() in (course, *course.parents):
        return "the course itself"
    if has_file(top.path, "pyvenv.cfg"):
        return "a Python environment"
    return "a folder of grades" if has_file(top.path, "gradebook.db") else ""


def _several_students(place: Path, top: Top, files: list[Found]) -> str:
    """What a zip is that holds the work of several students, as a platform packs it; "" for any other file."""
    if top.folder or by_name(clean_name(top.name)):
        return ""
    inner = {found.piece.path.relative_to(top.path).parts[0] for found in files if found.packed}
    if inner and all((place / name).is_dir() for name in inner):
        return "a zip of the folders beside it"
    owners = {person.student if (person := by_name(name)) else "" for name in inner}
    return (
        f"a zip of the work of {len(owners)} students: name it itself" if len(owners) > 1 and "" not in owners else ""
    )
