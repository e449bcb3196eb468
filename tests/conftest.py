"""What all tests share."""

import os
import sys
from pathlib import Path

import vitcourse  # noqa: F401 - first: it says how the threads of PyTorch wait, which is read when that is loaded

# isort: split
import pytest
import torch
from hypothesis import settings

from tests import own_sockets  # noqa: F401 - says where kernels listen

os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is first imported: no test may ask a hub for anything

# The same examples in every run: what passes here passes elsewhere. `--hypothesis-profile=default` searches on.
# No deadline: a busy machine is no fault of an example.
settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture
def device():
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@pytest.fixture
def command(monkeypatch, capsys):
    """Calls the command; gives its exit status, standard output and standard error."""

    from vitcourse import cli

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["vitcourse", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return call


# Why a test is slow, as pyproject.toml explains: of a whole folder here, of a file or a test where it stands.
REASONS = {
    *("builds_pages", "decodes", "executes_notebooks", "grades", "runs_into_limits", "starts_programs", "trains"),
    "tries_answers",
}
SLOW_FOLDERS = {"book": "builds_pages", "grading": "grades", "lessons": "executes_notebooks", "recipes": "trains"}


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items):
    """What has a reason to be slow is ``slow``. ``gpu`` is skipped where there is no CUDA device."""
    for item in items:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        if folder in SLOW_FOLDERS:
            item.add_marker(SLOW_FOLDERS[folder])
        if REASONS & {mark.name for mark in item.iter_markers()}:
            item.add_marker("slow")
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(pytest.mark.skip(reason="no CUDA device"))
