"""Write the notebooks that are derived from lessons/: the learner's copies and the answer keys.

Run by `make notebooks`.
"""

import argparse
import sys
from pathlib import Path

from stage import repository

from vitcourse.errors import InputError
from vitcourse.notebooks import write_derived


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the book's _config.yml")
    root = parser.parse_args().root.resolve()
    out = root / "_build" / "notebooks"
    try:
        files = write_derived(root, out, repository=repository(root))
    except InputError as error:
        print(f"The notebooks are not written. {error}")
        return 1
    for file in files:
        print(f"  {file.relative_to(root)}")
    keys = sum(file.is_relative_to(out / "key") for file in files)
    print(f"{len(files) - keys} notebooks for learners and {keys} answer keys are written:\n  {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
