"""nbgrader's part: the release form, the gradebook with manual points and comments, and the feedback pages.

A folder of grades is an nbgrader course: its formgrader opens it for manual points. Only the execution of the
notebooks is not nbgrader's own.
"""

import logging
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode

from vitcourse.errors import InputError
from vitcourse.grading.by_hand import ByHand
from vitcourse.grading.harmless import as_id
from vitcourse.grading.lean import begin_gradebook
from vitcourse.grading.master import Master
from vitcourse.grading.settings import CONFIG_FILE, COURSE_ID, settings


@dataclass(frozen=True)
class Points:
    """What the gradebook says of one graded cell; ``waits``: nobody has given points yet."""

    cell: str
    points: float
    most: float
    waits: bool


class Course:
    """A folder of grades.

    Args:
        root: the folder, as `folder_beside` gives it; it is made where it is missing.
    """

    def __init__(self, root: Path):
        self.root, self.config = root.resolve(), settings(root)
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        (root / "nbgrader_config.py").write_text(CONFIG_FILE, encoding="utf-8")
        begin_gradebook(root / "gradebook.db")

    def release(self, master: Master) -> NotebookNode:
        """Releases an assignment anew, and records it in the gradebook; returns what students get.

        Raises:
            InputError: the gradebook holds submissions of another version of it.
        """
        from nbgrader.converters import GenerateAssignment

        source = self.root / "source" / master.lesson
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        nbformat.write(master.notebook, source / f"{master.name}.ipynb")
        with self._quiet() as log:
            converter = GenerateAssignment(coursedir=self._directory(master), config=self.config, log=log)
            converter.force = True
            try:
                converter.start()
            except SystemExit as error:
                raise InputError(f"{master.path}: nbgrader cannot release it ({error})") from error
            except Exception as error:
                if "submissions associated" not in log.handlers[0].text + str(error):
                    raise InputError(f"{master.path}: nbgrader cannot release it ({error})") from error
                text = "its gradebook holds submissions of other exercises than those of today; name another --out"
                raise InputError(f"{self.root}: {text}") from error
        return nbformat.read(self.root / "release" / master.lesson / f"{master.name}.ipynb", as_version=4)

    def autograde(
        self, master: Master, student: str, notebook: NotebookNode, examine: Callable[[NotebookNode], None]
    ) -> tuple[NotebookNode, list[str]]:
        """Has nbgrader check a restored notebook, run it through ``examine``, and record its points.

        Returns:
            The notebook with its outputs, and the graded cells whose points or comment by hand are older than the
            answer.
        """
        from nbgrader.converters import Autograde
        from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, SaveAutoGrades

        folder = self.folder("submitted", master, student)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        file = folder / f"{master.name}.ipynb"
        nbformat.write(notebook, file)
        done = self.folder("autograded", master, student) / file.name
        by_hand = ByHand(self._gradebook, (master.name, master.lesson, as_id(student)), done)

        def run(content: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
            with self._others_may():
                examine(content)
            return content, resources

        with self._quiet() as log, self._alone():
            converter = Autograde(coursedir=self._directory(master, student), config=self.config, log=log)
            converter.force = True
            converter.exporter_class = NotebookExporter
            steps = [run, by_hand.compare, SaveAutoGrades, by_hand.mark, AssignLatePenalties, CheckCellMetadata]
            converter.autograde_preprocessors = steps
            # nbgrader would look for the file with a pattern, in which a name such as "a [1]" means something else.
            converter.init_notebooks = lambda: setattr(converter, "assignments", {str(folder): [str(file)]})
            converter.start()
        return nbformat.read(done, as_version=4), by_hand.changed

    def feedback(self, master: Master, student: str) -> Path:
        """Writes the student's feedback page, with the points of the gradebook; returns its file."""
        from nbgrader.converters import GenerateFeedback

        folder = self.folder("autograded", master, student)
        with self._quiet() as log, self._alone():
            converter = GenerateFeedback(coursedir=self._directory(master, student), config=self.config, log=log)
            converter.force = True
            files = [str(folder / f"{master.name}.ipynb")]
            converter.init_notebooks = lambda: setattr(converter, "assignments", {str(folder): files})
            converter.start()
        return self.folder("feedback", master, student) / f"{master.name}.html"

    def points(self, master: Master, student: str) -> list[Points]:
        """What the gradebook says of a student's graded cells, in reading order; manual points win."""
        with self._quiet(), self._alone(), self._gradebook() as gradebook:
            notebook = gradebook.find_submission_notebook(master.name, master.lesson, as_id(student))
            found = {
                grade.name: Points(
                    grade.name, grade.score, grade.max_score, grade.auto_score is None is grade.manual_score
                )
                for grade in notebook.grades
            }
        order = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in master.notebook.cells]
        return sorted(found.values(), key=lambda points: order.index(points.cell))

    def take_off(self, master: Master, student: str, penalty: float) -> None:
        """Notes the points that lateness takes off, for the page and for nbgrader's own exports."""
        with self._quiet(), self._alone(), self._gradebook() as gradebook:
            notebook = gradebook.find_submission_notebook(master.name, master.lesson, as_id(student))
            notebook.late_submission_penalty = penalty
            gradebook.db.commit()

    def folder(self, step: str, master: Master, student: str) -> Path:
        """Where a student's work for a lesson lies: submitted, autograded, or its feedback."""
        return self.root / step / as_id(student) / master.lesson

    def _gradebook(self):
        from nbgrader.api import Gradebook

        return Gradebook(f"sqlite:///{self.root / 'gradebook.db'}", COURSE_ID)

    def _directory(self, master: Master, student: str = "."):
        from nbgrader.coursedir import CourseDirectory

        directory = CourseDirectory(config=self.config)
        directory.assignment_id, directory.notebook_id = master.lesson, master.name
        directory.student_id = as_id(student) if student != "." else student
        return directory

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of several processes that grade into this folder, one at a time is in here."""
        import fcntl  # not on Windows, where nothing is graded

        self.door = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(self.door, fcntl.LOCK_EX)
            yield
        finally:
            os.close(self.door)

    @contextmanager
    def _others_may(self) -> Iterator[None]:
        import fcntl

        fcntl.flock(self.door, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self.door, fcntl.LOCK_EX)

    @contextmanager
    def _quiet(self) -> Iterator[logging.Logger]:
        """nbgrader's messages go to a log that nobody reads."""
        log, folder = logging.Logger("nbgrader"), Path.cwd()
        log.addHandler(_Memory())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield log
        finally:
            os.chdir(folder)


class _Memory(logging.Handler):
    """Keeps what was logged, for the rare case that an error's own text does not say enough."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text += record.getMessage() + "\n"
