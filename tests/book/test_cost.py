"""What each notebook costs is measured in a process of its own, and one that fails is not recorded."""

import nbformat
import pytest
from cost import cells_key, measure, notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vitcourse.errors import InputError


@pytest.fixture
def write(tmp_path):
    def write(*code: str, name: str = "01_one/one", text: str = "# Title"):
        path = tmp_path / "lessons" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        cells = [new_markdown_cell(text), *map(new_code_cell, code)]
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def test_seconds_threads_and_memory_are_those_of_the_notebook(write):
    """Seconds are the processor's, those of programs that the notebook starts included."""
    path = write(
        "import os\nassert os.environ['OMP_NUM_THREADS'] == '1'",
        "assert os.environ['CUDA_VISIBLE_DEVICES'] == '' and os.environ['VITCOURSE_STATIC'] == '1'",
        "memory = bytearray(400_000_000)",
    )
    cost = measure(path, "cpu")
    assert cost["threads"] == 1
    assert 0.4 <= cost["peak_gb"] < 0.7
    work = "import time\nwhile time.process_time() < 2: pass"
    started = write("import subprocess, sys", f"subprocess.run([sys.executable, '-c', {work!r}], check=True)")
    assert measure(started, "cpu")["seconds"] > 2


def test_a_notebook_that_fails_is_named_with_its_error(write):
    path = write("value = 1", "raise ValueError('wrong on purpose')")
    with pytest.raises(InputError, match=r"one\.ipynb: failed on cpu: ValueError: wrong on purpose"):
        measure(path, "cpu")


def test_a_lesson_is_measured_with_its_exercises_and_an_unknown_one_is_named(write, tmp_path):
    for name in ("01_one/one", "01_one/one_exercises", "02_two/more", "02_two/two"):
        write("1", name=name)
    assert list(notebooks(tmp_path, [])) == ["01_one", "01_one_exercises", "02_two/more", "02_two"]
    assert [path.stem for path in notebooks(tmp_path, ["01_one"]).values()] == ["one", "one_exercises"]
    with pytest.raises(InputError, match=r"no lesson '03_three' \(there are: 01_one, 02_two\)"):
        notebooks(tmp_path, ["03_three"])


def test_a_record_stays_while_the_code_of_the_notebook_does(write):
    key = cells_key(write("a = 1", "b = 2"))
    assert cells_key(write("a = 1", "b = 2", text="# Another title")) == key
    assert len({key, cells_key(write("a = 1", "b = 3")), cells_key(write("a = 1\nb = 2"))}) == 3


@pytest.mark.gpu
def test_memory_of_the_gpu_is_measured(write):
    path = write("import torch\ntensor = torch.zeros(250_000_000, device='cuda')")
    assert 1.0 <= measure(path, "cuda")["peak_gb"] < 1.2
