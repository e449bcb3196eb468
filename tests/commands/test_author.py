"""`vitcourse new` and `vitcourse try`: whole skeletons, in which nothing fails but what is to be written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT, unwritten
from vitcourse.commands.skeletons import new_exercise, new_lesson
from vitcourse.errors import InputError

TAKEN = {int(folder.name[:2]) for folder in (ROOT / "lessons").glob("[0-9][0-9]_*")}
FREE = f"{min(set(range(1, 99)) - TAKEN):02}"  # a number that no lesson has
PLACES = ("lessons", "vitcourse/exercises", "vitcourse/checks", "tests/checks/bank", "_toc.yml")


def copied(places: tuple[str, ...], root: Path) -> Path:
    for name in places:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, root / name)
    return root


@pytest.fixture
def course(tmp_path) -> Path:
    """What of the course the skeletons are written into."""
    return copied(PLACES, tmp_path)


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    return sorted(name for name in before | after if before.get(name) != after.get(name))


def names(files: list[Path], root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in files]


def test_an_exercise_has_all_its_files_and_the_notebook_five_cells_more(course):
    before = content(course)
    files = new_exercise("01_attention", "sharp_ones", course)
    assert names(files, course) == [
        "vitcourse/exercises/01_attention.toml",
        "vitcourse/checks/attention/sharp_ones.py",
        "tests/checks/bank/attention_sharp_ones.py",
        "lessons/01_attention/attention_exercises.ipynb",
    ]
    assert changed(before, content(course)) == sorted(names(files, course))
    assert set(unwritten(course)) - set(unwritten(ROOT)) == set(names(files, course))
    old = json.loads(before[names(files, course)[-1]])
    new = json.loads(files[-1].read_text(encoding="utf-8"))
    own = [place for place, cell in enumerate(new["cells"]) if cell["id"].startswith("sharp-ones-")]
    assert [cell for place, cell in enumerate(new["cells"]) if place not in own] == old["cells"]
    parts = ("card", "solution", "check", "hints", "expected")
    assert [new["cells"][place]["id"] for place in own] == [f"sharp-ones-{part}" for part in parts]
    assert own == list(range(own[0], own[0] + 5))
    assert new["cells"][own[0] - 1]["id"].endswith("-expected")  # behind the last exercise, before what closes the page
    count = sum(cell["id"].endswith("-card") for cell in old["cells"])
    assert new["cells"][own[0]]["source"][0] == f"## Exercise {count + 1}: TO BE WRITTEN\n"
    assert not re.search(r"\b(NAME|TOPIC|LESSON|SHORT|NUMBER|COUNT)\b", files[1].read_text(encoding="utf-8"))


def test_a_lesson_stands_in_its_place_in_the_contents_and_its_first_exercise_below_it(course):
    before = (course / "_toc.yml").read_text(encoding="utf-8")
    files = new_lesson(f"{FREE}_cuts", course)
    assert names(files, course) == [
        f"lessons/{FREE}_cuts/cuts.ipynb",
        f"vitcourse/exercises/{FREE}_cuts.toml",
        "vitcourse/checks/cuts/__init__.py",
        "_toc.yml",
    ]
    assert names(new_exercise(f"{FREE}_cuts", "one", course), course)[-2:] == [
        f"lessons/{FREE}_cuts/cuts_exercises.ipynb",
        "_toc.yml",
    ]
    new_exercise(f"{FREE}_cuts", "two", course)
    page = f"lessons/{FREE}_cuts/cuts"
    entry = f"      - file: {page}\n        sections:\n          - file: {page}_exercises\n"
    after = (course / "_toc.yml").read_text(encoding="utf-8")
    assert after.replace(entry, "") == before
    numbers = [int(number) for number in re.findall(r"lessons/(\d\d)_\w+/", after)]
    assert numbers == sorted(numbers)
    new_lesson("99_end", course)
    last = (course / "_toc.yml").read_text(encoding="utf-8").split("      - file: lessons/99_end/end\n")
    assert "lessons/" in last[0].splitlines()[-1]
    assert "lessons/" not in last[1]


@pytest.mark.parametrize(
    ("lesson", "name", "fault"),
    [
        ("01_attentoin", "one", r"no lesson '01_attentoin'; there are: 01_attention, "),
        ("../lessons/01_attention", "one", "no lesson"),
        *(
            ("01_attention", name, "cannot be called")
            for name in ("Sharp", "a-b", "../x", "", "1a", "ä", "a\n", "a" * 41)
        ),
        *(("01_attention", name, "cannot be called") for name in ("class", "right", "forbidden")),
        ("01_attention", "scores", r"01_attention\.toml has an exercise 'scores' already"),
        ("01_attention", "three_tokens", r"checks/attention/three_tokens\.py exists already"),
    ],
)
def test_an_exercise_that_cannot_be_is_refused_and_nothing_written(course, lesson, name, fault):
    (course / "vitcourse" / "checks" / "attention" / "three_tokens.py").touch()
    before = content(course)
    with pytest.raises(InputError, match=fault):
        new_exercise(lesson, name, course)
    assert content(course) == before


@pytest.mark.parametrize(
    ("lesson", "fault"),
    [
        *((name, "cannot be called") for name in ("5_x", "05-x", "05_X", "00_x", "05_", "05_x/y", "٠٥_x", "05_run")),
        ("01_other", "lesson 01 is 01_attention"),
        (f"{FREE}_attention", "vitcourse/checks/attention exists already"),
        (f"{FREE}_lookup", r"vitcourse/checks/lookup\.py exists already"),
    ],
)
def test_a_lesson_that_cannot_be_is_refused_and_nothing_written(course, lesson, fault):
    before = content(course)
    with pytest.raises(InputError, match=fault):
        new_lesson(lesson, course)
    assert content(course) == before


@pytest.mark.parametrize("broken", ["_toc.yml", "lessons/01_attention/attention_exercises.ipynb"])
def test_where_one_file_cannot_be_written_none_is(course, monkeypatch, broken):
    before, write = content(course), Path.replace

    def replace(self, target):
        if target == course / broken:
            raise OSError(28, "No space left on device", str(target))
        return write(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="No space left"):
        new_lesson(f"{FREE}_cuts", course) if broken == "_toc.yml" else new_exercise("01_attention", "one", course)
    assert content(course) == before
    assert not (course / "lessons" / f"{FREE}_cuts").exists()


def test_the_command_refuses_in_one_line(command):
    for arguments in (("exercise", "01_none", "one"), ("lesson", "1")):
        status, _, error = command("new", *arguments)
        assert status == 2
        assert error.startswith("error: ")
        assert error.count("\n") == 1
    status, _, error = command("try", "exercise", "attention.none")
    assert (status, error.count("\n")) == (2, 1)


def test_an_exercise_is_shown_with_its_draws_and_its_mistakes(command):
    status, out, _ = command("try", "exercise", "asl_data.iou", "--seed", "3")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith("asl_data.iou: ")
    assert "  on a float32 tensor of shape" in out
    assert "right: all properties hold" in lines
    assert any(line.startswith("shared-counted-twice: The union is") for line in lines)
    assert "TAKEN FOR" not in out
    status, out, _ = command("try", "exercise", "asl_finetuning.choose")
    assert status == 0
    assert "asl_finetuning_choose.py: all answers are judged as they should be" in out


@pytest.mark.starts_programs
def test_of_a_skeleton_nothing_fails_but_what_is_to_be_written(tmp_path):
    course = copied(("lessons", "vitcourse", "tests", "_toc.yml", "pyproject.toml"), tmp_path)
    env = {**os.environ, "PYTHONPATH": str(course)}

    def run(*command: str) -> str:
        done = subprocess.run([sys.executable, "-m", *command], cwd=course, env=env, capture_output=True, text=True)
        return done.stdout + done.stderr

    for arguments in (
        ("exercise", "01_attention", "sharp"),
        ("lesson", f"{FREE}_cuts"),
        ("exercise", f"{FREE}_cuts", "one"),
    ):
        assert "wrote " in run("vitcourse", "new", *arguments)
    assert "right: all properties hold" in run("vitcourse", "try", "exercise", "cuts.one")
    files = ("test_to_be_written.py", "test_floors.py", "checks/test_bank.py", "checks/test_check.py")
    layout = "course/test_exercises.py"
    chosen = "(cuts or sharp or written or 01_attention or covers or catalogue or sitting or floor) and not release"
    out = run("pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{file}" for file in (*files, layout)), "-k", chosen)
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", out, re.MULTILINE)
    assert {name.partition("[")[2].rstrip("]") for name in failed} == set(unwritten(course)), out
    assert all("test_to_be_written[" in name for name in failed)
    assert " passed" in out
