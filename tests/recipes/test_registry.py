"""Recipes are found by name, and bring what every record has: the clock, the provenance, a word on data."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from vitcourse import recipes
from vitcourse.errors import InputError
from vitcourse.recipes import recipe

RESULTS = Path(__file__).parents[2] / "book" / "results"


def test_every_recipe_is_a_module_of_its_name():
    found = recipes.modules()
    assert len(found) >= 15
    for name, module in found.items():
        assert module.rpartition(".")[2] == name
        assert importlib.import_module(module).record.__wrapped__  # under `recipe`
    files = Path(recipes.__file__).parent.rglob("*.py")
    marks = [line for file in files for line in file.read_text().splitlines() if line.startswith("@recipe(")]
    assert len(marks) == len(found)  # no name is given twice


def test_every_record_is_of_a_recipe():
    names = set(recipes.modules())
    ends = r"_(cpu|cuda|seed)$"
    recorded = {re.sub(ends, "", file.stem) for file in RESULTS.glob("*.json")}
    others = {"lesson_cost", "large_class", "asl_valid_reads"}  # costs, grading, reads
    assert recorded - others <= names


def test_the_names_are_found_without_torch():
    program = "import sys; from vitcourse import recipes; print(*recipes.modules()); sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(recipes.modules())


def test_what_is_returned_is_written_with_clock_and_provenance(folder):
    @recipe("trial")
    def record(say):
        say("working")
        return {"rows": [1]}

    said = []
    file = record(say=said.append)
    assert (file.name, said) == ("trial.json", ["working"])
    content = json.loads(file.read_text())
    assert list(content) == ["rows", "seconds", "provenance"]
    assert content["seconds"] >= 0


def test_what_grows_is_written_as_it_grows(folder):
    """What was there when a run ends early stays, and a name of its own makes a file of its own."""
    seen = []

    @recipe("trial")
    def record(say):
        rows = []
        for i in range(3):
            rows.append(i)
            yield {"rows": rows}
            seen.append(json.loads((folder / "book" / "results" / "trial.json").read_text())["rows"])
        yield "trial_map", {"map": [7], "seconds": 12.0}
        if say.__name__ == "early":
            raise KeyboardInterrupt

    said = []
    file = record(say=said.append)
    assert seen == [[0], [0, 1], [0, 1, 2]]
    assert file.name == "trial_map.json"
    assert json.loads(file.read_text())["seconds"] == 12.0
    assert said == [f"wrote {file.with_name('trial.json')}"]

    def early(line):
        pass

    with pytest.raises(KeyboardInterrupt):
        record(say=early)
    assert json.loads(file.with_name("trial.json").read_text())["rows"] == [0, 1, 2]


def test_data_are_asked_for_where_they_are_needed_and_refused_where_they_are_not(folder):
    given = []

    @recipe("real", needs_data=True)
    def real(data, say):
        given.append(data)
        return {}

    @recipe("either", takes_data=True)
    def either(data, say):
        given.append(data)
        return {}

    @recipe("none")
    def none(say):
        return {}

    with pytest.raises(InputError, match="real needs real data: name their folder with --data"):
        real()
    with pytest.raises(InputError, match="none takes no data: leave --data out"):
        none("photos")
    assert not (folder / "book" / "results").exists()
    real("photos")
    either("photos")
    either()
    none()
    assert given == [Path("photos"), Path("photos"), None]


def test_a_preset_has_a_file_of_its_own_and_the_first_one_has_the_name_alone(folder, command):
    @recipe("trial", presets=("small", "large"))
    def record(say, preset):
        return {"rows": [preset]}

    @recipe("plain")
    def plain(say):
        return {}

    for asked, name, used in ((None, "trial", "small"), ("small", "trial", "small"), ("large", "trial_large", "large")):
        file = record(preset=asked)
        assert (file.stem, json.loads(file.read_text())["rows"]) == (name, [used])
    with pytest.raises(InputError, match=r"^trial has no preset 'huge'; it has: small, large$"):
        record(preset="huge")
    with pytest.raises(InputError, match=r"^plain has no presets: leave --preset out$"):
        plain(preset="small")
    status, _, error = command("record", "heads", "--preset", "seed")
    assert (status, error.strip().splitlines()) == (2, ["error: heads has no presets: leave --preset out"])


@pytest.mark.parametrize("name", sorted(set(recipes.modules()) - {"asl_hulls", "bert_text"}))  # they may take data
def test_every_recipe_refuses_the_wrong_data_in_one_line(name, command, folder):
    """Each asks for its data, or says that it has no use for them, before anything else."""
    module = importlib.import_module(recipes.modules()[name])
    photos = {
        f"asl_{one}"
        for one in ("data", "heads", "reach", "real", "table_real", "table_in21k", "worth", "domain", "neighbours")
    }
    needs = name in photos | {"bert_novels", "faces_orl", "sign_transfer"}
    status, _, error = command("record", name, *([] if needs else ["--data", folder]))
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    assert ("name their folder with --data" if needs else "leave --data out") in error
    assert module.record.__wrapped__.__code__.co_varnames[: 2 if needs else 1] == (
        ("data", "say") if needs else ("say",)
    )


def test_the_help_lists_the_names(command):
    status, printed, _ = command("record", "--help")
    assert status == 0
    assert all(name in "".join(printed.split()).replace("│", "") for name in recipes.modules())
