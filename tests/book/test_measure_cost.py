"""What a lesson costs is measured in a process of its own, and a lesson that fails is not recorded."""

import nbformat
import pytest
from measure_cost import lessons, measure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vitcourse.errors import InputError


@pytest.fixture
def write(tmp_path):
    def write(*code: str, name: str = "01_one/one"):
        path = tmp_path / "lessons" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        cells = [new_markdown_cell("# Title"), *map(new_code_cell, code)]
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


def test_seconds_threads_and_memory_are_those_of_the_lesson(write):
    path = write(
        "import os, time\nassert os.environ['OMP_NUM_THREADS'] == '1'",
        "assert os.environ['CUDA_VISIBLE_DEVICES'] == '' and os.environ['VITCOURSE_STATIC'] == '1'",
        "memory = bytearray(400_000_000)\ntime.sleep(0.5)",
    )
    cost = measure(path, "cpu", threads=1)
    assert cost["threads"] == 1
    assert 0.5 <= cost["seconds"] < 30
    assert 0.4 <= cost["peak_gb"] < 0.7


def test_a_lesson_that_fails_is_named_with_its_error(write):
    path = write("value = 1", "raise ValueError('wrong on purpose')")
    with pytest.raises(InputError, match=r"one\.ipynb: failed on cpu: ValueError: wrong on purpose"):
        measure(path, "cpu", threads=1)


def test_exercises_are_not_measured_and_an_unknown_lesson_is_named(write, tmp_path):
    for name in ("01_one/one", "01_one/one_exercises", "02_two/two"):
        write("1", name=name)
    assert list(lessons(tmp_path, [])) == ["01_one", "02_two"]
    assert [path.stem for path in lessons(tmp_path, ["01_one"]).values()] == ["one"]
    with pytest.raises(InputError, match="no lesson '03_three'"):
        lessons(tmp_path, ["03_three"])


@pytest.mark.gpu
def test_memory_of_the_gpu_is_measured(write):
    path = write("import torch\ntensor = torch.zeros(250_000_000, device='cuda')")
    assert 1.0 <= measure(path, "cuda", threads=1)["peak_gb"] < 1.2
