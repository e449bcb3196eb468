"""The files of the exercises: read with no torch, refused in one line where they are wrong."""

from pathlib import Path

import pytest

from vitcourse.errors import InputError
from vitcourse.exercises import COMMON, FILES, find_exercise, read

CARD = '[one]\ntitle = "T"\nobjective = "99.1"\ndifficulty = 1\nminutes = 2\npoints = 3\n'
MESSAGES = '[one.misconceptions]\nfalse = "It is false. Make it true."\n'


def read_text(folder, text):
    path = folder / "99_test.toml"
    path.write_text(text, encoding="utf-8")
    return read(path)


def test_a_table_is_an_exercise(tmp_path):
    (exercise,) = read_text(tmp_path, f'forbidden = ["a.b"]\n{CARD}{MESSAGES}').values()
    assert (exercise.id, exercise.lesson, exercise.points) == ("test.one", "99_test", 3)
    assert exercise.misconceptions == {**COMMON, "false": "It is false. Make it true."}
    assert exercise.forbidden == ("a.b",)


def test_an_exercise_may_forbid_something_else(tmp_path):
    (exercise,) = read_text(tmp_path, f'forbidden = ["a.b"]\n{CARD}forbidden = []\n{MESSAGES}').values()
    assert exercise.forbidden == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CARD, "99_test.toml: exercise test.one has no 'misconceptions'"),
        (CARD.replace("points", "point") + MESSAGES, "99_test.toml: exercise test.one has no 'points'"),
        (CARD + "hint = 1\n" + MESSAGES, "99_test.toml: exercise test.one has an unknown 'hint'"),
        (CARD + CARD, "99_test.toml: .*line 7"),
        ("one = 1\n", "99_test.toml: exercise test.one is no table"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_text(tmp_path, text)


def test_an_unknown_exercise_is_named():
    with pytest.raises(InputError, match=r"no exercise 'attention\.scored'; there are asl_data\.blind, "):
        find_exercise("attention.scored")


def test_the_files_bear_the_names_of_the_lessons():
    lessons = Path(__file__).parents[2] / "lessons"
    assert {path.stem for path in FILES.values()} <= {folder.name for folder in lessons.iterdir()}
    assert FILES["bert"].name == "04_bert.toml"
