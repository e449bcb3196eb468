"""Counts the rooms of the package, and the arrows between them: ``python tests/rooms.py [ROOT]``.

A room is a module or a folder directly in ``vitcourse``; an arrow is an import of one room by another, wherever in a
file it stands, each pair once.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def imports_of(file: Path) -> set[str]:
    """The modules of vitcourse that a file imports, wherever in the file it does."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "vitcourse":
            names |= {f"vitcourse.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.startswith("vitcourse.")}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vitcourse."):
            names.add(node.module)
    return names


def rooms(root: Path = ROOT) -> dict[str, list[Path]]:
    """The files of each room, by its name. What says what the package is, is no room of it."""
    found: dict[str, list[Path]] = {}
    for file in sorted((root / "vitcourse").rglob("*.py")):
        room = file.relative_to(root / "vitcourse").with_suffix("").parts[0]
        if room not in ("__init__", "__main__"):
            found.setdefault(room, []).append(file)
    return found


def arrows(root: Path = ROOT) -> set[tuple[str, str]]:
    """The pairs (importing room, imported room)."""
    pairs = {
        (room, imported.split(".")[1])
        for room, files in rooms(root).items()
        for file in files
        for imported in imports_of(file)
    }
    return {(one, other) for one, other in pairs if one != other}


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    leading = arrows(root)
    for room, files in rooms(root).items():
        lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
        print(f"{room:14}{lines:6} lines  {len(files):3} files  imports", *sorted(b for a, b in leading if a == room))
    print(f"{len(rooms(root))} rooms, {len(leading)} arrows")


if __name__ == "__main__":
    main()
