"""How nbgrader is set up in a folder of grades, for the grader and for formgrader alike."""

from pathlib import Path

from nbconvert.exporters import NotebookExporter
from traitlets.config import Config

from vitcourse.errors import InputError

COURSE_ID = "vitcourse"
TEMPLATES = Path(__file__).with_name("templates")
CONFIG_FILE = '''"""Lets formgrader, and nbgrader's commands such as ``nbgrader export``, work in this folder."""

from pathlib import Path

from vitcourse.grading.settings import settings

c = get_config()  # noqa: F821 - nbgrader provides it
c.merge(settings(Path(__file__).parent))
'''


def settings(root: Path, source: str = "source") -> Config:
    """nbgrader's configuration for a course folder.

    Args:
        root: the folder.
        source: the folder in it that holds the assignments with their solutions.
    """
    config = Config()
    config.CourseDirectory.course_id = COURSE_ID
    config.CourseDirectory.root = str(Path(root).resolve())
    config.CourseDirectory.source_directory = source
    # Lessons lie beside their exercises and are no part of an assignment.
    config.CourseDirectory.notebook_id = "*_exercises"
    config.OverwriteCells.add_missing_cells = True
    config.GenerateFeedback.preprocessors = ["nbgrader.preprocessors.GetGrades", "vitcourse.grading.feedback.add_page"]
    # A template for HTMLExporter would also take the place of the one that formgrader shows a submission with.
    config.GenerateFeedback.exporter_class = "vitcourse.grading.feedback.PageExporter"
    config.PageExporter.template_name = "vitcourse_feedback"
    config.PageExporter.extra_template_basedirs = [str(TEMPLATES)]
    # Formgrader's button would run a submission with the rights of whoever has pressed it.
    config.Autograde.exporter_class = "vitcourse.grading.settings.Refusal"
    return config


class Refusal(NotebookExporter):
    """What nbgrader's own grading begins with, and ends at before it has touched anything.

    Raises:
        InputError: always.
    """

    def __init__(self, **_):
        raise InputError("nbgrader would run submissions without walls: grade with the command `vitcourse grade`")
