"""What is kept in the repository: stripped notebooks, small files, and a lock that fits the project."""

import ast
import contextlib
import json
import re
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
LARGEST_FILE = 8_000_000
owners_of_modules = cache(packages_distributions)  # it reads every package that is installed
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


def wanted(*parts: str) -> list[Requirement]:
    """The project's dependencies and those of the groups that the lock is compiled from, or of some of these alone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lists = {"project": project["project"]["dependencies"], **project["dependency-groups"]}
    return [Requirement(line) for part in parts or lists for line in lists[part]]


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


def imports_of(source: str) -> set[str]:
    """The top-level names that a program imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(source)):
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
    return {name.partition(".")[0] for name in names}


def imported_libraries() -> dict[str, str]:
    """The libraries that the package imports, anywhere in its files, with one file for each."""
    found = {}
    for file in sorted((ROOT / "vitcourse").rglob("*.py")):
        found |= dict.fromkeys(imports_of(file.read_text(encoding="utf-8")), file.relative_to(ROOT).as_posix())
    return {name: file for name, file in found.items() if name not in {*sys.stdlib_module_names, "vitcourse"}}


@pytest.mark.parametrize(("library", "file"), sorted(imported_libraries().items()), ids=sorted(imported_libraries()))
def test_what_the_package_imports_is_a_dependency_of_its_own(library, file):
    """``pip install -e .`` alone must do for every command, or one of its extras; groups are for book and tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {plain(Requirement(line).name) for line in project["dependencies"]}
    extras = chain.from_iterable(project["optional-dependencies"].values())  # not installed: dlib-bin brings dlib
    declared |= {plain(Requirement(line).name).removesuffix("-bin") for line in extras}
    providers = {plain(name) for name in owners_of_modules().get(library, [library])}
    assert providers & declared, f"{file} imports {library}, which no dependency in pyproject.toml brings"


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """What package, book and lessons import."""
    files = [path for folder in ("vitcourse", "book") for path in (ROOT / folder).rglob("*.py")]
    sources = [path.read_text(encoding="utf-8") for path in files]
    for name in NOTEBOOKS:
        cells = json.loads((ROOT / name).read_text(encoding="utf-8"))["cells"]
        lines = [line for cell in cells if cell["cell_type"] == "code" for line in "".join(cell["source"]).splitlines()]
        sources += [line.strip() for line in lines if re.match(r"\s*(import|from) \S", line) and "(" not in line]
    return set().union(*map(imports_of, sources))


BY_ADDRESS = {"psycopg"}  # SQLAlchemy imports it for a storage that begins with "postgresql+psycopg://"


@pytest.mark.parametrize("name", sorted({plain(requirement.name) for requirement in wanted("project")} - BY_ADDRESS))
def test_every_dependency_is_imported(imported, name):
    modules = {module for module, owners in owners_of_modules().items() if name in map(plain, owners)}
    assert modules & imported, f"nothing imports {name}: take it out of pyproject.toml, and run `make lock`"


def test_every_place_and_target_that_contributing_names_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    made_up = "sharpen|NN_topic|name\\.json|FILE|KIND|study/"  # what a command there would write
    places = [name for name in re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*)`", text) if not re.search(made_up, name)]
    assert len(places) >= 15
    assert [name for name in places if not (ROOT / name).exists()] == []
    targets = set(re.findall(r"`make ([\w-]+)`", text))
    made = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"book", "test-fast", "test-slow"} <= targets <= made


@pytest.mark.starts_programs
def test_a_notebook_can_be_assigned_and_graded_with_the_dependencies_alone():
    """What the commands `assign` and `grade` load, loads without every library that only a group brings."""
    brought, groups = (
        closure({plain(one.name) for one in wanted(*parts)}) for parts in (("project",), ("book", "test"))
    )
    providers = {module: {plain(owner) for owner in owners} for module, owners in owners_of_modules().items()}
    absent = sorted(module for module, owners in providers.items() if owners <= groups - brought)
    assert {"sphinx", "pytest"} <= {*absent}
    program = f"""
import sys
sys.modules.update(dict.fromkeys({absent}))  # to import one of them is an error now, as where it is not installed
import vitcourse.grading.run, vitcourse.grading.walled.fork_server
import nbgrader.api, nbgrader.converters, nbgrader.preprocessors
"""
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr


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
