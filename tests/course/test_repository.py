"""What is kept in the repository: stripped notebooks, small files, and a lock that fits the project."""

import ast
import contextlib
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LARGEST_FILE = 8_000_000
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("lessons/**/*.ipynb"))


def faults_of_notebook(notebook: dict) -> list[str]:
    """What a stored notebook must not have: outputs, execution counts, cells without an id of their own."""
    faults = []
    cells = notebook["cells"]
    for number, cell in enumerate(cells):
        if cell.get("outputs"):
            faults.append(f"cell {number} stores outputs")
        if cell.get("execution_count") is not None:
            faults.append(f"cell {number} stores an execution count")
        if not cell.get("id"):
            faults.append(f"cell {number} has no id")
    if len({cell.get("id") for cell in cells}) < len(cells):
        faults.append("two cells share an id")
    if "widgets" in notebook["metadata"]:
        faults.append("the notebook stores the state of widgets")
    return faults


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_stored_without_outputs(name):
    faults = faults_of_notebook(json.loads((ROOT / name).read_text(encoding="utf-8")))
    assert faults == [], f"run `nbstripout --keep-id {name}`"


def test_a_notebook_with_outputs_is_reported():
    cell = {"cell_type": "code", "outputs": [{"output_type": "stream"}], "execution_count": 3}
    faults = faults_of_notebook({"cells": [cell, {"cell_type": "markdown"}], "metadata": {"widgets": {}}})
    assert len(faults) == 6


def test_no_large_file_is_tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this copy of the course is not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    large = {path.name: path.stat().st_size for path in files if path.is_file() and path.stat().st_size > LARGEST_FILE}
    assert large == {}


def lock_lines() -> list[str]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def wanted() -> list[Requirement]:
    """The project's dependencies and those of the groups that the lock is compiled from."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    return [Requirement(line) for line in [*project["project"]["dependencies"], *groups["book"], *groups["test"]]]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("requirement", wanted(), ids=lambda requirement: requirement.name)
def test_lock_satisfies_the_project(requirement):
    pinned = [Requirement(line) for line in lock_lines()]
    versions = [
        pin.version
        for entry in pinned
        if plain(entry.name) == plain(requirement.name)
        for pin in entry.specifier
        if pin.operator == "=="
    ]
    assert versions, f"{requirement.name} is not in requirements.txt: run `make lock`"
    assert all(requirement.specifier.contains(version) for version in versions), "run `make lock`"


def test_lock_holds_exact_pins_and_no_index_address():
    for line in lock_lines():
        assert "://" not in line, line
        assert not line.startswith("-"), line
        assert [pin.operator for pin in Requirement(line).specifier] == ["=="], line


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_cells_are_short(name):
    """At most 20 lines of code in a cell that is shown, 60 in one that is folded away (a figure, what it asserts)."""
    cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            lines = [line for line in "".join(cell["source"]).splitlines() if line.strip()]
            most = 60 if "hide-input" in cell["metadata"].get("tags", []) else 20
            assert len(lines) <= most, f"{name}, cell {cell['id']}: {len(lines)} lines"


def imported_libraries() -> dict[str, str]:
    """The libraries that the package imports, anywhere in its files, with one file for each."""
    found = {}
    for file in sorted((ROOT / "vitcourse").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {name.partition(".")[0]: file.relative_to(ROOT).as_posix() for name in names}
    return {name: file for name, file in found.items() if name not in {*sys.stdlib_module_names, "vitcourse"}}


@pytest.mark.parametrize(("library", "file"), imported_libraries().items(), ids=imported_libraries())
def test_what_the_package_imports_is_a_dependency_of_its_own(library, file):
    """``pip install -e .`` alone must do for every command; groups are for the book and the tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {plain(Requirement(line).name) for line in project["dependencies"]}
    providers = {plain(name) for name in packages_distributions().get(library, [library])}
    assert providers & declared, f"{file} imports {library}, which no dependency in pyproject.toml brings"


def test_a_notebook_can_be_assigned_and_graded_with_the_dependencies_alone():
    """No library that only a group brings is loaded by what the commands `assign` and `grade` load."""
    program = """
import sys
import vitcourse.grading.run, vitcourse.grading.walled.fork_server
import nbgrader.api, nbgrader.converters, nbgrader.preprocessors
files = {name.partition(".")[0]: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(*sorted(name for name, file in files.items() if file and "_vendor" not in file))  # setuptools brings its own
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    brought = closure({plain(Requirement(line).name) for line in project["dependencies"]})
    providers = packages_distributions()
    foreign = {name for name in done.stdout.split() if name in providers and name != "vitcourse"}
    assert "nbgrader" in foreign
    assert [name for name in sorted(foreign) if not {plain(owner) for owner in providers[name]} & brought] == []


def closure(names: set[str]) -> set[str]:
    """Distributions, and all that these require here."""
    found, todo = set(), [(name, "") for name in names]
    while todo:
        entry = name, extra = todo.pop()
        if entry in found:
            continue
        found.add(entry)
        with contextlib.suppress(PackageNotFoundError):
            for line in map(Requirement, requires(name) or ()):
                if line.marker is None or line.marker.evaluate({"extra": extra}):
                    todo += [(plain(line.name), wanted) for wanted in ("", *line.extras)]
    return {name for name, _ in found}
