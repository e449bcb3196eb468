import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from tests.helpers import randomise
from vitcourse import cli, results
from vitcourse.blocks import BLOCKS, ParallelBlock
from vitcourse.recipes.speed import bench as recipe
from vitcourse.recipes.speed import cases, parallel_branches
from vitcourse.recipes.speed.branches import FoldedBlock
from vitcourse.recipes.speed.cases import Case, measure
from vitcourse.recipes.speed.report import case_name, picture, table
from vitcourse.timing import interleaved

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for name, config in cases.MODELS.items():
        monkeypatch.setitem(
            cases.MODELS, name, replace(config, image_size=32, dim=12, depth=2, num_heads=3, num_classes=4)
        )


@pytest.mark.parametrize("mode", ["forward", "training"])
@pytest.mark.parametrize("model", ["ti/16", "s/16 18x2"])
def test_a_case_is_measured_beside_every_library_that_has_it(monkeypatch, model, mode):
    def timed(programs, rounds, seconds, device, on_round):
        """Really runs each, and says that the first took 1, 2 and 6 ms, and each next one twice the one before."""
        times = interleaved(programs, rounds, seconds, device, on_round)
        assert all(len(values) == rounds for values in times.values())
        return {name: [2**place * one for one in (0.001, 0.006, 0.002)] for place, name in enumerate(times)}

    monkeypatch.setattr(cases, "interleaved", timed)
    row = measure(Case(model, mode, batch=2), CPU, rounds=3, seconds=0.01)
    libraries = {"timm", "hf", "torchvision"} if model == "ti/16" else {"timm"}
    assert set(row["ratio"]) == set(row["difference"]) == libraries
    assert set(row["milliseconds"]) == libraries | {"vitcourse"}
    assert max(row["difference"].values()) < 1e-5
    assert row["milliseconds"] == {name: 2.0 * 2**place for place, name in enumerate(row["milliseconds"])}
    for place, found in enumerate(row["ratio"].values(), 1):
        assert found["median"] == 0.5**place


def test_models_that_differ_are_not_timed(monkeypatch):
    right = cases.reference

    def wrong(library, ours):
        theirs = right(library, ours)
        with torch.no_grad():
            torch.nn.init.normal_(next(theirs.parameters()))
        return theirs

    monkeypatch.setattr(cases, "reference", wrong)
    monkeypatch.setattr(cases, "interleaved", lambda *args: pytest.fail("timed"))
    with pytest.raises(RuntimeError, match="the outputs differ"):
        measure(Case("ti/16", "forward", batch=1), CPU)


@pytest.mark.parametrize("blocks", [1, 2, 3])
@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_folded_branches_equal_the_plain_block(blocks, once, scaled):
    plain = randomise(ParallelBlock(24, 4, init_values=1e-4 if scaled else None, num_parallel=blocks))
    x = torch.randn(2, 9, 24, dtype=torch.float64)
    torch.testing.assert_close(FoldedBlock(plain, once)(x), plain(x), atol=1e-10, rtol=0)
    if not once:
        gradients = []
        for block in (plain, FoldedBlock(plain)):
            plain.zero_grad()
            block(x).square().sum().backward()
            gradients.append([parameter.grad.clone() for parameter in plain.parameters()])
        for first, second in zip(*gradients, strict=True):
            torch.testing.assert_close(first, second, atol=1e-9, rtol=1e-9)


def test_both_recipes_record(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(recipe, "cases", lambda models, device: [Case("ti/16", "forward", 1)])
    monkeypatch.setattr(recipe, "measure", partial(measure, rounds=2, seconds=0.01))
    monkeypatch.setattr(parallel_branches, "interleaved", partial(interleaved, seconds=0.01))
    monkeypatch.setattr(parallel_branches, "SIZES", {"tiny": (12, 3)})
    monkeypatch.setattr(parallel_branches, "TOKENS", 5)
    said = []
    for module, name in ((recipe, "bench"), (parallel_branches, "parallel_branches")):
        file = module.record(None, said.append)
        content = json.loads(file.read_text())
        assert file.name.startswith(name)
        assert content["rows"]
        assert content["provenance"]["threads"] >= 1
    assert said[0].startswith("ti/16, forward, batch 1: ours over timm")


def test_the_command_prints_a_table_and_writes_json_and_a_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["vitcourse", "bench", "--model", "ti/16", "--rounds", "2", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "slower by more than 3%" in capsys.readouterr().out
    rows = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert [case_name(row) for row in rows] == [
        "ti/16, forward, batch 1",
        "ti/16, forward, batch 8",
        "ti/16, training step, batch 8",
    ]
    assert (tmp_path / "bench.png").stat().st_size > 10_000
    assert table(rows).row_count == 3
    assert len(picture(rows).axes[0].get_yticklabels()) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "huge"], "no model 'huge' to time; there are: ti/16, s/16"),
        (["--device", "tpu"], "no device 'tpu'"),
    ],
)
def test_bad_input_ends_in_one_line(monkeypatch, capsys, arguments, words):
    monkeypatch.setattr("sys.argv", ["vitcourse", "bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err.strip()
    assert words in error
    assert "\n" not in error


@pytest.mark.gpu
def test_on_a_gpu_with_compiled_models():
    row = measure(Case("ti/16", "forward", 2, compiled=True), torch.device("cuda"), rounds=3, seconds=0.01)
    assert row["dtype"] == "bfloat16"


def test_every_parallel_block_is_a_case():
    assert {config.block for config in cases.MODELS.values()} <= set(BLOCKS)
    assert sum(config.block == "parallel" for config in cases.MODELS.values()) == 2
