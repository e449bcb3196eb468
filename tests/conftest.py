"""What all tests share."""

import os
import shutil
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
# What `make test-slow` runs at length; `tests/checks/test_bank.py` says with which numbers.
settings.register_profile("at_length", settings.get_profile("course"))
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


CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--use-fake-device-for-media-stream",  # a camera that shows a moving test picture,
    "--use-fake-ui-for-media-stream",  # and may be used without asking
)


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser():
    path = chromium()
    if path is None:
        reason = "no chromium on this machine: the built pages are not opened"
        if os.environ.get("VITCOURSE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser):
    context = browser.new_context()
    # Pages are small and local, but the machine may be busy: what takes longer than a quarter of an hour hangs.
    context.set_default_timeout(900_000)
    yield context
    context.close()


# Why a test is slow, as pyproject.toml explains: of a whole folder here, of a file or a test where it stands.
REASONS = {
    *("builds_pages", "decodes", "executes_notebooks", "grades", "runs_into_limits", "starts_programs", "trains"),
    *("at_length", "tries_answers"),
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
