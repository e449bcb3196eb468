"""The letters that a sign can be, and their numbers."""

from vitcourse.errors import shown

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(name: object) -> int:
    """0 to 25 for "A" to "Z". Raises ValueError for anything else, small letters included."""
    if not isinstance(name, str) or len(name) != 1 or name not in LETTERS:
        raise ValueError(f"unknown letter {shown(name)}; the classes are A to Z")
    return LETTERS.index(name)
