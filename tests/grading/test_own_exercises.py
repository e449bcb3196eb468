"""A teacher's own exercises, in a folder beside the course: begun, tried, handed out, worked on, graded."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from vitcourse import checks, exercises
from vitcourse.commands import skeletons
from vitcourse.errors import InputError
from vitcourse.grading.merge import merge
from vitcourse.grading.run import assign
from vitcourse.notebooks.working import is_ours

LESSON, NOTEBOOK = "20_exam", "lessons/20_exam/exam_exercises.ipynb"
RIGHT = "def centre(values):\n    return values - values.mean(-1, keepdim=True)"
CALLS = "def spread(values):\n    return centre(values)"


def begin(folder: Path) -> Path:
    skeletons.new_exercise(LESSON, "centre", own=folder)
    skeletons.new_question(LESSON, "why", folder)
    skeletons.new_exercise(LESSON, "spread", own=folder)
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A folder in which all is written; what it adds to the course is taken off at the end."""
    folder, known, places = begin(tmp_path_factory.mktemp("own")), dict(exercises.FILES), list(checks.__path__)
    for file in (folder / NOTEBOOK, folder / "exercises" / f"{LESSON}.toml"):
        file.write_text(file.read_text(encoding="utf-8").replace("TO BE WRITTEN", "Written"), encoding="utf-8")
    yield folder
    exercises.FILES.clear()
    exercises.FILES.update(known)
    exercises.of_topic.cache_clear()
    checks.__path__[:] = places
    for name in [name for name in sys.modules if name.startswith("vitcourse.checks.exam")]:
        del sys.modules[name]
    vars(checks).pop("exam", None)


@pytest.fixture(scope="module")
def handout(own, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "handout"
    address = "https://github.com/some/course"
    return nbformat.read(assign(LESSON, out, own=own, repository=address), as_version=4)


def answered(handout, **answers):
    notebook = copy.deepcopy(handout)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    return notebook


def test_all_files_lie_in_the_folder_and_the_cells_in_their_order(tmp_path):
    begin(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == [
        "bank/exam_centre.py",
        "bank/exam_spread.py",
        "checks/exam/__init__.py",
        "checks/exam/centre.py",
        "checks/exam/spread.py",
        "exercises/20_exam.toml",
        NOTEBOOK,
    ]
    cells = json.loads((tmp_path / NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    cards = [cell for cell in cells if cell["id"].endswith("-card")]
    assert [cell["id"] for cell in cards] == ["centre-card", "why-card", "spread-card"]
    assert [re.search(r"\d", cell["source"][0])[0] for cell in cards] == ["1", "2", "3"]
    assert "](" not in "".join(cells[0]["source"]), "there is no lesson to link to"


@pytest.mark.parametrize(
    ("lesson", "name", "words"),
    [
        ("20_attention", "one", "the course has a lesson on 'attention' already"),
        ("exam", "one", "a lesson cannot be called 'exam'"),
        (LESSON, "class", "an exercise cannot be called 'class'"),
        (LESSON, "centre", "has an exercise 'centre' already"),
    ],
)
def test_a_name_that_will_not_do_is_refused(own, lesson, name, words):
    with pytest.raises(InputError, match=words):
        skeletons.new_exercise(lesson, name, own=own)


def test_a_question_twice_is_refused(own):
    with pytest.raises(InputError, match=r"exam_exercises\.ipynb has a cell 'why"):
        skeletons.new_question(LESSON, "why", own)


def test_what_is_not_finished_is_not_handed_out(own, tmp_path):
    file = own / NOTEBOOK
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("Written", "TO BE WRITTEN", 1), encoding="utf-8")
    try:
        with pytest.raises(InputError, match=r"exam_exercises\.ipynb, cell 1: something is still TO BE WRITTEN"):
            assign(LESSON, tmp_path / "out", own=own)
    finally:
        file.write_text(before, encoding="utf-8")
    assert not (tmp_path / "out").exists()


@pytest.mark.grades
def test_the_handout_installs_the_course_brings_its_checks_and_ends_with_the_points(handout):
    first, second, *_, last = handout.cells
    assert "https://github.com/some/course" in first.source
    for cell in (first, second):
        assert is_ours(cell.source)
        assert not is_ours(cell.source + "\nx = 1")
    assert not is_ours(first.source.replace("some/course", '"; x = "'))
    assert last.source.endswith('checks.summary("20_exam")')
    (words,) = (cell for cell in handout.cells if cell.id == "why-answer")
    assert words.source == "YOUR ANSWER HERE"
    assert "keepdim" not in nbformat.writes(handout)


@pytest.mark.grades
@pytest.mark.starts_programs
def test_a_student_needs_the_notebook_alone(handout, tmp_path):
    cells = answered(handout, centre=RIGHT, spread=CALLS).cells
    code = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of 2 exercises passed, 6 of 6 points" in done.stdout


@pytest.mark.grades
def test_it_is_graded_beside_the_lessons_of_the_course(own, handout, quick, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    words = "It **keeps** the rows <b>comparable</b>."
    nbformat.write(answered(handout, centre=RIGHT, spread=CALLS, why=words), tmp_path / "in" / "anna.ipynb")
    nbformat.write(answered(handout, centre="def centre(:", spread=CALLS), tmp_path / "in" / "ben.ipynb")
    monkeypatch.chdir(own.parent)
    graded = quick(Path(tmp_path / "in"), "seed", tmp_path / "grades.csv", own=Path(own.name))
    assert graded.problems == []
    assert graded.by_hand == 1  # ben's answer in words is the stub
    found = [(row.student, row.exercise, row.points, row.misconception) for row in graded.rows]
    assert found == [
        ("anna", "exam.centre", 3, ""),
        ("anna", "20_exam/why", 0, ""),
        ("anna", "exam.spread", 3, ""),
        ("ben", "exam.centre", 0, "not-defined"),
        ("ben", "20_exam/why", 0, ""),
        ("ben", "exam.spread", 3, ""),
    ]
    page = graded.pages[0].read_text()
    assert "It **keeps** the rows &lt;b&gt;comparable&lt;/b&gt;." in page
    assert "checks.unpack" not in page
    with pytest.raises(InputError, match="there are no exercises for 20_exam; --course names the folder"):
        merge([tmp_path / "grades.csv"], tmp_path / "all.csv")
    assert not (tmp_path / "all").exists()
    entries, notes = merge([tmp_path / "grades.csv"], tmp_path / "all.csv", own=own)
    assert ([entry.lesson for entry in entries], notes) == ([LESSON, LESSON], [])
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "grades.csv").read_bytes()
    assert (tmp_path / "all" / entries[0].page).read_text() == page


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("checks/exam/centre.py", "def", r"the check of exam\.centre cannot be loaded \(SyntaxError"),
        ("exercises/20_exam.toml", "[", r"20_exam\.toml: "),
        ("exercises/21_bert.toml", "", r"21_bert\.toml: the course has a lesson 04_bert already"),
    ],
)
def test_a_folder_with_a_fault_is_refused_by_name(tmp_path, file, text, words):
    folder = begin(tmp_path)
    (folder / file).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "vitcourse", "assign", LESSON, "--out", "out", "--course", folder],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert re.search(words, done.stderr)
    assert "Traceback" not in done.stderr


def test_a_folder_without_exercises_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there are no exercises in it \(NN_topic\.toml\)"):
        checks.add(tmp_path)
