"""Build the book: execute the lessons that changed, write the pages, print where to open them.

Run by `make book`, and with --if-stale by `make test`. A failing cell, a warning of Sphinx or a broken link fails the
build, and fails it again: pages are always read anew, and a notebook that failed is never kept.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from execute import book_notebooks, is_executed, say
from notebook_keys import book_key, kernel_environment
from saving import hold_downloads
from stage import downloads, make_source, repository

from vitcourse.errors import InputError
from vitcourse.notebooks import PROFILES
from vitcourse.notebooks.files import write

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SELF_STUDY = PROFILES[0]


class Profile:
    """Where one profile of the book is built, and what its pages depend on."""

    def __init__(self, root: Path, name: str):
        self.root, self.name = root, name
        self.folder = root / "_build" / name
        self.source = self.folder / "source"
        # The book that a reader gets from `make book` has the short address.
        self.home = root / "_build" if name == SELF_STUDY else self.folder
        self.html = self.home / "html"
        self.stamp = self.home / "book_key"

    def key(self) -> str:
        return book_key(self.root, self.name, repository(self.root) or "")

    def is_fresh(self) -> bool:
        pages = self.html / "index.html"
        return pages.exists() and self.stamp.exists() and self.stamp.read_text(encoding="utf-8") == self.key()


def show_plain(stream, prefix: str, muted: threading.Event) -> None:
    """Print warnings and errors as they come, without colours, and with the paths that the writer of a page knows."""
    for line in stream:
        if not muted.is_set():
            say(ANSI_COLOUR.sub("", line).replace(prefix, "").rstrip("\n"))


def run(command: list, profile: Profile, *, quiet: bool) -> int:
    """Run a part of the build, and end it where this program is asked to end.

    Args:
        quiet: show what it writes on standard error alone.
    """
    env = {**kernel_environment(profile.root / "_build", "static"), "PYTHONUNBUFFERED": "1"}
    # In a session of its own, Ctrl-C does not reach it: it is ended below, and not with pages of tracebacks.
    out = subprocess.DEVNULL if quiet else None
    with subprocess.Popen(
        command,
        cwd=profile.root,
        env=env,
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        muted = threading.Event()
        errors = threading.Thread(target=show_plain, args=(process.stderr, f"{profile.source}/", muted))
        errors.start()
        try:
            return process.wait()
        except KeyboardInterrupt:
            muted.set()
            process.kill()  # its kernels notice, and end themselves
            raise
        finally:
            errors.join()


def write_pages(profile: Profile) -> int:
    """Build the pages of one profile, and put them in place of the old ones."""
    make_source(profile.root, profile.source, profile.name)
    made = profile.folder / "_build"
    shutil.rmtree(made, ignore_errors=True)
    # --all reads every page again: a plain second build would skip a page that failed, and pass.
    command = [Path(sys.executable).with_name("jupyter-book"), "build", profile.source, "--path-output", profile.folder]
    with ThreadPoolExecutor() as pool:
        copies = pool.submit(downloads, profile.root)  # in the meantime: the catalogue of exercises brings torch
        code = run([*command, "--all", "-W", "--keep-going", "-n"], profile, quiet=True)
    if code:
        return code
    for name, notebook in copies.result().items():
        write(notebook, made / "html" / "_sources" / name)
    hold_downloads(made / "html")
    shutil.rmtree(profile.html, ignore_errors=True)
    (made / "html").replace(profile.html)
    return 0


def build_book(profile: Profile) -> int:
    root = profile.root
    profile.folder.mkdir(parents=True, exist_ok=True)
    profile.stamp.unlink(missing_ok=True)
    begin, key = time.monotonic(), profile.key()

    waiting = sum(not is_executed(path, root) for path in book_notebooks(root))
    say(f"Building the book; notebooks to execute: {waiting or 'none, nothing they depend on changed'}")
    command = [sys.executable, Path(__file__).with_name("execute.py"), "--root", root]
    code = run(command, profile, quiet=False) if waiting else 0
    if not code:
        say("  reading and writing the pages")
        code = write_pages(profile)
    seconds = time.monotonic() - begin
    if code:
        say(f"\nThe book is not built ({seconds:.0f} s). What failed is shown above.")
        return 1
    profile.stamp.write_text(key, encoding="utf-8")
    what = "The book is built" if profile.name == SELF_STUDY else f"The book for a {profile.name} is built"
    say(f"{what} ({seconds:.0f} s). Open it in a browser:")
    say(f"  {(profile.html / 'index.html').as_uri()}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="folder of the book's _config.yml")
    parser.add_argument("--profile", choices=PROFILES, default=SELF_STUDY, help="with the solutions, or without")
    parser.add_argument("--if-stale", action="store_true", help="do nothing where the built book is up to date")
    options = parser.parse_args()
    profile = Profile(options.root.resolve(), options.profile)
    # Asked to end, do as for Ctrl-C: end what was started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.if_stale and profile.is_fresh():
        say("The book is up to date.")
        return 0
    try:
        return build_book(profile)
    except InputError as error:
        say(f"\nThe book is not built. {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted: the book is not built. Run the command again.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
