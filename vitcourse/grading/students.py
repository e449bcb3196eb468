"""Whose the files in a folder of submissions are.

A student is a folder, or a file at the top. Learning platforms name such folders and files in their own way: Moodle
``Name_1234_assignsubmission_file_/…``, Blackboard ``…_attempt_2026-01-31-…``, Canvas ``name_12345_67890_….ipynb``. The
names are taken as they are.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import vitcourse
from vitcourse.errors import InputError
from vitcourse.grading.outputs import clean_name
from vitcourse.grading.pieces import JUNK, JUNK_FILES, has_file
from vitcourse.grading.reading import Found, look_through

# What programs put behind the name that a person has chosen.
SUFFIX = re.compile(r"(\.(ipynb|txt|json|zip|download|crdownload|part))+$", re.IGNORECASE)
# What a platform has named; the first group is the same in all files of one student.
PLATFORMS = (
    re.compile(r"(.+_\d+)_assignsubmission_[a-z]+.*"),
    re.compile(r"(.+_attempt_\d{4}(?:-\d\d){5}).*"),
    re.compile(r"([^_]+_(?:LATE_)?\d+)_\d+_.+"),
)


@dataclass
class Student:
    """Who has handed in: the name, the folder or file at the top, and all files in it, looked at."""

    name: str
    place: Path
    files: list[Found] = field(default_factory=list)


def find_students(folder: Path, ours: Iterable[Path] = ()) -> tuple[list[Student], list[str]]:
    """The students, by name, and in words what is nobody's.

    Args:
        folder: holds a folder or a file for each student.
        ours: files and folders in it that the grader writes.

    Raises:
        InputError: there is no such folder, or it is the course.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    course = Path(vitcourse.__file__).resolve().parents[1]
    if folder.resolve() == course:
        raise InputError(f"{folder}: this is the course itself; name the folder that holds the submissions")
    written = {os.path.realpath(path) for path in ours}
    students: dict[str, Student] = {}
    of_key: dict[str, str] = {}
    unclear: list[Student] = []
    strays = []
    for place in sorted(folder.iterdir()):
        if place.name.startswith(".") or place.name in (*JUNK, *JUNK_FILES) or os.path.realpath(place) in written:
            continue
        if words := _nobodys_folder(place, course):
            strays.append(f"{clean_name(place.name)} ({words})")
            continue
        entry = Student(_name(place), place, list(look_through(place)))
        if words := _several_students(folder, entry):
            strays.append(f"{clean_name(place.name)} ({words})")
        elif place.is_dir() or any(_is_work(found) for found in entry.files):
            students.setdefault(entry.name, Student(entry.name, place)).files += entry.files
            of_key.setdefault(_platform_key(place.name), entry.name)
        else:
            unclear.append(entry)
    for entry in unclear:
        if key := _platform_key(entry.place.name):
            owner = of_key.setdefault(key, entry.name)
            students.setdefault(owner, Student(owner, entry.place)).files += entry.files
        else:
            strays += [f"{found.piece.name} ({found.problem})" for found in entry.files]
    return [students[name] for name in sorted(students)], strays


def _is_work(found: Found) -> bool:
    """Whether a file at the top is certainly a student's."""
    return bool(found.cells) or found.says_notebook or found.is_zip or found.packed


def _name(place: Path) -> str:
    name = clean_name(place.name)
    if not place.is_dir():
        name = SUFFIX.sub("", name) if SUFFIX.search(name) else Path(name).stem
    # It becomes a folder's name, and these would be other folders.
    return name if name.strip(". ") else clean_name(place.name) if place.name.strip(". ") else "(without a name)"


def _platform_key(name: str) -> str:
    return next((found[1] for pattern in PLATFORMS if (found := pattern.fullmatch(clean_name(name)))), "")


def _nobodys_folder(place: Path, course: Path) -> str:
    """What a folder is, where it is no student's; "" for a student's folder, and for a file."""
    if not place.is_dir():
        return ""
    if place.is_symlink():
        return "a link to a folder"
    if place.resolve() in (course, *course.parents):
        return "the course itself"
    if has_file(place, "pyvenv.cfg"):
        return "a Python environment"
    return "a folder of grades" if has_file(place, "gradebook.db") else ""


def _several_students(folder: Path, entry: Student) -> str:
    """What a zip is that holds the work of several students, as a platform packs it; "" for any other file."""
    if entry.place.is_dir():
        return ""
    tops = {found.piece.path.relative_to(entry.place).parts[0] for found in entry.files if found.packed}
    if tops and all((folder / top).is_dir() for top in tops):
        return "a zip of the folders beside it"
    keys = {_platform_key(top) for top in tops}
    return f"a zip of the work of {len(keys)} students: unpack it" if len(keys) > 1 and "" not in keys else ""
