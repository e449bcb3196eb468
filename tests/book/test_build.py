"""The driver of the book: what is executed again, what is not, and that a failure stays one.

The keys are tested on files alone; one small book, without torch, is really built.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from notebook_keys import book_key, kernel_environment, notebook_key
from page_checks import visit
from small_books import build, write_book

from vitcourse.threads import NOTEBOOK

ROOT = Path(__file__).parents[2]
HANGS = 900  # seconds of the clock, against what hangs alone
FIRST, SECOND = "lessons/01_first/first.ipynb", "lessons/02_second/second.ipynb"


def write_notebook(path: Path, *code: str, text: str = "# A lesson") -> None:
    cells = [nbformat.v4.new_markdown_cell(text), *(nbformat.v4.new_code_cell(source) for source in code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


def make_small_book(root: Path) -> Path:
    """A book of two notebooks with the real configuration, extensions and templates."""
    empty = nbformat.v4.new_notebook()
    write_book(root, dict.fromkeys((name.removesuffix(".ipynb") for name in (FIRST, SECOND)), empty))
    (root / "book" / "results" / "digits_run.json").write_text("{}", encoding="utf-8")
    (root / "vitcourse" / "results.py").write_text("def load(name):\n    return name\n", encoding="utf-8")
    write_notebook(root / FIRST, "from vitcourse import results", "results.load('digits_run')")
    write_notebook(root / SECOND, "1 + 1")
    return root


@pytest.fixture
def small_book(tmp_path):
    return make_small_book(tmp_path)


def keys(root: Path, mode: str = "static") -> list[str]:
    return [notebook_key(root / name, root, mode) for name in (FIRST, SECOND)]


def changed(before: list[str], after: list[str]) -> list[bool]:
    return [old != new for old, new in zip(before, after, strict=True)]


def test_keys_do_not_change_by_themselves(small_book):
    assert keys(small_book) == keys(small_book)


@pytest.mark.parametrize(
    ("name", "both"),
    [("requirements.txt", True), ("vitcourse/__init__.py", False), ("vitcourse/results.py", False)],
)
def test_the_lock_changes_every_key_and_a_module_those_that_reach_it(small_book, name, both):
    """test_reach.py has the cases of what is reached."""
    before = keys(small_book)
    (small_book / name).write_text("changed = True\n", encoding="utf-8")
    assert changed(before, keys(small_book)) == [True, both]


def test_the_python_changes_every_key(small_book, monkeypatch):
    before = keys(small_book)
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    assert changed(before, keys(small_book)) == [True, True]


def test_a_recorded_run_changes_only_the_notebooks_that_load_it(small_book):
    path = small_book / "book" / "results" / "digits_run.npz"
    path.write_bytes(b"old")
    before = keys(small_book)
    path.write_bytes(b"new")
    assert changed(before, keys(small_book)) == [True, False]


def test_code_changes_a_key_and_prose_does_not(small_book):
    before = keys(small_book)
    code = ("from vitcourse import results", "results.load('digits_run')")
    write_notebook(small_book / FIRST, *code, text="# Another title")
    assert changed(before, keys(small_book)) == [False, False]
    write_notebook(small_book / FIRST, *code, "1 + 1")
    assert changed(before, keys(small_book)) == [True, False]


def test_static_and_live_runs_have_their_own_keys(small_book):
    assert changed(keys(small_book, "static"), keys(small_book, "live")) == [True, True]


def test_kernels_are_told_whether_they_run_for_the_book(tmp_path, monkeypatch):
    monkeypatch.setenv("VITCOURSE_STATIC", "1")
    assert kernel_environment(tmp_path, "static")["VITCOURSE_STATIC"] == "1"
    assert "VITCOURSE_STATIC" not in kernel_environment(tmp_path, "live")


@pytest.mark.parametrize("mode", ["static", "live"])
def test_kernels_compute_on_one_thread(tmp_path, monkeypatch, mode):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    env = kernel_environment(tmp_path, mode)
    assert {name: env[name] for name in NOTEBOOK} == NOTEBOOK
    program = "import torch; print(torch.get_num_threads())"
    assert subprocess.run([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, check=True).stdout == b"1\n"


@pytest.mark.parametrize("name", ["index.md", "_toc.yml", "book/assets/static/course.css", FIRST])
def test_each_source_makes_the_book_stale(small_book, name):
    before = book_key(small_book)
    path = small_book / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert book_key(small_book) != before


def test_each_profile_and_address_has_its_own_key(small_book):
    keys = {book_key(small_book, *settings) for settings in ((), ("class", ""), ("self-study", ""), ("class", "a"))}
    assert len(keys) == 4


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """One small book, built five times: with a failing cell (twice), mended, untouched, with another package."""
    root = make_small_book(tmp_path_factory.mktemp("book"))
    write_notebook(root / FIRST, "raise ValueError('wrong on purpose')")
    results = {"failing": build(root), "failing again": build(root)}
    results["stamped after failure"] = (root / "_build" / "book_key").exists()
    write_notebook(root / FIRST, "import os\nimport vitcourse", "print('static:', os.environ['VITCOURSE_STATIC'])")
    results["mended"] = build(root)
    results["untouched"] = build(root, "--if-stale")
    (root / "vitcourse" / "__init__.py").write_text("changed = True\n", encoding="utf-8")
    results["package changed"] = build(root, "--if-stale")
    return {"html": root / "_build" / "html", **results}


@pytest.mark.parametrize("which", ["failing", "failing again"])
def test_a_failing_cell_fails_every_build(builds, which):
    assert builds[which].returncode == 1
    assert "ValueError: wrong on purpose" in builds[which].stdout
    assert builds[which].stdout.splitlines()[-1].startswith(f"  failed: {FIRST}: code cell 1 of 1 (")


def test_a_failed_book_counts_as_stale(builds):
    assert not builds["stamped after failure"]


def test_only_the_mended_notebook_is_executed(builds):
    assert builds["mended"].returncode == 0, builds["mended"].stdout
    assert f"executing {FIRST} (1 of 1)" in builds["mended"].stdout
    assert f"executing {SECOND}" not in builds["mended"].stdout


def test_the_last_line_says_where_the_book_is(builds):
    assert builds["mended"].stdout.splitlines()[-1].strip() == (builds["html"] / "index.html").as_uri()


def test_an_untouched_book_is_not_built_again(builds):
    assert builds["untouched"].stdout == "The book is up to date.\n"


def test_a_change_of_the_package_executes_what_reaches_it(builds):
    assert builds["package changed"].returncode == 0
    assert f"executing {FIRST} (1 of 1)" in builds["package changed"].stdout


def test_notebooks_are_executed_in_static_mode(builds):
    assert "static: 1" in (builds["html"] / FIRST).with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.browser
@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_a_page_asks_for_nothing_off_the_machine(builds, context, name):
    page = (builds["html"] / name).with_suffix(".html")
    assert visit(context, page.as_uri()) == ([], [], [])


def is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_an_interrupted_build_ends_its_kernels_and_leaves_the_book_of_before(small_book):
    mark = small_book / "kernel"
    write_notebook(
        small_book / FIRST,
        f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(10_000)",
    )
    (small_book / "_build" / "html").mkdir(parents=True)
    before = {small_book / "_build" / "html" / "index.html": "a book", small_book / "_build" / "book_key": "its key"}
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")
    command = [sys.executable, ROOT / "book" / "programs" / "build.py", "--root", small_book]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + HANGS
        while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        kernel = int(mark.read_text())
        assert is_running(kernel)
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=HANGS)[0]
    assert process.returncode == 130
    assert output.splitlines()[-1] == "Interrupted: the book is not built. Run the command again."
    assert "Traceback" not in output
    deadline = time.monotonic() + HANGS
    while is_running(kernel) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not is_running(kernel)
    assert {path: path.read_text(encoding="utf-8") for path in before} == before
