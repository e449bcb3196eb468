"""Build the book: execute the lessons that changed, write the pages, print where to open them.

Run by `make book`, and with --if-stale by `make test`. A cell that fails, a warning of Sphinx or a broken link leaves a
book all the same, in which the page of that notebook says so; the exit status is 1, and the book counts as stale.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from execute import book_notebooks, is_executed, say
from faults import ANSI_COLOUR
from notebook_keys import book_key, kernel_environment
from saving import hold_downloads
from stage import clone_address, downloads, make_source
from weight import lighten

from vitcourse.errors import InputError, one_line
from vitcourse.notebooks import PROFILES
from vitcourse.notebooks.files import write

WARNING = re.compile(r"\b(WARNING|ERROR|CRITICAL|SEVERE):")
SHOWN = 5
# The end of Sphinx's work: where it is missing, an exception ended it.
LAST_WRITTEN = "searchindex.js"
# As the command does it, but quicker (quicker.py says why).
JUPYTER_BOOK = "import sys; sys.modules['rfc3987_syntax'] = None; from jupyter_book.cli.main import main; main()"
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
        return book_key(self.root, self.name, clone_address(self.root))

    def is_fresh(self) -> bool:
        pages = self.html / "index.html"
        return pages.exists() and self.stamp.exists() and self.stamp.read_text(encoding="utf-8") == self.key()


def show_plain(stream, prefix: str, muted: threading.Event, warnings: list[str]) -> None:
    """Print warnings and errors as they come, without colours, and with the paths that the writer of a page knows."""
    for line in stream:
        if not muted.is_set():
            plain = ANSI_COLOUR.sub("", line).replace(prefix, "").rstrip("\n")
            say(plain)
            if WARNING.search(plain):
                warnings.append(plain)


def run(command: list, profile: Profile, *, quiet: bool) -> tuple[int, list[str]]:
    """Run a part of the build, and end it where this program is asked to end.

    Args:
        quiet: show what it writes on standard error alone.

    Returns:
        the exit status, and what was a warning or an error among the lines on standard error.
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
        warnings: list[str] = []
        errors = threading.Thread(target=show_plain, args=(process.stderr, f"{profile.source}/", muted, warnings))
        errors.start()
        try:
            code = process.wait()
        except KeyboardInterrupt:
            muted.set()
            process.kill()  # its kernels notice, and end themselves
            raise
        finally:
            errors.join()
    return code, warnings


def write_pages(profile: Profile) -> list[str]:
    """Build the pages of one profile, and put them in place of the old ones.

    Returns:
        what is wrong with them, one line each.

    Raises:
        InputError: there are no pages to put there; the old ones stay.
    """
    faults = make_source(profile.root, profile.source, profile.name)
    made = profile.folder / "_build"
    shutil.rmtree(made, ignore_errors=True)
    # --all reads every page again: a plain second build would skip a page that failed, and pass.
    command = [sys.executable, "-P", "-c", JUPYTER_BOOK, "build", profile.source, "--path-output", profile.folder]
    code, warnings = run([*command, "--all", "-W", "--keep-going", "-n"], profile, quiet=True)
    if not (made / "html" / LAST_WRITTEN).exists():
        raise InputError("Sphinx did not come to its end; what it said is shown above.")
    copies, more = downloads(profile.root)
    for name, notebook in copies.items():
        write(notebook, made / "html" / "_sources" / name)
    hold_downloads(made / "html")
    lighten(made / "html")
    profile.stamp.unlink(missing_ok=True)
    put_in_place(made / "html", profile.html)
    found = [f"{name}: {fault.sentence}" for name, fault in sorted((more | faults).items())]
    if code:
        many = f"{len(warnings)} warnings on the pages; all of them are shown above"
        found = [*map(one_line, warnings[:SHOWN]), many, *found]
    return found


def put_in_place(new: Path, place: Path) -> None:
    """Move a folder to where another one is. Whatever happens, the new or the old one is there afterwards."""
    old = place.with_name(f"{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    try:
        if place.exists():
            place.replace(old)
        new.replace(place)
    finally:
        if old.exists() and not place.exists():
            old.replace(place)
    shutil.rmtree(old, ignore_errors=True)


def build_book(profile: Profile) -> int:
    root = profile.root
    profile.folder.mkdir(parents=True, exist_ok=True)
    begin, key = time.monotonic(), profile.key()

    waiting = sum(not is_executed(path, root) for path in book_notebooks(root))
    say(f"Building the book; notebooks to execute: {waiting or 'none, nothing they depend on changed'}")
    if waiting:
        command = [sys.executable, Path(__file__).with_name("execute.py"), "--root", root]
        code, _ = run(command, profile, quiet=False)
        if code:
            raise InputError("The program that executes the notebooks did not come to its end; see above.")
    say("  reading and writing the pages")
    faults = write_pages(profile)
    seconds = time.monotonic() - begin
    if not faults:
        profile.stamp.write_text(key, encoding="utf-8")
    what = "The book" if profile.name == SELF_STUDY else f"The book for a {profile.name}"
    say(f"{what} is built{' with faults' if faults else ''} ({seconds:.0f} s). Open it in a browser:")
    say(f"  {(profile.html / 'index.html').as_uri()}")
    for fault in faults:
        say(f"  failed: {fault}")
    return 1 if faults else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the book's _config.yml")
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
