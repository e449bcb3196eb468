"""Write the notebooks that are derived from lessons/: the learner's own, and the answer keys.

Run by `make notebooks`. The learner's notebooks lie in notebooks/, where nothing that was worked in is written over;
the keys lie in _build/keys, and are written anew.
"""

import argparse
import shutil
import sys
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.notebooks import answer_keys, lay_out, learner_notebooks
from vitcourse.notebooks.files import write


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the book's _config.yml")
    root = parser.parse_args().root.resolve()
    try:
        copies, keys = learner_notebooks(root), answer_keys(root)
    except InputError as error:
        print(f"The notebooks are not written. {error}")
        return 1
    laid = lay_out(copies, root / "notebooks")
    for note in laid.notes:
        print(f"  notebooks/{note}")
    done = [f"{laid.written} written"] * bool(laid.written) + [f"{laid.renewed} brought up to date"] * bool(
        laid.renewed
    )
    print(f"Your {len(copies)} notebooks lie in notebooks/ ({', '.join(done) or 'nothing new'}).")
    shutil.rmtree(root / "_build" / "keys", ignore_errors=True)
    for name, key in keys.items():
        write(key, root / "_build" / "keys" / name)
    print(f"The {len(keys)} answer keys lie in _build/keys.")
    return 1 if laid.failed else 0


if __name__ == "__main__":
    sys.exit(main())
