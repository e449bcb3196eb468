"""What all tests share."""

import os
import sys

import vitcourse  # noqa: F401 - first: it says how the threads of PyTorch wait, which is read when that is loaded

# isort: split
import pytest
import torch
from hypothesis import settings

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


def pytest_collection_modifyitems(items):
    """A test marked ``gpu`` is skipped, with the reason, where there is no CUDA device."""
    if not torch.cuda.is_available():
        for item in items:
            if "gpu" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="no CUDA device"))
