"""The package stands in floors: a module imports only from lower ones, and the core needs four libraries alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.rooms import arrows, imports_of, rooms

PACKAGE = Path(__file__).parents[1] / "vitcourse"
FLOORS = (
    *("errors", "files", "threads", "timing", "attention", "positions", "patches", "blocks", "vit", "explain"),
    *("transformer", "data.pretraining", "bert", "weights", "figures", "training", "hands", "heads", "data", "results"),
    *("statistics", "asl", "faces", "recipes", "exercises", "checks", "notebooks", "grading", "commands", "cli"),
    "__main__",
)
CORE = ("errors", "attention", "positions", "patches", "blocks", "transformer", "bert", "vit", "weights", "explain")
ALLOWED = {"torch", "einops", "numpy", "safetensors", "vitcourse"}


def floor_of(module: str) -> int:
    """The examples that BERT is pre-trained on lie with the data, and below the model that names them."""
    parts = module.split(".")[1:]
    return FLOORS.index(name if (name := ".".join(parts[:2])) in FLOORS else parts[0])


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_imports_from_its_floor_or_below(file):
    own = "vitcourse." + ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    for imported in imports_of(file):
        same_folder = imported.split(".")[1] == own.split(".")[1]
        assert same_folder or floor_of(imported) < floor_of(own), f"{own} imports {imported}"


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_can_be_read_in_one_sitting(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 250


def test_no_circles():
    files = {"vitcourse." + ".".join(f.relative_to(PACKAGE).with_suffix("").parts): f for f in FILES}
    graph = {name: imports_of(file) & set(files) for name, file in files.items()}

    def visit(name, path):
        assert name not in path, " imports ".join([*path, name])
        for other in graph[name]:
            visit(other, [*path, name])

    for name in graph:
        visit(name, [])


def test_there_are_no_more_rooms_and_arrows_than_before_the_moves():
    assert len(rooms()) <= 34
    assert len(arrows()) <= 85  # seven of them are those of faces, a room that came later


@pytest.mark.parametrize("renderer", ["hands", "heads"])
def test_a_renderer_has_one_door(renderer):
    """What draws may be changed behind it without a look at the rest of the package."""
    own = f"vitcourse.{renderer}."
    inside = {f"{file}: {name}" for file in FILES for name in imports_of(file) if name.startswith(own)}
    assert {line for line in inside if not line.startswith(f"{PACKAGE / renderer}")} == set()


def test_the_core_needs_four_libraries_alone():
    """A machine with a GPU may hold no plotly, ipywidgets or Jupyter: the models must import there all the same."""
    program = f"""
import sys
import torch, einops, numpy, safetensors.torch
before = set(sys.modules)
for name in {CORE!r}:
    __import__("vitcourse." + name)
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    foreign = {name for name in loaded if name not in ALLOWED and name not in sys.stdlib_module_names}
    assert foreign == set()
