"""``python -m vitcourse`` is the command ``vitcourse``."""

from vitcourse.cli import main

if __name__ == "__main__":
    main()
