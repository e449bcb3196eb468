"""Altered copies of pictures: their pixels, the boxes that exporters draw, the true ones, and what is kept of both."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from vitcourse.data.altered import Alteration, alter, hull, tight
from vitcourse.data.asl import load, synthesise
from vitcourse.errors import InputError


def test_a_hull_of_a_hull_by_hand():
    """A box of 40 x 20 in the middle of 100 x 100, turned by 5 degrees, then sheared along x by 5."""
    made = Alteration(False, (0, 0), 100, 5.0, (5.0, 0.0), 1.0, 0.0)
    sine, cosine, tangent = math.sin(math.radians(5)), math.cos(math.radians(5)), math.tan(math.radians(5))
    wide, high = 40 * cosine + 20 * sine, 20 * cosine + 40 * sine
    wide = wide + tangent * high
    expected = torch.tensor([50 - wide / 2, 50 - high / 2, 50 + wide / 2, 50 + high / 2]) / 100
    torch.testing.assert_close(hull(torch.tensor([0.3, 0.4, 0.7, 0.6]), made, 100), expected)


def test_pixels_move_as_boxes_do():
    """A white block in black stays in its tight box, whatever is done to it, and fills it to a pixel."""
    image = torch.zeros(3, 96, 96, dtype=torch.uint8)
    image[:, 30:61, 20:71] = 255
    parts, box = (image[0, ::2, ::2] > 0).to(torch.uint8), torch.tensor([20, 30, 71, 61]) / 96
    for seed in range(12):
        made = Alteration.drawn(np.random.default_rng(seed), 96)
        seen = (alter(image, made)[0] > 100).nonzero().flip(1)
        true = tight(box, parts, made, 96) * made.side
        measured = torch.cat([seen.amin(0), seen.amax(0) + 1])
        assert (true - measured).abs().max() <= 1.5, seed


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """One set boxed as exporters do, and tightly."""
    made = {}
    for name in ("hulls", "tight"):
        made[name] = tmp_path_factory.mktemp(name) / "set"
        synthesise(made[name], 13, 4, 0, size=96, seed=5, form="yolo", copies=3, hulls=name == "hulls")
    return made


def test_the_truth_is_kept_beside_the_copies(roots):
    grown, true = (load(roots[name], "train") for name in ("hulls", "tight"))
    truth = json.loads((roots["hulls"] / "truth.json").read_text())["train"]
    assert set(truth) == {Path(file).name for file in grown.files}
    assert len(grown) == 39
    kept = torch.tensor([truth[Path(file).name]["box"] for file in grown.files])
    torch.testing.assert_close(true.boxes, kept)
    assert [Path(file).name for file in true.files] == [Path(file).name for file in grown.files]
    more = grown.boxes[:, 2:] - grown.boxes[:, :2] - (kept[:, 2:] - kept[:, :2])
    assert more.min() > -0.02
    assert more.mean() > 0.02
    assert 0.89 * 96 <= grown.sizes.min() < grown.sizes.max() <= 96


def test_only_train_is_altered(roots, tmp_path):
    synthesise(tmp_path / "plain", 13, 4, 0, size=96, seed=5, form="yolo")
    plain = {file.name: file.read_bytes() for file in (tmp_path / "plain" / "valid" / "images").iterdir()}
    for root in roots.values():
        assert {file.name: file.read_bytes() for file in (root / "valid" / "images").iterdir()} == plain
    assert not (tmp_path / "plain" / "truth.json").exists()
    assert "turned, sheared" in (roots["hulls"] / "README.dataset.txt").read_text()


def test_hulls_without_copies_are_refused(tmp_path):
    with pytest.raises(InputError, match="ask for 1 copy"):
        synthesise(tmp_path / "set", train=2, valid=0, test=0, size=32, hulls=True)
    assert list(tmp_path.iterdir()) == []
