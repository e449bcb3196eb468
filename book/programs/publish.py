"""Commit the learner's notebooks, and what is needed to run them, to the branch that Colab and Binder open.

Run by `make publish`. It writes a commit and moves the branch `learner`: neither the working tree nor the index nor the
branch that is checked out changes, and nothing is pushed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from packaging.requirements import Requirement
from stage import repository

from vitcourse.errors import InputError
from vitcourse.notebooks import learner_notebooks
from vitcourse.notebooks.files import LEARNER_BRANCH, write

# What the notebooks need, of all that git knows or would not ignore.
NEEDED = ("vitcourse", "book/results", "pyproject.toml", "LICENSE")
README = """\
# Vision transformers: the notebooks to work in

The notebooks lie under `lessons/`: first the lesson, then its exercises, with a check below each. They import the
package `vitcourse`, which lies beside them. On a machine of your own you need Python 3.11 or newer; in this folder:

```
python3 -m venv .venv
.venv/bin/pip install -e . jupyterlab
.venv/bin/jupyter lab lessons
```

On Windows: `py -m venv .venv`, and `.venv\\Scripts\\` in place of `.venv/bin/`. The packages are downloaded once; they
take about 7 GB of disk on Linux, most of it PyTorch with its CUDA libraries. Nothing else is downloaded.

Colab and Binder open these notebooks from the branch `learner` of the course, where it is published. This folder is
written by `make publish` and `make dist`: to change the course, change what it is made from.
"""
# PyTorch's own index has packages without CUDA, which are a tenth of the size: Binder has no GPU.
BINDER = """\
--extra-index-url https://download.pytorch.org/whl/cpu
{pins}
-e .
"""
PINNED_FOR_BINDER = ("torch", "torchvision", "jupyterlab", "ipywidgets")


def git(root: Path, *arguments: str, **environment: str) -> str:
    """What a git command prints.

    Raises:
        InputError: it failed; with its last line.
    """
    command = ["git", "-C", root, *arguments]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise InputError(f"git {arguments[0]}: {lines[-1]}")
    return done.stdout.strip()


def binder_requirements(lock: str) -> str:
    """The requirements of Binder: versions as in the lock, for the few packages that must fit together."""
    lines = [line for line in lock.splitlines() if line.strip() and not line.startswith(("#", " "))]
    pins = [f"{pin.name}{pin.specifier}" for pin in map(Requirement, lines) if pin.name in PINNED_FOR_BINDER]
    return BINDER.format(pins="\n".join(pins))


def collect(root: Path, out: Path) -> None:
    """Write the tree of the branch into a folder."""
    shutil.rmtree(out, ignore_errors=True)
    for name, notebook in learner_notebooks(root, repository(root)).items():
        write(notebook, out / "lessons" / name)
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *NEEDED)
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():  # a file that was deleted is still in the index
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, out / name)
    (out / "README.md").write_text(README, encoding="utf-8")
    (out / "binder").mkdir()
    lock = (root / "requirements.txt").read_text(encoding="utf-8")
    (out / "binder" / "requirements.txt").write_text(binder_requirements(lock), encoding="utf-8")
    (out / "binder" / "runtime.txt").write_text("python-3.11\n", encoding="utf-8")


def check_branch(root: Path, branch: str) -> None:
    """Refuse a branch that a working tree shows: its files would no longer be those of its commit."""
    if f"branch refs/heads/{branch}" in git(root, "worktree", "list", "--porcelain").splitlines():
        raise InputError(f"The branch {branch} is checked out: switch to another one first.")


def commit(root: Path, tree_folder: Path, branch: str) -> str:
    """Commit a folder as the whole content of a branch; return the commit, or nothing where it has that content."""
    reference = f"refs/heads/{branch}"
    # An index of its own: that of the working tree stays as it is.
    index = tree_folder.with_suffix(".index")
    index.unlink(missing_ok=True)
    own = {"GIT_INDEX_FILE": str(index), "GIT_WORK_TREE": str(tree_folder)}
    # Forced, and without filters: what was collected is committed, whatever the ignore rules of the user say.
    git(tree_folder, "add", "--all", "--force", ".", GIT_DIR=git(root, "rev-parse", "--absolute-git-dir"), **own)
    tree = git(root, "write-tree", **own)
    index.unlink()
    old = git(root, "for-each-ref", "--format=%(objectname)", reference)
    if old and git(root, "rev-parse", f"{old}^{{tree}}") == tree:
        return ""
    source = git(root, "describe", "--always", "--dirty=, with changes that are not committed")
    parents = ["-p", old] if old else []
    new = git(root, "commit-tree", tree, *parents, "-m", f"Notebooks of {source}")
    # The old value guards against a second run at the same time.
    git(root, "update-ref", reference, new, old or "0" * 40)
    return new


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the book's _config.yml")
    root = parser.parse_args().root.resolve()
    out = root / "_build" / "publish"
    try:
        check_branch(root, LEARNER_BRANCH)
        collect(root, out)
        new = commit(root, out, LEARNER_BRANCH)
    except InputError as error:
        print(f"Nothing is published. {error}")
        return 1
    if not new:
        print(f"The branch {LEARNER_BRANCH} is up to date.")
        return 0
    print(f"The branch {LEARNER_BRANCH} is at {new[:10]}. To let Colab and Binder see it:")
    print(f"  git push origin {LEARNER_BRANCH}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
