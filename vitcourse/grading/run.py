"""Grades a folder of submissions, and releases an assignment."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import nbformat

from vitcourse import checks
from vitcourse.errors import InputError, some
from vitcourse.grading import grades
from vitcourse.grading import late as late_policy
from vitcourse.grading import rubric as rubrics
from vitcourse.grading.choose import Choice, chosen
from vitcourse.grading.course import Course
from vitcourse.grading.grader import Graded, Grader, not_graded
from vitcourse.grading.hand_back import hand_back
from vitcourse.grading.harmless import as_id
from vitcourse.grading.jobs import cores, in_jobs
from vitcourse.grading.ledger import Entry, Ledger, by_hand, digest, fingerprint, keep_seed, kept_seed, versions
from vitcourse.grading.master import COURSE, find_master, load_masters
from vitcourse.grading.platforms import Person
from vitcourse.grading.report import class_page
from vitcourse.grading.roster import keep_roster, read_kept
from vitcourse.grading.submissions import Submission, collect
from vitcourse.grading.walled.launcher import Launcher
from vitcourse.grading.walled.limits import Limits
from vitcourse.grading.walled.trial import try_walls
from vitcourse.notebooks import learner_copy, with_checks, with_setup, work_copy
from vitcourse.notebooks.files import LEARNER_BRANCH


def assign(
    lesson: str, out: Path, course: Path = COURSE, *, own: Path | None = None, repository: str | None = None
) -> Path:
    """Writes the notebook of an assignment: what nbgrader releases, as a learner's copy is.

    Args:
        lesson: "01_attention".
        out: a folder to hand out, new or there; it may hold other lessons.
        course: the folder that holds ``lessons/``.
        own: a teacher's folder, which holds some too, and the checks of these.
        repository: address of the course, from which a first cell installs it where it is missing.

    Raises:
        InputError: there are no such exercises, some are not finished, or ``out`` holds this notebook or is a file.
    """
    if own:
        checks.add(own)
    master = find_master(lesson, course, own)
    handout = out / f"{master.name}.ipynb"
    if (out.exists() and not out.is_dir()) or handout.exists():
        raise InputError(f"{handout if out.is_dir() else out}: is there already, and is not overwritten")
    is_own = own is not None and master.path.is_relative_to(own)
    if is_own:
        _refuse_unwritten(master.path, "cell", [cell.source for cell in master.notebook.cells])
        cards = own / "exercises" / f"{lesson}.toml"
        _refuse_unwritten(cards, "line", cards.read_text(encoding="utf-8").splitlines())
    with tempfile.TemporaryDirectory() as folder:
        release = Course(Path(folder) / "course").release(master)
    texts = {cell.id: cell.source for cell in learner_copy(master.notebook).cells if cell.cell_type == "markdown"}
    for cell in release.cells:
        cell.source = texts.get(cell.id, cell.source)
    notebook = work_copy(release, master.notebook)
    notebook = with_setup(notebook, repository, LEARNER_BRANCH) if repository else notebook
    notebook = with_checks(notebook, checks.pack(own, lesson)) if is_own else notebook
    out.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, handout)
    return handout


def _refuse_unwritten(file: Path, what: str, texts: list[str]) -> None:
    if unwritten := [f"{number}" for number, text in enumerate(texts, start=1) if "TO BE WRITTEN" in text]:
        where = f"{what}{'' if len(unwritten) == 1 else 's'} {some(unwritten)}"
        raise InputError(f"{file}, {where}: something is still TO BE WRITTEN")


def grade(
    folder: Path,
    seed: str | None,
    out: Path,
    *,
    more: Sequence[Path] = (),
    roster: Path | None = None,
    choice: Choice = Choice(),
    limits: Limits | None = None,
    isolated: bool = True,
    jobs: int = 0,
    late: Path | None = None,
    rubric: Path | None = None,
    course: Path = COURSE,
    own: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Graded:
    """Grades the submissions of a class. The table is written anew with each that is graded, in the same order.

    Args:
        folder: ``STUDENT/any name.ipynb`` or ``STUDENT.ipynb``, or the zip of a platform; ``out`` may lie in it.
        seed: any text; it draws the inputs of the checks, and stays in the grader's processes and beside the gradebook.
            None for the one that lies there.
        out: the table to write, ``….csv``; gradebook and feedback go to a folder of the same name beside it.
        more: further folders and zips.
        roster: the list of the class, see `roster`; without it the one that was given before.
        choice: which of the submissions; the others stay as they were graded.
        limits: on each submission.
        isolated: False lets submissions run with the rights of this process.
        jobs: submissions that are graded at once; 0 for as many as there are cores.
        late: what lateness costs, see `late`; without, nothing.
        rubric: points for named mistakes, see `rubric`.
        course: the folder that holds ``lessons/``.
        own: a teacher's folder, which holds some too.
        progress: called with the number of submissions done, and of all.

    Returns:
        What the table holds, and the problems and pages of what was graded now.

    Raises:
        InputError: something that was given cannot be used, or the platform lacks a limit.
    """
    places, out = [place.resolve() for place in (folder, *more)], out.resolve()
    root = grades.folder_beside(out, [path.resolve() for path in (folder, *more, roster, late, rubric) if path])
    ledger, seed = Ledger(root, keep=choice.again), kept_seed(root, seed, choice.again)
    if own:
        checks.add(own)
    masters, passed = load_masters(course, own), []
    policy = late_policy.read(late, masters) if late else late_policy.Policy()
    masters = rubrics.read(rubric, masters) if rubric else masters
    people = read_kept(root, roster)
    # The table may lie among the submissions: what is written is no submission, and passed over the next time.
    ours = [path for path in (out, root, roster) if path]
    submissions = collect(places, masters, ours=ours, say=passed.append, roster=people)
    if strangers := policy.strangers(submissions):
        passed.append(f"{late}: nobody of the class is called {some(strangers)}")
    todo = chosen(choice, submissions, masters, ledger, seed, policy)
    progress = progress or (lambda *_counts: None)
    graded = Graded(problems=passed)
    with Launcher(limits or Limits(), isolated) if todo else nullcontext() as launcher:
        if isolated and todo:
            try_walls(launcher, str(places[0]))
        book = Course(root)
        keep_seed(root, seed)
        keep_roster(root, people)
        releases = {name: book.release(masters[name]) for name in sorted({entry.lesson for entry in todo})}
        grader = Grader(book, launcher, seed, masters, releases, policy)

        @contextmanager
        def start(number: int) -> Iterator[Callable[[Submission], Graded]]:
            # The first job has the box that was tried, and each other one a box of its own, made in the same way.
            own = nullcontext(launcher) if number == 0 else Launcher(launcher.limits, isolated)
            with own as opened:
                yield replace(grader, launcher=opened).grade

        found, hands = {}, by_hand(root)
        progress(0, len(todo))
        with closing(in_jobs(start, todo, jobs or cores())) as results:
            for done, (place, result) in enumerate(results, start=1):
                entry, lost = todo[place], "the process that graded it has died"
                master = masters[entry.lesson]
                found[place] = result or not_graded(master, entry, lost)
                ledger.add(_entry(found[place], entry, root, digest(entry, master, policy), seed, hands))
                grades.write(ledger.rows, out)
                progress(done, len(todo))
        for _, one in sorted(found.items()):
            graded.add(one)
        graded.problems += hand_back(root, ledger.all(), people)
    grades.write(ledger.rows, out)
    graded.rows = ledger.rows
    graded.report, lost = class_page(root, graded.rows, ledger.names, course)
    graded.problems += lost
    return graded


def _entry(
    graded: Graded, submission: Submission, root: Path, mark: str, seed: str, hands: Mapping[tuple[str, str], str]
) -> Entry:
    page = next((str(page.relative_to(root)) for page in graded.pages), "")
    person = replace(submission.person or Person(submission.student), late=graded.late)
    marks = mark, fingerprint(seed), versions(), hands.get((as_id(person.student), submission.lesson), "")
    return Entry(submission.lesson, person, graded.rows, graded.problems, graded.by_hand, page, *marks)
