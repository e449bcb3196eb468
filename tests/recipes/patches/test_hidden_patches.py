"""The recorded run on hidden patches, on sizes that take seconds."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.ndimage
import torch
from torchvision.models.vision_transformer import interpolate_embeddings

from tests.helpers import randomise
from vitcourse.patches import patchify
from vitcourse.recipes.patches import hidden_patches as recipe


def test_a_crop_is_the_same_at_both_sizes_up_to_its_fineness():
    small, large = recipe.Crops(4, seed=2), recipe.Crops(4, seed=2, pixels=recipe.LARGER)
    for one, other in zip(small, large, strict=True):
        assert one["images"].shape == (3, 64, 64)
        assert one["images"].abs().max() <= 1.001
        shrunk = torch.nn.functional.interpolate(other["images"][None], size=64, mode="bilinear", antialias=True)[0]
        assert (one["images"] - shrunk).abs().mean() < 0.15 * one["images"].std()


def test_a_hidden_patch_is_not_seen():
    model = randomise(recipe.FillsIn()).eval()
    images = torch.stack([crop["images"] for crop in recipe.Crops(2, seed=2)]).double()
    hidden = torch.zeros(2, 64, dtype=torch.bool)
    hidden[:, 10] = True
    changed = images.clone()
    changed[:, :, 8:16, 16:24] = 0.7  # patch 10: the second row, the third column
    torch.testing.assert_close(model(images, hidden), model(changed, hidden), atol=1e-12, rtol=0)
    assert (model(images, ~hidden) - model(changed, ~hidden)).abs().max() > 1e-3


def test_the_error_is_that_of_the_hidden_patches():
    images = torch.stack([crop["images"] for crop in recipe.Crops(3, seed=2)])
    patches, seen = patchify(images, 8), []

    def knows_what_it_sees(images, hidden):
        seen.append(hidden)
        return torch.where(hidden[..., None], patches + 2, torch.zeros_like(patches))

    batch = {"images": images}
    assert recipe.error(knows_what_it_sees, batch)["loss"].item() == pytest.approx(4, abs=1e-4)
    assert 0.3 < seen[0].float().mean() < 0.7


@pytest.mark.parametrize("side", [12, 5])
def test_tables_are_carried_over_as_the_libraries_do(side):
    table = torch.randn(1, 65, 6, generator=torch.Generator().manual_seed(0))
    made = {who: carry(table, side) for who, carry in recipe.LIBRARIES.items()}
    for one in made.values():
        assert one.shape == (1, 1 + side**2, 6)
        assert torch.equal(one[:, 0], table[:, 0])
    theirs = interpolate_embeddings(8 * side, 8, {"encoder.pos_embedding": table.clone()})["encoder.pos_embedding"]
    torch.testing.assert_close(made["torchvision"], theirs, atol=1e-5, rtol=0)
    grid = table[0, 1:].reshape(8, 8, 6).numpy()
    zoomed = torch.tensor(scipy.ndimage.zoom(grid, (side / 8, side / 8, 1), order=1)).flatten(0, 1)
    torch.testing.assert_close(made["big_vision"][0, 1:], zoomed, atol=1e-5, rtol=0)


def test_training_lowers_the_error_and_adds_nothing_at_rate_0(monkeypatch):
    monkeypatch.setattr(recipe, "CROPS", 320)
    quick = replace(recipe.SETTINGS[recipe.LONG], epochs=2, seed=3)
    model, added = recipe.train(quick)
    idle, nothing = recipe.train(replace(quick, lr=0.0))
    assert recipe.crop_error(model) < 0.75 * recipe.crop_error(idle)
    assert added.abs().max() > 0
    assert not nothing.any()


def test_the_run_is_recorded(folder, monkeypatch):
    short = {name: replace(config, epochs=1) for name, config in recipe.SETTINGS.items()}
    for name, value in {"CROPS": 64, "TEST_CROPS": 4, "SEEDS": (0, 1), "SETTINGS": short}.items():
        monkeypatch.setattr(recipe, name, value)
    said = []
    file = recipe.record(None, said.append)
    rows = json.loads(file.read_text())["rows"]
    assert [(row["setting"], row["seed"]) for row in rows] == [(name, seed) for name in short for seed in (0, 1)]
    assert {row["setting"] for row in rows if "larger" in row} == {recipe.LONG}
    with np.load(file.with_suffix(".npz")) as maps:
        assert maps["positions"].shape == (4, 2, 64, 64)
        assert maps["components"].shape == (28, 3, 8, 8)
        assert not np.array_equal(maps["positions"][0, 0], maps["positions"][0, 1])
