"""The recorded run on shuffled patches, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest
import torch

from tests.helpers import randomise
from vitcourse.patches import patchify
from vitcourse.recipes.patches import shuffled_patches as recipe
from vitcourse.vit import VisionTransformer


def test_a_shuffle_moves_whole_patches():
    images = recipe.Digits("test").images[:20]
    torch.testing.assert_close(recipe.shuffled(images, recipe.as_they_are), images)
    before, after = patchify(images, 2), patchify(recipe.shuffled(images, recipe.new_orders), 2)
    assert not torch.equal(before, after)
    for one, other in zip(before.tolist(), after.tolist(), strict=True):
        assert sorted(one) == sorted(other)


def test_one_order_is_the_same_for_all_and_new_orders_are_not():
    one, new = recipe.one_order(8), recipe.new_orders(8)
    assert (one == one[0]).all()
    assert torch.equal(recipe.one_order(8), one)
    assert not torch.equal(one[0], torch.arange(16))
    assert len({tuple(order) for order in new.tolist()}) == 8
    assert torch.equal(new.sort(dim=1).values, recipe.as_they_are(8))


def test_the_splits_hold_all_digits_once():
    train, test = recipe.Digits("train"), recipe.Digits("test")
    assert (len(train), len(test)) == (1437, 360)
    assert train.images.min() == -1
    assert train.images.max() == 1


def test_without_positions_the_order_of_patches_does_not_matter():
    model = randomise(VisionTransformer(recipe.CONFIG)).eval()
    images = recipe.Digits("test").images[:20].double()
    mixed = recipe.shuffled(images, recipe.new_orders)
    assert (model(images) - model(mixed)).abs().max() > 0.01
    torch.nn.init.zeros_(model.pos_embed)
    torch.testing.assert_close(model(images), model(mixed), atol=1e-10, rtol=0)


@pytest.mark.parametrize("positions", [True, False])
def test_digits_are_learned_and_nothing_is_at_rate_0(positions):
    quick = replace(recipe.TRAINING, epochs=8, batch_size=32, seed=3)
    model = recipe.train_digits(recipe.as_they_are, positions, quick)
    assert bool(model.pos_embed.any()) == positions
    assert recipe.accuracy(model) > 0.35
    assert recipe.accuracy(recipe.train_digits(recipe.as_they_are, positions, replace(quick, lr=0.0))) < 0.25


def test_the_run_is_recorded(folder, monkeypatch):
    monkeypatch.setattr(recipe, "SEEDS", (0,))
    monkeypatch.setattr(recipe, "TRAINING", replace(recipe.TRAINING, epochs=1))
    said = []
    content = json.loads(recipe.record(None, said.append).read_text())
    assert [row["variant"] for row in content["rows"]] == list(recipe.VARIANTS)
    assert len(said) == 4
    none = content["rows"][1]
    assert none["as_trained"] == pytest.approx(none["new_orders"], abs=0.01)
