"""A notebook that fails is one page that says so: what is kept of it, what its page shows, and that the rest is built.

Single notebooks are executed without a book; one small book has a notebook of each kind of failure.
"""

import json
import os
import re
from pathlib import Path

import nbformat
import pytest
from build import put_in_place
from execute import CELL_SECONDS, execute, executed_path, is_executed, with_outputs
from faults import Fault, clean, failed_page, unread_page
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from page_checks import visit
from small_books import build, write_book
from solution_text import leaks, marks

from tests.notebooks import sample
from vitcourse.errors import InputError

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
NAME = "lessons/01_one/one"


def notebook_of(*code: str | nbformat.NotebookNode, title: str = "A lesson") -> nbformat.NotebookNode:
    cells = [cell if not isinstance(cell, str) else new_code_cell(cell, id=f"cell-{i}") for i, cell in enumerate(code)]
    return new_notebook(cells=[new_markdown_cell(f"# {title}", id="title"), *cells], metadata=KERNEL)


@pytest.fixture
def run(tmp_path):
    """Executes a notebook in a root of its own; returns what failed and the cells that are kept."""
    (tmp_path / "requirements.txt").write_text("", encoding="utf-8")
    path = tmp_path / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)

    def run(*code: str | nbformat.NotebookNode, **options):
        nbformat.write(notebook_of(*code), path)
        fault = execute(path, tmp_path, **options)
        assert is_executed(path, tmp_path) == (fault is None)
        shown, kept = with_outputs(path, tmp_path)
        assert kept == fault
        return fault, [cell for cell in shown.cells if cell.cell_type == "code"]

    return run


def shown_by(cell: nbformat.NotebookNode) -> str:
    parts = [output.get("text") or "\n".join(output.get("traceback", [])) for output in cell.outputs]
    return "\n".join(part.strip() for part in parts)


def test_outputs_up_to_the_failing_cell_are_kept(run):
    fault, cells = run("print('before')", "# A comment\nprint('partly')\nnumber = 1\nnumber / 0", "print('after')")
    assert fault == Fault("ZeroDivisionError", "ZeroDivisionError: division by zero", 2, 3, "cell-1", "# A comment")
    assert fault.sentence == "code cell 2 of 3 (cell-1): ZeroDivisionError: division by zero"
    assert [shown_by(cell) for cell in cells] == [
        "before",
        "partly\nline 4: number / 0\nZeroDivisionError: division by zero",
        "",
    ]


def test_outputs_that_the_source_has_do_not_stand_for_results(run):
    later = new_code_cell("2", id="later", outputs=[new_output("stream", text="of another day")])
    fault, cells = run("1 / 0", later)
    assert fault.number == 1
    assert cells[1].outputs == []


def test_an_error_shows_no_traceback_and_no_path_of_the_machine(run, tmp_path):
    code = (
        "import json, sys\nfrom pathlib import Path\n"
        f"print({str(tmp_path)!r} + '/lessons/a.txt', json.__file__, file=sys.stderr)\n"
        "def deeper(n):\n    return deeper(n - 1) if n else json.loads(Path(json.__file__ + '/none').read_text())\n"
        "deeper(20)"
    )
    fault, cells = run(code)
    assert fault.kind == "NotADirectoryError"
    text = shown_by(cells[0])
    assert text.splitlines()[0] == "lessons/a.txt …/__init__.py"
    assert text.splitlines()[-1] == fault.error == "NotADirectoryError: [Errno 20] Not a directory: '…/none'"
    assert len(text.splitlines()) == 3
    assert str(tmp_path) not in executed_path(tmp_path / f"{NAME}.ipynb", tmp_path).read_text(encoding="utf-8").replace(
        json.dumps(code)[1:-1], ""
    ).replace(json.dumps(code.splitlines()[2] + "\n")[1:-1], "")


def test_a_long_message_is_cut_and_its_last_line_named(run):
    fault, cells = run("raise ValueError('\\n'.join(f'row {i}' for i in range(50)) + ' ' + 'x' * 1000)")
    lines = shown_by(cells[0]).splitlines()
    assert lines[1:3] == ["ValueError: row 0", "row 1"]
    assert lines[-1] == "…"
    assert len(lines) == 12
    assert fault.error.startswith("ValueError: row 49 xxx")
    assert len(fault.error) < 400


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = 3\nassert x > 4", "AssertionError, line 2: assert x > 4"),
        ("x = (", r"(_Incomplete\w+|SyntaxError): .*incomplete input.*|SyntaxError: .*never closed.*"),
        (
            "import os\nprint('last words', flush=True)\nos.kill(os.getpid(), 9)",
            "The kernel died: its process ended .*",
        ),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt, line 1: raise KeyboardInterrupt"),
    ],
)
def test_whatever_ends_a_cell_is_named(run, code, error):
    fault, cells = run("1", code, "2")
    assert (fault.number, fault.cell) == (2, "cell-1")
    assert re.fullmatch(error, fault.error), fault.error
    assert shown_by(cells[1]).endswith(fault.error)
    assert cells[2].outputs == []


def test_a_cell_that_hangs_is_ended(run):
    fault, cells = run("while True: pass", "2", cell_seconds=2)
    assert fault.sentence == "code cell 1 of 2 (cell-0): Timeout: the cell took more than 2 s"
    assert [shown_by(cell) for cell in cells] == ["Timeout: the cell took more than 2 s", ""]


def test_the_limit_of_a_cell_is_one_for_what_hangs():
    assert CELL_SECONDS >= 15 * 60


def test_a_kernel_that_does_not_exist_blames_no_cell(tmp_path):
    (tmp_path / "requirements.txt").write_text("", encoding="utf-8")
    path = tmp_path / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    notebook = notebook_of("1")
    notebook.metadata.kernelspec.name = "none"
    nbformat.write(notebook, path)
    fault = execute(path, tmp_path)
    assert fault.number == 0
    assert fault.sentence == "NoSuchKernel: No such kernel named none"


def test_what_is_no_notebook_is_refused_and_nothing_kept(tmp_path):
    path = tmp_path / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")
    assert not is_executed(path, tmp_path)
    with pytest.raises(InputError, match=r"one\.ipynb: not a notebook"):
        execute(path, tmp_path)
    assert not (tmp_path / "_build").exists()


PATHS = {
    "in '/srv/book/lessons/a.py', line 3": "in 'lessons/a.py', line 3",
    "/usr/lib/python3/json/__init__.py:3: W": "…/__init__.py:3: W",
    "open(/home/some.one/x-y_z/data.csv)": "open(…/data.csv)",
    "file:///home/me/a.txt": "…/a.txt",
    "see https://example.org/a/b and a/b/c, ../a/b, ./a/b, ~/a/b": (
        "see https://example.org/a/b and a/b/c, ../a/b, ./a/b, ~/a/b"
    ),
    "1/2/3 and 4 / 5": "1/2/3 and 4 / 5",
    "\x1b[31mred\x1b[0m": "red",
}


@pytest.mark.parametrize("text", PATHS)
def test_paths_of_the_machine_become_short(text):
    assert clean(text, Path("/srv/book")) == PATHS[text]


def test_a_folded_cell_that_failed_is_shown():
    notebook = notebook_of("1", new_code_cell("2", id="two", metadata={"tags": ["hide-input", "remove-cell"]}))
    page = failed_page(notebook, Fault("E", "E: e", 2, 2, "two", "2"), "self-study")
    assert page.cells[3].metadata.tags == ["hide-input"]
    assert "tags" in notebook.cells[2].metadata
    assert notebook.cells[2].metadata.tags == ["hide-input", "remove-cell"]


def test_the_notice_stands_at_the_very_top_and_holds_any_text():
    fault = Fault("KeyError", "KeyError: '```{{ x }} :::'", 1, 1, "one", "x = '```' # :::")
    page = failed_page(notebook_of("1"), fault, "self-study")
    assert page.cells[1].source == "# A lesson"
    for part in ("Code cell 1 of 1 (`one`)", fault.line, fault.error):
        assert part in page.cells[0].source


def test_for_a_class_nothing_is_told_that_a_solution_could_say():
    secret = "secret_thing = query @ key.mT"
    exercises = sample.exercises_notebook(f"### BEGIN SOLUTION\n{secret}\n### END SOLUTION")
    code = [cell for cell in exercises.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.outputs = [new_output("error", ename="NameError", evalue=secret, traceback=[f"line 1: {secret}"])]
        fault = Fault("NameError", f"NameError: {secret}", number, len(code), cell.id, "# YOUR CODE HERE")
        for profile, open_book in (("self-study", True), ("class", False)):
            page = failed_page(exercises, fault, profile)
            told = page.cells[0].source + json.dumps([part.get("outputs") for part in page.cells])
            assert "NameError" in told
            assert (secret in told) == open_book
        cell.outputs = []
    assert secret not in nbformat.writes(unread_page("x", Fault("unread", secret), "class"))


def test_a_folder_takes_the_place_of_another_or_leaves_it(tmp_path):
    new, place = tmp_path / "new", tmp_path / "place"
    for content in ("first", "second"):
        new.mkdir()
        (new / "file").write_text(content, encoding="utf-8")
        put_in_place(new, place)
        assert (place / "file").read_text(encoding="utf-8") == content
    with pytest.raises(FileNotFoundError):
        put_in_place(new, place)
    assert (place / "file").read_text(encoding="utf-8") == "second"
    assert os.listdir(tmp_path) == ["place"]  # noqa: PTH208


ONE, TWO, THREE, FOUR = (f"lessons/0{i}_{name}/{name}" for i, name in enumerate(("a", "b", "c", "d"), start=5))
LESSON, EXERCISES = "lessons/01_attention/attention", "lessons/01_attention/attention_exercises"
# The check fails, and its report names the line of the solution.
SOLUTION = """\
def scores(query, key):
    ### BEGIN SOLUTION
    transposed_keys = key.no_such_attribute
    return transposed_keys
    ### END SOLUTION"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book with four notebooks that fail, each in its own way, and two that run; built for both profiles."""
    notebooks = {
        ONE: notebook_of("print('fine')", title="Fine"),
        TWO: notebook_of("print('shown before')", "raise ValueError('on purpose')", "print('never')", title="Raises"),
        THREE: notebook_of("import os\nos.kill(os.getpid(), 9)", title="Dies"),
        FOUR: notebook_of("1"),
        LESSON: sample.lesson_notebook(),
        EXERCISES: sample.exercises_notebook(SOLUTION),
    }
    # A figure that another page may speak of, from a cell that does not run.
    notebooks[TWO].cells[-1].metadata["mystnb"] = {"figure": {"name": "never", "caption": "A figure."}}
    root = write_book(
        tmp_path_factory.mktemp("faults"), notebooks, "book/exercises", "book/objectives", "book/references"
    )
    (root / f"{FOUR}.ipynb").write_text('{"cells": [', encoding="utf-8")
    done = {profile: build(root, "--profile", profile) for profile in ("self-study", "class")}
    return {"root": root, **done}


def page_text(book, name: str, profile: str = "self-study") -> str:
    folder = book["root"] / "_build" / ("html" if profile == "self-study" else "class/html")
    return re.sub(r"<[^>]+>", "", (folder / f"{name}.html").read_text(encoding="utf-8"))


FAILED = {
    EXERCISES: r"code cell 3 of 3 \(scores-check\): CheckFailed: .*no_such_attribute.*",
    TWO: r"code cell 2 of 3 \(cell-1\): ValueError: on purpose",
    THREE: r"code cell 1 of 1 \(cell-0\): The kernel died: its process ended while this cell ran",
    FOUR: r"not a notebook \(.*\)",
}


@pytest.mark.parametrize("profile", ["self-study", "class"])
def test_the_book_is_built_and_what_failed_is_named_last(book, profile):
    done = book[profile]
    assert done.returncode == 1
    *_, address = (line for line in done.stdout.splitlines() if line.strip().startswith("file://"))
    assert Path(address.strip().removeprefix("file://")).exists()
    named = done.stdout.partition(f"{address}\n")[2].splitlines()
    assert len(named) == len(FAILED)
    for line, name in zip(named, sorted(FAILED), strict=True):
        assert re.fullmatch(rf"  failed: {name}\.ipynb: {FAILED[name]}", line), line
    assert "WARNING" not in done.stdout


def test_a_book_with_faults_is_stale_and_only_what_failed_is_tried_again(book):
    assert not (book["root"] / "_build" / "book_key").exists()
    tried = re.findall(r"executing (\S+)\.ipynb \(\d of (\d)\)", book["class"].stdout)
    assert tried == [(name, str(len(FAILED))) for name in sorted(FAILED)]


def test_the_page_of_a_failed_notebook_says_so_before_all_else(book):
    article = page_text(book, TWO)
    article = article[article.index("This notebook failed") :]
    parts = ("Code cell 2 of 3", "ValueError: on purpose", "Raises", "shown before", "line 1: raise")
    places = [article.index(part) for part in parts]
    assert places == sorted(places)
    assert "Traceback" not in article
    assert "fine" in page_text(book, ONE)
    assert "This notebook failed" not in page_text(book, ONE)


@pytest.mark.browser
@pytest.mark.parametrize("name", [*FAILED, ONE])
@pytest.mark.parametrize("profile", ["html", "class/html"])
def test_the_page_is_as_sound_as_any_other(book, context, profile, name):
    assert visit(context, (book["root"] / "_build" / profile / f"{name}.html").as_uri()) == ([], [], [])


def test_nothing_of_a_solution_is_told_to_a_class(book):
    """The same search finds it in the book for self-study, so it would find it here."""
    wanted = marks_of(book["root"])
    found = leaks(book["root"] / "_build" / "class", wanted)
    assert found == {"attention_exercises: scores-solution": set()}
    assert leaks(book["root"] / "_build" / "html", wanted) != found
    assert "no_such_attribute" in page_text(book, EXERCISES)
    assert "CheckFailed" in page_text(book, EXERCISES, "class")


def marks_of(root: Path):
    """What gives the solution away, without the notebook that cannot be read."""
    path = root / f"{FOUR}.ipynb"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    found = marks(root)
    path.write_text(text, encoding="utf-8")
    return found
