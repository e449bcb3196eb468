"""What a check tells: the report, the exception, the catalogue; and that every message is fit to be read."""

import json
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vitcourse import checks
from vitcourse.checks import CATALOGUE, CheckFailed
from vitcourse.checks.engine.check import Check
from vitcourse.errors import InputError
from vitcourse.exercises import COMMON, Exercise

LESSONS = Path(__file__).parents[2] / "lessons"


def not_scaled(query, key):
    return query @ key.mT


def right(query, key):
    return query @ key.mT / query.shape[-1] ** 0.5


def test_a_right_answer_returns_nothing_and_shows_the_table(capsys):
    assert checks.attention.scores(right) is None
    shown = capsys.readouterr().out
    assert "attention.scores: all 6 properties hold" in shown
    assert shown.count("passed") == 6


def test_a_wrong_answer_raises_what_was_found(capsys):
    with pytest.raises(CheckFailed) as caught:
        checks.attention.scores(not_scaled, seed=3)
    error = caught.value
    assert isinstance(error, AssertionError)
    assert (error.exercise, error.misconception) == ("attention.scores", "not-scaled")
    assert [status for _, status in error.results] == ["passed"] * 2 + ["failed"] + ["not tried"] * 3
    assert error.share == pytest.approx(2 / 6)
    assert str(error).startswith("not-scaled: The scores are not divided by the square root")
    assert "At width" in str(error)
    assert "2 of 6 properties hold" in capsys.readouterr().out


def test_the_exception_survives_pickling():
    with pytest.raises(CheckFailed) as caught:
        checks.attention.scores(not_scaled)
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.results == caught.value.results
    assert str(again) == str(caught.value)


def test_the_grader_gets_the_same_report_without_an_exception(capsys):
    report = checks.run("attention.scores", not_scaled, seed="secret")
    assert (report.misconception, report.passed) == ("not-scaled", 2)
    assert report.message == CATALOGUE["attention.scores"].misconceptions["not-scaled"]
    assert capsys.readouterr().out == ""
    assert checks.run("attention.scores", right, seed="secret").share == 1


def test_an_unknown_exercise_is_named():
    with pytest.raises(InputError, match=r"no exercise 'attention\.scored'; there are asl_data\.blind, "):
        checks.run("attention.scored", right)


@pytest.fixture
def choice():
    """An exercise whose answer is a word, as later lessons have them."""
    words = {**COMMON, "the-other": "It is the other one. Look again."}
    check = Check(Exercise("test.choice", "99_test", "A choice", "99.1", 1, 1, 1, misconceptions=words))

    @check.property("it is the first")
    def _first(probe):
        probe.require(probe.answer(str) == "a", "the-other")

    return check


@pytest.mark.parametrize(
    ("answer", "misconception"),
    [("a", None), ("b", "the-other"), (None, "not-implemented"), (..., "not-implemented"), (1, "wrong-type")],
)
def test_an_answer_may_be_a_value(choice, answer, misconception):
    assert choice.run(answer).misconception == misconception


def test_something_that_is_no_function_is_the_wrong_type():
    report = checks.run("attention.scores", 3)
    assert report.misconception == "wrong-type"
    assert report.detail == "Expected a function, got 3."


def test_a_mistake_without_a_message_is_the_authors_fault(choice):
    choice.properties.insert(0, ("never", lambda probe: probe.require(False, "no-such-mistake")))
    with pytest.raises(KeyError):
        choice.run("a")


def test_the_catalogue_is_what_the_course_promises():
    assert set(CATALOGUE) >= {f"attention.{name}" for name in ("scores", "softmax", "attention", "causal_mask")}
    objectives = {exercise.objective for exercise in CATALOGUE.values() if exercise.lesson == "01_attention"}
    assert objectives == {f"01.{number}" for number in range(1, 6)}
    for name, exercise in CATALOGUE.items():
        assert exercise.id == name
        assert exercise.lesson.startswith(exercise.objective.partition(".")[0])
        assert exercise.difficulty in (1, 2, 3)
        assert min(exercise.minutes, exercise.points) > 0
        assert set(COMMON) < set(exercise.misconceptions)
        assert "vitcourse" in exercise.forbidden


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_public_check_stands_where_its_id_says(name):
    topic, _, exercise = name.partition(".")
    check = getattr(getattr(checks, topic), exercise)
    assert check.exercise is CATALOGUE[name]
    assert name in repr(check)


def messages():
    return sorted({(key, text) for entry in CATALOGUE.values() for key, text in entry.misconceptions.items()})


@pytest.mark.parametrize(("misconception", "text"), messages())
def test_a_message_says_what_is_wrong_and_then_where_to_look(misconception, text):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", misconception)
    sentences = re.split(r"(?<=[.?:]) ", text)
    assert len(sentences) >= 2
    assert len(sentences[0]) <= 120
    assert text.endswith((".", ")", "?"))
    assert text.count("`") % 2 == 0
    assert "$" not in text


def test_no_two_mistakes_of_an_exercise_share_a_message():
    for exercise in CATALOGUE.values():
        assert len(set(exercise.misconceptions.values())) == len(exercise.misconceptions)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_section_that_a_message_sends_to_exists(name):
    exercise = CATALOGUE[name]
    found = [path for path in (LESSONS / exercise.lesson).glob("*.ipynb") if "exercises" not in path.name]
    if not found:
        pytest.skip(f"lesson {exercise.lesson} is not written yet")
    cells = [cell for path in found for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    headings = {
        line.lstrip("# ").strip()
        for cell in cells
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).splitlines()
        if line.startswith("##")
    }
    named = {section for text in exercise.misconceptions.values() for section in re.findall(r"section “(.+?)”", text)}
    assert named <= headings


# Which exercises are loaded after each line of code, in a process that begins with none; torch counts as one.
PROGRAM = """
import sys
from vitcourse.exercises import CATALOGUE
space = {}
for line in sys.argv[1:]:
    exec(line, space)
    loaded = [id for id in CATALOGUE if f"vitcourse.checks.{id}" in sys.modules]
    print(*loaded, *(["torch"] if "torch" in sys.modules else []))
"""


def loaded_after(*lines: str) -> list[list[str]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *lines], capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


ALL_TOPICS = sorted({name.partition(".")[0] for name in CATALOGUE})


@pytest.mark.starts_programs
def test_a_check_is_loaded_when_it_is_asked_for():
    scores, mask = ["attention.scores", "torch"], ["attention.causal_mask", "attention.scores", "torch"]
    lines = {
        "from vitcourse import checks": [],
        "checks.CheckFailed, checks.Report, list(checks.CATALOGUE)": [],
        "from vitcourse.checks import bert": [],
        "import vitcourse.checks.attention": [],
        "dir(checks.attention)": [],
        "checks.attention.scores": scores,
        "checks.run('attention.causal_mask', None)": mask,
    }
    assert loaded_after(*lines) == list(lines.values())
    assert loaded_after("from vitcourse.checks import *") == [["torch"]]


@pytest.mark.starts_programs
@pytest.mark.parametrize(
    "line",
    [
        "import vitcourse.checks.attention.scores",
        "from vitcourse.checks.attention import scores",
        "from vitcourse.checks.attention.scores import scores",
    ],
)
def test_a_check_stands_under_its_name_however_it_was_loaded(line):
    program = f"{line}\nfrom vitcourse import checks\nassert repr(checks.attention.scores).startswith('<check')"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_catalogue_is_a_mapping_in_the_order_of_its_ids():
    assert list(CATALOGUE) == sorted(CATALOGUE)
    assert len(CATALOGUE) == len(set(CATALOGUE))
    assert dict(CATALOGUE.items())["attention.scores"].id == "attention.scores"
    with pytest.raises(KeyError):
        CATALOGUE["attention.scored"]
    assert CATALOGUE.get("nothing") is None


def test_what_the_package_does_not_have_is_named():
    with pytest.raises(AttributeError, match=r"module 'vitcourse\.checks' has no attribute 'atention'"):
        checks.atention  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'atention'"):
        from vitcourse.checks import atention  # noqa: F401
    with pytest.raises(AttributeError, match=r"module 'vitcourse\.checks\.attention' has no attribute 'score'"):
        checks.attention.score  # noqa: B018
    assert {"scores", "softmax"} <= set(dir(checks.attention))
    assert {"CATALOGUE", "CheckFailed", "run", *ALL_TOPICS} <= set(dir(checks))
