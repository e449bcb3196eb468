"""One browser for all tests of the book, and the pages they open."""

import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# book/programs/notebook_keys.py and page_checks.py are plain modules of no package.
sys.path[:0] = [str(ROOT / "book" / "programs"), str(Path(__file__).parent)]

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


@pytest.fixture
def opened(context, html):
    """Opens a page of the book in the folder ``html``, which each module brings."""
    pages = []

    def open_page(name: str):
        pages.append(context.new_page())
        pages[-1].goto((html / f"{name}.html").as_uri())
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()
