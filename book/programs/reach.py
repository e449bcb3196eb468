"""Which files of the package, the recorded runs and the weights the code of a notebook reaches.

The code is read (`reading`), and so is every module that it imports, and so on. What cannot be told for certain counts:
a cell that is no plain Python, a module that is loaded under a computed name, a data file whose name is computed.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from reading import PACKAGE, Reading, is_ours, read

RESULTS, WEIGHTS, EXERCISES = "book/results", f"{PACKAGE}/assets", f"{PACKAGE}/exercises"
# `vitcourse.results`: what gives a recorded run by its name, and what gives the folder of all.
RECORDED, LOAD, FOLDER = f"{PACKAGE}.results", "load", "FOLDER"
UNCOUNTED = {"__pycache__", ".ipynb_checkpoints"}


def files_under(path: Path) -> list[Path]:
    """All files of a folder in a fixed order, or the file itself, or nothing."""
    if path.is_file():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not UNCOUNTED & set(p.parts))


def reached(cells: Iterable[str], root: Path) -> list[Path]:
    """The files under ``vitcourse/`` and ``book/results/`` that the code of a notebook may use.

    Args:
        cells: source of each code cell.
        root: folder of the repository.
    """
    reach = Reach(root)
    # One namespace: what a cell imports, another one uses. With a magic command it is no Python: everything counts.
    reach.follow_code(read("\n".join(cells)), "")
    return sorted(reach.files | reach.data_of_packages())


class Reach:
    """Follows names to files. ``files`` grows; nothing is read twice."""

    def __init__(self, root: Path):
        self.root = root
        self.files: set[Path] = set()
        self.followed: set[tuple] = set()

    @cached_property
    def every_file(self) -> set[Path]:
        return {*files_under(self.root / PACKAGE), *files_under(self.root / RESULTS)}

    @cached_property
    def data(self) -> list[Path]:
        return [path for path in self.every_file if path.suffix != ".py"]

    def sources(self, module: str) -> list[Path]:
        """The files of a module: one, none, or two where a package and a module share the name."""
        path = self.root.joinpath(*module.split("."))
        return [file for file in (path / "__init__.py", path.with_name(f"{path.name}.py")) if file.is_file()]

    def is_module(self, name: str) -> bool:
        return bool(self.sources(name)) or self.root.joinpath(*name.split(".")).is_dir()

    def readings(self, module: str) -> list[Reading]:
        found = []
        for file in self.sources(module):
            source = file.read_text(encoding="utf-8", errors="replace")
            found.append(read(source, module, file.name == "__init__.py"))
        return found

    def count(self, module: str) -> None:
        """Count a module with the packages that it lies in, and all that they use."""
        if module in self.followed:
            return
        self.followed.add(module)
        if parent := module.rpartition(".")[0]:
            self.count(parent)
        self.files.update(self.sources(module))
        for reading in self.readings(module):
            self.follow_code(reading, module)

    def count_family(self, package: str) -> None:
        """Count a module and all that lies below it."""
        self.count(package)
        folder = self.root.joinpath(*package.split("."))
        for file in files_under(folder) if folder.is_dir() else ():
            if file.suffix == ".py":
                parts = file.relative_to(self.root).with_suffix("").parts
                self.count(".".join(parts[:-1] if parts[-1] == "__init__" else parts))

    def follow_code(self, reading: Reading, module: str) -> None:
        if reading.opaque:
            self.files |= self.every_file
        for name in reading.imports:
            self.follow(name, "import")
        for name in reading.uses:
            self.follow(name, "use")
        for name, argument in reading.calls:
            self.follow(name, "call", argument)
        for package in (*reading.families, *reading.stars):
            self.count_family(package)
        for name in reading.strings:
            self.follow_string(name, reading.strings)
        self.follow_paths(reading.strings, module)

    def follow(self, name: str, how: str, argument: str | None = None) -> None:
        """Follow a dotted name as far as it names modules, and then what the last of them takes from elsewhere.

        Args:
            how: ``"import"``, ``"use"`` or ``"call"``; to import something is not yet to use it.
            argument: the first argument of a call, where it is written out.
        """
        if (name, how, argument) in self.followed:
            return
        self.followed.add((name, how, argument))
        parts, depth = name.split("."), 0
        while depth < len(parts) and self.is_module(".".join(parts[: depth + 1])):
            depth += 1
        module, rest = ".".join(parts[:depth]), parts[depth:]
        if not module:
            return
        self.count(module)
        if module == RECORDED:
            self.follow_recorded(rest, how, argument)
        if not rest:
            if how != "import" and (module == PACKAGE or any(reading.lazy for reading in self.readings(module))):
                self.count_family(module)  # passed on as it stands, it may be asked for anything
            return
        for reading in self.readings(module):
            meant = reading.bindings.get(rest[0], ())
            for other in (*meant, *(f"{star}.{rest[0]}" for star in reading.stars)):
                self.follow(".".join([other, *rest[1:]]), how, argument)
            if reading.lazy and rest[0] not in reading.defined:
                self.count_family(module)

    def follow_recorded(self, rest: list[str], how: str, argument: str | None) -> None:
        """Count the recorded run that is loaded by name, or all where the name is not written out."""
        if how == "import" or (rest and rest[0] not in (LOAD, FOLDER)):
            return
        one = how == "call" and rest == [LOAD] and argument is not None
        self.files.update(path for path in files_under(self.root / RESULTS) if not one or path.stem == argument)

    def follow_string(self, text: str, others: set[str]) -> None:
        """A string may name a module; beside ``-m`` it is one that is run."""
        if text == PACKAGE:
            if "-m" in others:
                self.count_family(PACKAGE)
        elif is_ours(text) and all(part.isidentifier() for part in text.split(".")):
            self.follow(text, "use")

    def follow_paths(self, strings: set[str], module: str) -> None:
        """Count the data files that are named, or their folder where it is named and none of its files is."""
        names = {part for text in strings for part in text.replace("\\", "/").split("/")}
        named = {path for path in self.data if path.name in names}
        self.files |= named
        for folder in (RESULTS, WEIGHTS):
            if module != RECORDED and set(folder.split("/")) - {PACKAGE} <= names:
                inside = set(files_under(self.root / folder))
                self.files |= set() if named & inside else inside

    def data_of_packages(self) -> set[Path]:
        """The data files in the packages that are reached; those with a folder of their own are counted by name.

        Messages are shown where an answer is wrong, and those of the notebooks are right: what counts of an exercise is
        what `notebook_keys.rules` takes out of its file.
        """
        own = {self.root / folder for folder in (RESULTS, WEIGHTS, EXERCISES)}
        found = set()
        for path in self.data:
            packages = (folder / "__init__.py" for folder in path.parents if (folder / "__init__.py").is_file())
            if own.isdisjoint(path.parents) and next(packages, None) in self.files:
                found.add(path)
        return found
