"""Build the book: execute the lessons that changed, write the pages, print where to open them.

Run by `make book`, and with --if-stale by `make test`. A failing cell, a warning of Sphinx or a broken link fails the
build, and fails it again: pages are always read anew, and a notebook that failed is never cached.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from jupyter_cache import get_cache
from notebook_keys import book_key, kernel_environment, notebook_key, notebooks

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EXECUTING = re.compile(r"(\S+\.ipynb): Executing notebook using")
EXECUTED = re.compile(r"Executed notebook in ([\d.]+) seconds")


def say(text: str = "") -> None:
    print(text, flush=True)


def open_cache(build: Path):
    """The store of executed notebooks, emptied if an interruption has left it unreadable."""
    cache = get_cache(build / ".jupyter_cache")
    try:
        for record in cache.list_cache_records():
            cache.get_cache_bundle(record.pk)
    except Exception as error:  # whatever is wrong with it, executing again is right
        say(f"The stored results cannot be read ({error}); every lesson is executed again.")
        cache.clear_cache()
        cache = get_cache(build / ".jupyter_cache")
    return cache


def is_cached(cache, notebook: Path) -> bool:
    try:
        cache.match_cache_file(str(notebook))
    except KeyError:
        return False
    return True


def forget_changed(root: Path, build: Path) -> int:
    """Drop the cached notebooks whose key changed; return how many notebooks of the book are to be executed."""
    cache = open_cache(build)
    record = build / "notebook_keys.json"
    old = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    new = {path.relative_to(root).as_posix(): notebook_key(path, root, "static") for path in notebooks(root)}
    for name, key in new.items():
        if old.get(name) != key and is_cached(cache, root / name):
            cache.remove_cache(cache.match_cache_file(str(root / name)).pk)
    # Written before the execution: what is interrupted now is not in the cache, and is executed the next time.
    record.write_text(json.dumps(new, indent=1), encoding="utf-8")
    contents = (root / "_toc.yml").read_text(encoding="utf-8")
    return sum(name.removesuffix(".ipynb") in contents and not is_cached(cache, root / name) for name in new)


def show_plain(stream, muted: threading.Event) -> None:
    """Print warnings and errors as they come, without the colours that Sphinx writes even into a log file."""
    in_executor = False
    for line in stream:
        if muted.is_set():
            continue
        # Before the failing cell comes the traceback of the program that executes cells, which tells a reader nothing.
        if in_executor and not line.startswith("nbclient.exceptions."):
            continue
        in_executor = "Executing notebook failed: CellExecutionError" in line
        say(ANSI_COLOUR.sub("", line).rstrip("\n"))


def run_jupyter_book(root: Path, build: Path, waiting: int) -> int:
    """Build the pages, and show what is being executed and what went wrong."""
    # --all reads every page again: a plain second build would skip a page that failed, and pass.
    command = [Path(sys.executable).with_name("jupyter-book"), "build", root, "--all", "-W", "--keep-going", "-n"]
    env = {**kernel_environment(build, "static"), "PYTHONUNBUFFERED": "1"}
    started = 0
    # In a session of its own, Ctrl-C does not reach it: it is ended below, and not with pages of tracebacks.
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, cwd=root, env=env, **pipes) as process:
        muted = threading.Event()
        errors = threading.Thread(target=show_plain, args=(process.stderr, muted))
        errors.start()
        try:
            for raw in process.stdout:
                line = ANSI_COLOUR.sub("", raw)
                if match := EXECUTING.search(line):
                    started += 1
                    say(f"  executing {Path(match[1]).relative_to(root)} ({started} of {waiting})")
                elif match := EXECUTED.search(line):
                    say(f"    done in {float(match[1]):.1f} s")
                elif line.startswith("building [html]"):
                    say("  reading and writing the pages")
        except KeyboardInterrupt:
            muted.set()
            process.kill()  # its kernels notice, and end themselves
            raise
        finally:
            errors.join()
    return process.returncode


def failed_notebooks(build: Path) -> list[str]:
    """The notebooks whose execution failed: Jupyter Book leaves a report for each."""
    reports = build / "html" / "reports"
    return sorted(p.relative_to(reports).as_posix().removesuffix(".err.log") for p in reports.rglob("*.err.log"))


def build_book(root: Path) -> int:
    build = root / "_build"
    build.mkdir(exist_ok=True)
    stamp = build / "book_key"
    stamp.unlink(missing_ok=True)
    begin, key = time.monotonic(), book_key(root)

    waiting = forget_changed(root, build)
    say(f"Building the book; notebooks to execute: {waiting or 'none, nothing they depend on changed'}")
    # Pages that have left the table of contents must leave the book.
    for name in ("html", ".doctrees", "jupyter_execute"):
        shutil.rmtree(build / name, ignore_errors=True)
    code = run_jupyter_book(root, build, waiting)
    seconds = time.monotonic() - begin
    if code:
        say(f"\nThe book is not built ({seconds:.0f} s). What failed is shown above.")
        for name in failed_notebooks(build):
            say(f"  failing notebook: {name}.ipynb")
        return 1
    stamp.write_text(key, encoding="utf-8")
    say(f"The book is built ({seconds:.0f} s). Open it in a browser:")
    say(f"  {(build / 'html' / 'index.html').as_uri()}")
    return 0


def is_fresh(root: Path) -> bool:
    stamp = root / "_build" / "book_key"
    pages = root / "_build" / "html" / "index.html"
    return pages.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == book_key(root)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="folder of the book's _config.yml")
    parser.add_argument("--if-stale", action="store_true", help="do nothing where the built book is up to date")
    options = parser.parse_args()
    root = options.root.resolve()
    # Asked to end, do as for Ctrl-C: end what was started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.if_stale and is_fresh(root):
        say("The book is up to date.")
        return 0
    try:
        return build_book(root)
    except KeyboardInterrupt:
        say("\nInterrupted: the book is not built. Run the command again.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
