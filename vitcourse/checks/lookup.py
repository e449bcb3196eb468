"""A check by the id of its exercise, for one who has nothing else: the grader. And checks that a teacher has written.

A teacher's folder holds ``exercises/NN_topic.toml`` (cards and messages) and ``checks/topic/exercise.py``, in the forms
that the course's own have. In a notebook that is handed out it comes along, packed into the text of a cell.
"""

import base64
import io
import tempfile
import zipfile
from pathlib import Path

from vitcourse import checks, exercises
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.report import Report
from vitcourse.exercises import find_exercise


def find(id: str) -> Check:
    """The check of the exercise with this id.

    Raises:
        InputError: there is no such exercise.
    """
    topic, _, name = find_exercise(id).id.partition(".")
    return getattr(getattr(checks, topic), name)


def run(id: str, learner_object: object, seed: object = 0) -> Report:
    """Runs the check of the exercise with this id; reports a mistake, never raises `CheckFailed`.

    Raises:
        InputError: there is no such exercise.
    """
    return find(id).run(learner_object, seed)


def add(folder: Path) -> None:
    """Adds a teacher's exercises, for as long as this process lives.

    Raises:
        InputError: as `exercises.add`.
    """
    folder = folder.resolve()  # the working folder may change
    exercises.add(folder / "exercises")
    if (place := str(folder / "checks")) not in checks.__path__:
        checks.__path__.append(place)


def pack(folder: Path, lesson: str) -> str:
    """A lesson of a teacher's folder, cards and checks, as text; the same files give the same text."""
    topic = lesson.partition("_")[2]
    files = [folder / "exercises" / f"{lesson}.toml", *sorted((folder / "checks" / topic).rglob("*.py"))]
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in files:
            packed.writestr(zipfile.ZipInfo(file.relative_to(folder).as_posix()), file.read_bytes())
    return base64.b85encode(data.getvalue()).decode()


def unpack(text: str) -> None:
    """Adds what `pack` has packed; once more changes nothing."""
    if text not in UNPACKED:
        UNPACKED[text] = tempfile.TemporaryDirectory(prefix="vitcourse-")
        with zipfile.ZipFile(io.BytesIO(base64.b85decode(text))) as packed:
            packed.extractall(UNPACKED[text].name)
        add(Path(UNPACKED[text].name))


UNPACKED: dict[str, tempfile.TemporaryDirectory] = {}
