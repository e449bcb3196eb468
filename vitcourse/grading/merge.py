"""Joins the parts of a class that were graded apart: tables, gradebooks, pages."""

import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path

from vitcourse import checks
from vitcourse.errors import InputError, some
from vitcourse.grading import grades
from vitcourse.grading.course import Course
from vitcourse.grading.hand_back import hand_back
from vitcourse.grading.harmless import as_id
from vitcourse.grading.ledger import Entry, Ledger, keep_seed, kept_seed
from vitcourse.grading.master import COURSE, load_masters
from vitcourse.grading.report import class_page
from vitcourse.grading.roster import KEPT, keep_roster, read_roster
from vitcourse.grading.settings import COURSE_ID

TREES = ("submitted", "autograded", "feedback")
# What a part's gradebook says of a cell.
GRADE = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
COMMENT = ("auto_comment", "manual_comment")


def merge(
    tables: Sequence[Path], out: Path, course: Path = COURSE, *, own: Path | None = None
) -> tuple[list[Entry], list[str]]:
    """Writes one table, and one folder of grades beside it, from those of several gradings.

    Args:
        tables: what each has written, ``….csv``; its folder lies beside it.
        out: the table to write; there is no folder of its name yet.
        course: the folder that holds ``lessons/``.
        own: a teacher's folder, which holds some too.

    Returns:
        The entries of the class, and what the instructor should know.

    Raises:
        InputError: a part is missing, was graded with another seed or for an unknown lesson, or ``out`` exists.
    """
    out = out.resolve()
    root, parts = grades.folder_beside(out, (), again=False), [table.resolve().with_suffix("") for table in tables]
    ledgers = [Ledger(part) for part in parts]
    for table, part, ledger in zip(tables, parts, ledgers, strict=True):
        if not ledger.file.is_file() and not (part / "gradebook.db").is_file():
            raise InputError(f"{table}: there is no folder of grades {part.name} beside it")
    seeds = {part: kept_seed(part, None, again=False) for part in parts}
    if len(set(seeds.values())) > 1:
        raise InputError(f"{', '.join(map(str, tables))}: the parts were graded with several seeds")
    if own:
        checks.add(own)
    masters, notes = load_masters(course, own), []
    chosen: dict[tuple[str, str], tuple[Entry, Path]] = {}
    for part, ledger in zip(parts, ledgers, strict=True):
        for entry in ledger.all():
            if entry.key in chosen:
                notes.append(f"{entry.person.student}, {entry.lesson}: graded in several parts; the last one counts")
            if entry.key not in chosen or chosen[entry.key][0].when <= entry.when:
                chosen[entry.key] = entry, part
    lessons = sorted({lesson for _, lesson in chosen})
    if unknown := [lesson for lesson in lessons if lesson not in masters]:
        raise InputError(f"there are no exercises for {some(unknown)}; --course names the folder that holds them")
    try:
        book, whole = Course(root), Ledger(root)
        keep_seed(root, seeds[parts[0]])
        roster = next((read_roster(part / KEPT) for part in parts if (part / KEPT).is_file()), None)
        keep_roster(root, roster)
        for lesson in lessons:
            book.release(masters[lesson])
        for part in parts:
            entries = [entry for entry, own in chosen.values() if own == part]
            for entry in entries:
                _copy_files(part, root, entry)
            _copy_points(part, root, {entry.key for entry in entries})
        whole.entries = {key: entry for key, (entry, _) in chosen.items()}
        whole.write()
        grades.write(whole.rows, out)
        notes += hand_back(root, whole.all(), roster)
        notes += class_page(root, whole.rows, whole.names, course)[1]
        return whole.all(), notes
    except BaseException:  # an interrupt as well: half a class would be refused as a folder that is there
        shutil.rmtree(root, ignore_errors=True)
        out.unlink(missing_ok=True)
        raise


def _copy_files(part: Path, root: Path, entry: Entry) -> None:
    for tree in TREES:
        place = Path(tree, as_id(entry.person.student), entry.lesson)
        if (part / place).is_dir():
            shutil.copytree(part / place, root / place, dirs_exist_ok=True)


def _copy_points(part: Path, root: Path, keys: set[tuple[str, str]]) -> None:
    """Enters the points and comments of a part's gradebook into the joined one, those by hand too."""
    from nbgrader.api import Gradebook

    def opened(folder: Path) -> Gradebook:
        return Gradebook(f"sqlite:///{folder / 'gradebook.db'}", COURSE_ID)

    with warnings.catch_warnings(), opened(part) as theirs, opened(root) as ours:
        warnings.simplefilter("ignore")  # nbgrader's, which nobody here can mend
        for student, lesson in sorted((as_id(name), lesson) for name, lesson in keys):
            for their in _notebooks(theirs, student, lesson):
                ours.update_or_create_student(student)
                ours.update_or_create_submission(lesson, student)
                own = ours.find_submission_notebook(their.name, lesson, student)
                _copy(their.grades, own.grades, GRADE)
                _copy(their.comments, own.comments, COMMENT)
                own.late_submission_penalty = their.late_submission_penalty
        ours.db.commit()


def _copy(theirs: list, ours: list, names: tuple[str, ...]) -> None:
    of_cell = {one.name: one for one in ours}
    for one in theirs:
        for name in names:
            setattr(of_cell[one.name], name, getattr(one, name))


def _notebooks(gradebook, student: str, lesson: str) -> list:
    from nbgrader.api import MissingEntry

    try:
        return gradebook.find_submission(lesson, student).notebooks
    except MissingEntry:  # nothing was handed in, and nothing recorded
        return []
