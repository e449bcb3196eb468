"""What a notebook's code reaches in the package: on a small package, case by case, and on the course itself.

Of the course it is shown that nothing is missed: whatever the notebooks import when they run is among what is counted.
"""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from notebook_keys import notebook_key, read_code
from reach import reached

from vitcourse.notebooks import lesson_notebooks

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {path.stem: path for path in lesson_notebooks(ROOT)}

# Modules a to e stand alone; the packages say what they are for.
FILES = {
    "vitcourse/__init__.py": '"""A package. From vitcourse import nothing."""',
    **{f"vitcourse/{name}.py": "VALUE = 1" for name in "abcde"},
    "vitcourse/uses_a.py": "from vitcourse import a",
    "vitcourse/deep.py": "def work():\n    from vitcourse.uses_a import a\n    return a",
    "vitcourse/maybe.py": "try:\n    from vitcourse import b as x\nexcept ImportError:\n    import vitcourse.c as x",
    "vitcourse/broken.py": "def (",
    "vitcourse/plain/__init__.py": "",
    "vitcourse/plain/one.py": "from . import two",
    "vitcourse/plain/two.py": "from ..b import VALUE",
    "vitcourse/plain/settings.toml": "x = 1",
    "vitcourse/both/__init__.py": "from vitcourse.both.both import both\nfrom vitcourse.d import VALUE",
    "vitcourse/both/both.py": "both = 1",
    "vitcourse/both/other.py": "",
    "vitcourse/lazy/__init__.py": (
        "from importlib import import_module\nfrom vitcourse.lazy.core import Kept\n\n\n"
        "def __getattr__(name):\n    return import_module(f'{__name__}.{name}')"
    ),
    "vitcourse/lazy/core.py": "Kept = 1",
    "vitcourse/lazy/left/__init__.py": "from vitcourse.lazy.left.part import part",
    "vitcourse/lazy/left/part.py": "part = 1",
    "vitcourse/lazy/right.py": "from vitcourse import e",
    "vitcourse/hands_on.py": "from vitcourse import lazy, results",
    "vitcourse/by_name.py": "from importlib import import_module\nimport_module('vitcourse.c')",
    "vitcourse/family.py": "import importlib\n\n\ndef get(x):\n    importlib.import_module(f'vitcourse.plain.{x}')",
    "vitcourse/foreign.py": "import importlib\n\n\ndef get(x):\n    importlib.import_module(f'tests.bank.{x}')",
    "vitcourse/any_name.py": "import importlib\n\n\ndef get(x):\n    return importlib.import_module(x)",
    "vitcourse/starts.py": "command = ['python', '-m', 'vitcourse.e']",
    "vitcourse/results.py": (
        "from pathlib import Path\nFOLDER = Path(__file__).parents[1] / 'book' / 'results'\n\n\n"
        "def load(name):\n    return FOLDER / f'{name}.json'\n\n\ndef write(name):\n    pass"
    ),
    "vitcourse/loads.py": "from vitcourse import results\n\n\ndef get():\n    return results.load('one')",
    "vitcourse/loads_any.py": "from vitcourse import results\n\n\ndef get(name):\n    return results.load(name)",
    "vitcourse/writes.py": "from vitcourse import results\nresults.write('one')",
    "vitcourse/weights.py": "FILE = 'assets' + '/' + 'big.safetensors'\nOTHER = 'model.safetensors'",
    "vitcourse/any_weights.py": "def file(name):\n    return Path(__file__).parent / 'assets' / name",
    "vitcourse/assets/big.safetensors": "big",
    "vitcourse/assets/small.safetensors": "small",
    "book/results/one.json": "{}",
    "book/results/one.npz": "",
    "book/results/two.json": "{}",
}
LEFT = {"lazy", "lazy/core", "lazy/left", "lazy/left/part"}
LAZY = {*LEFT, "lazy/right", "e"}
HANDS_ON = {"hands_on", "results", "lazy", "lazy/core"}
ONE = {"one.json", "one.npz"}
RUNS = {*ONE, "two.json"}

CASES = {
    "": set(),
    "import numpy, math": set(),
    "x = 'vitcourse is a package'": set(),
    "import vitcourse": {""},
    "import vitcourse.a": {"", "a"},
    "import vitcourse.a as x": {"", "a"},
    "from vitcourse import a, b": {"", "a", "b"},
    "from vitcourse.a import VALUE": {"", "a"},
    "def f():\n    if False:\n        from vitcourse.a import VALUE": {"", "a"},
    "try:\n    import vitcourse.a\nexcept ImportError:\n    import vitcourse.b": {"", "a", "b"},
    "from vitcourse import uses_a": {"", "uses_a", "a"},
    "from vitcourse import deep": {"", "deep", "uses_a", "a"},
    "from vitcourse import maybe": {"", "maybe", "b", "c"},
    "from vitcourse import missing": {""},
    "from vitcourse.plain import one": {"", "plain", "plain/one", "plain/two", "b", "settings.toml"},
    "import vitcourse.plain.two as c": {"", "plain", "plain/two", "b", "settings.toml"},
    "from vitcourse.plain import *": {"", "plain", "plain/one", "plain/two", "b", "settings.toml"},
    "from vitcourse import plain\nplain.two.x": {"", "plain", "plain/two", "b", "settings.toml"},
    # A name that is a module and what the package takes out of it.
    "from vitcourse.both import both": {"", "both", "both/both", "d"},
    "import vitcourse.both.other": {"", "both", "both/both", "both/other", "d"},
    # A package that loads what it is asked for.
    "from vitcourse import lazy": {"", "lazy", "lazy/core"},
    "from vitcourse import lazy\nlazy.Kept": {"", "lazy", "lazy/core"},
    "from vitcourse import lazy\nlazy.left.part(f)": {"", *LEFT},
    "from vitcourse import lazy as z\nz.left": {"", *LEFT},
    "import vitcourse.lazy\nvitcourse.lazy.left.part(1)": {"", *LEFT},
    "import vitcourse.lazy as z\nz.left": {"", *LEFT},
    "from vitcourse.lazy import left": {"", *LEFT},
    "from vitcourse.lazy.left import part": {"", *LEFT},
    "from vitcourse.lazy import Kept": {"", "lazy", "lazy/core"},
    "from vitcourse import lazy\nlazy.everything": {"", *LAZY},
    "from vitcourse.lazy import everything": {"", *LAZY},
    "from vitcourse.lazy import *": {"", *LAZY},
    "from vitcourse import lazy\ngetattr(lazy, 'left')": {"", *LAZY},
    "from vitcourse import lazy\nother = lazy\nother.left": {"", *LAZY},
    "import sys\nsys.modules['vitcourse.lazy'].left": {"", *LAZY},
    "from vitcourse import hands_on": {"", *HANDS_ON},
    "from vitcourse.hands_on import lazy\nlazy.left": {"", "hands_on", "results", *LEFT},
    "from vitcourse import hands_on\nhands_on.lazy.left": {"", "hands_on", "results", *LEFT},
    "from vitcourse.hands_on import *\nlazy.left": {"", "hands_on", "results", *LEFT},
    # A module that is loaded by its name.
    "from vitcourse import by_name": {"", "by_name", "c"},
    "from vitcourse import family": {"", "family", "plain", "plain/one", "plain/two", "b", "settings.toml"},
    "from vitcourse import foreign": {"", "foreign"},
    "from importlib import import_module\nimport_module('vitcourse.c')": {"", "c"},
    "from vitcourse import starts": {"", "starts", "e"},
    # Recorded runs and weights.
    "from vitcourse import results": {"", "results"},
    "from vitcourse import results\nresults.write('two')": {"", "results"},
    "from vitcourse import results\nresults.load('one')": {"", "results", *ONE},
    "from vitcourse import results as r\nr.load('three')": {"", "results"},
    "from vitcourse.results import load\nload('two')": {"", "results", "two.json"},
    "from vitcourse.results import load as get\nget('two')": {"", "results", "two.json"},
    "import vitcourse.results\nvitcourse.results.load('two')": {"", "results", "two.json"},
    "from vitcourse.hands_on import results\nresults.load('two')": {"", *HANDS_ON, "two.json"},
    "from vitcourse import results\nname = 'one'\nresults.load(name)": {"", "results", *RUNS},
    "from vitcourse import results\nread = results.load\nread('one')": {"", "results", *RUNS},
    "from vitcourse import results\nresults.FOLDER": {"", "results", *RUNS},
    "from vitcourse import loads": {"", "loads", "results", *ONE},
    "from vitcourse import loads_any": {"", "loads_any", "results", *RUNS},
    "from vitcourse import writes": {"", "writes", "results"},
    "from vitcourse import weights": {"", "weights", "big.safetensors"},
    "from vitcourse import any_weights": {"", "any_weights", "big.safetensors", "small.safetensors"},
    "open('../../book/results/two.json')": {"two.json"},
    "open(f'../../book/results/{name}.json')": RUNS,
    "print('one', 'the run one.json of the results')": set(),
}  # fmt: skip

# What cannot be told: everything counts.
UNCERTAIN = [
    "%matplotlib inline",
    "!pip install x",
    "import numpy as np\nnp?",
    "x = (",
    "from vitcourse import broken",
    "from vitcourse import any_name",
    "__import__('vitcourse.' + name)",
    "exec(text)",
    "from importlib import import_module as load\nload('vitcourse.a')",
    "import importlib\nload = importlib.import_module",
    "import importlib\nimportlib.import_module('.a', 'vitcourse')",
    "import importlib\nimportlib.import_module('vit' + 'course.a')",
    "import importlib\nimportlib.import_module(f'vit{x}')",
    "import importlib\nimportlib.import_module(f'vitcourse{x}')",
    "import runpy\nrunpy.run_module('vitcourse.a')",
    "import pkgutil\npkgutil.walk_packages()",
    "import vitcourse\ngetattr(vitcourse, name)",
    "import subprocess\nsubprocess.run(['vitcourse', 'doctor'])",
    "from subprocess import run",
    "program = 'import vitcourse.a'",
    "command = ['python', '-m', 'vitcourse']",
    "from IPython import get_ipython\nget_ipython().run_line_magic('run', 'x.py')",
]


@pytest.fixture
def package(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def short(path: Path, root: Path) -> str:
    """As the cases name a file: a module by its place below ``vitcourse``, a data file by its name."""
    if path.suffix != ".py":
        return path.name
    parts = path.relative_to(root / "vitcourse").with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names(root: Path, *cells: str) -> set[str]:
    return {short(path, root) for path in reached(cells, root)}


@pytest.mark.parametrize("code", CASES)
def test_what_code_reaches(package, code):
    assert names(package, code) == CASES[code]


@pytest.mark.parametrize("code", UNCERTAIN)
def test_what_cannot_be_told_reaches_everything(package, code):
    assert {path.relative_to(package).as_posix() for path in reached(["x = 1", code], package)} == set(FILES)


def test_a_cell_uses_what_another_one_imports(package):
    assert names(package, "lazy.left", "from vitcourse import lazy") == {"", *LEFT}


@pytest.fixture
def key(package):
    """The key of a notebook with the code of one cell."""
    (package / "requirements.txt").write_text("", encoding="utf-8")
    path = package / "lessons" / "01_one" / "one.ipynb"
    path.parent.mkdir(parents=True)

    def key(code: str) -> str:
        cell = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "execution_count": None}
        path.write_text(json.dumps({"cells": [{**cell, "source": code}]}), encoding="utf-8")
        return notebook_key(path, package, "static")

    return key


def change(path: Path) -> None:
    path.write_text("changed = True\n", encoding="utf-8")


EDITS = {
    "changed": change,
    "deleted": Path.unlink,
    "renamed": lambda path: path.rename(path.with_name("renamed.py")),
    "made a package": lambda path: (path.with_suffix("").mkdir(), path.rename(path.with_suffix("") / "__init__.py")),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize(("name", "counts"), [("a", True), ("uses_a", True), ("b", False), ("any_name", False)])
def test_an_edit_of_a_module_counts_where_it_is_reached(package, key, edit, name, counts):
    code = "from vitcourse import uses_a"
    before = key(code)
    EDITS[edit](package / "vitcourse" / f"{name}.py")
    assert (key(code) != before) == counts


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("vitcourse/missing.py", True),  # what is imported is there now
        ("vitcourse/a/__init__.py", True),  # a package wins over the module of its name
        ("vitcourse/new.py", False),
        ("vitcourse/plain/new.py", False),
        ("vitcourse/__pycache__/a.py", False),
        ("book/results/three.json", True),
        ("book/results/four.json", False),
        ("lessons/01_one/helper.py", True),  # the folder of a notebook is where Python looks first
    ],
)
def test_a_new_file_counts_where_it_is_reached(package, key, name, counts):
    code = "from vitcourse import missing, results, uses_a\nresults.load('three')"
    before = key(code)
    (package / name).parent.mkdir(exist_ok=True)
    change(package / name)
    assert (key(code) != before) == counts


def test_what_imports_a_module_that_lies_beside_is_followed(package, key):
    (package / "lessons" / "01_one" / "helper.py").write_text("from vitcourse import a", encoding="utf-8")
    before = key("import helper")
    change(package / "vitcourse" / "a.py")
    assert key("import helper") != before


def test_only_the_exercises_of_a_lesson_reach_its_checks():
    """A changed check executes no lesson, and no exercises but its own; a lesson may use what another one's share."""
    for name, path in NOTEBOOKS.items():
        parts = [file.relative_to(ROOT).parts for file in counted(name)]
        files = {part[2:] for part in parts if part[1] == "checks" and len(part) > 3 and part[2] != "engine"}
        topics = {topic for topic, file in files if file not in ("__init__.py", "common.py")}
        assert topics == ({path.parent.name[3:]} if name.endswith("_exercises") else set())


CARD = '[one]\ntitle = "T"\nforbidden = ["torch.a"]\n[one.misconceptions]\nfalse = "It is false."\n'


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [("It is false.", "It is not true.", False), ('"T"', '"U"', False), ("torch.a", "torch.b", True)],
)
def test_a_changed_message_executes_nothing(package, key, old, new, counts):
    """A message shows where an answer is wrong, and those of the notebooks are right."""
    file = package / "vitcourse" / "exercises" / "01_one.toml"
    for folder in ("exercises", "checks", "checks/one", "checks/two"):
        (package / "vitcourse" / folder).mkdir()
        (package / "vitcourse" / folder / "__init__.py").write_text("from vitcourse import exercises", encoding="utf-8")
    file.write_text(CARD, encoding="utf-8")
    before = [key(f"from vitcourse.checks import {topic}") for topic in ("one", "two")]
    file.write_text(CARD.replace(old, new), encoding="utf-8")
    one, two = (key(f"from vitcourse.checks import {topic}") for topic in ("one", "two"))
    assert (one != before[0], two != before[1]) == (counts, False)


def counted(name: str) -> list[Path]:
    return reached([cell["source"] for cell in read_code(NOTEBOOKS[name])], ROOT)


def imports_and_lookups(source: str) -> list[str]:
    """The lines of a notebook that may load a module: imports wherever they stand, and attributes of attributes."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.insert(0, ast.unparse(node))
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("checks."):
            found.append(ast.unparse(node))
    return found


# Imports as each notebook does, in a process that has loaded no other one's modules of the package.
PROGRAM = """
import json, sys
loaded = {}
for name, lines in json.load(sys.stdin).items():
    for module in [module for module in sys.modules if module.partition(".")[0] == "vitcourse"]:
        del sys.modules[module]
    space = {}
    for line in lines:
        exec(line, space)
    modules = [module for key, module in sys.modules.items() if key.partition(".")[0] == "vitcourse"]
    loaded[name] = sorted({module.__file__ for module in modules if getattr(module, "__file__", None)})
print(json.dumps(loaded))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """The files of the package that each notebook's imports really load."""
    lines = {
        name: imports_and_lookups("\n".join(cell["source"] for cell in read_code(path)))
        for name, path in NOTEBOOKS.items()
    }
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, input=json.dumps(lines), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=900
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_everything_that_a_notebook_loads_is_counted(loaded, name):
    assert {path for path in loaded[name] if Path(path).is_relative_to(ROOT / "vitcourse")}
    assert set(loaded[name]) <= {str(path) for path in counted(name)}
