"""The recorded runs of lesson 06, on sizes that take seconds."""

import itertools
import json
from functools import partial

import pytest
import torch

from vitcourse import results
from vitcourse.recipes.vit import vit_digits, vit_distilled, vit_unlabelled
from vitcourse.recipes.vit.vit_digits import SmallCNN, accuracy, batches, digits, first, moved, rate_at, train, vit
from vitcourse.recipes.vit.vit_distilled import DistilledViT, hard_distillation


def numbers_of(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_both_models_have_as_many_parameters():
    assert abs(numbers_of(vit()) / numbers_of(SmallCNN()) - 1) < 0.002


def test_the_last_digits_are_held_out_and_a_larger_draw_holds_the_smaller():
    (images, labels), (held, _) = digits().values()
    assert (len(images), len(held)) == (1437, 360)
    assert images.mean().abs() < 1e-5
    assert images.std() == pytest.approx(1)
    assert torch.equal(first(50, 3)[0], first(80, 3)[0][:50])
    assert not torch.equal(first(50, 3)[0], first(50, 4)[0])
    assert sorted(first(1437, 0)[1].tolist()) == sorted(labels.tolist())


def test_every_image_comes_once_in_each_pass():
    drawn = torch.cat(list(batches(96, 3, torch.Generator().manual_seed(0))))
    assert len(drawn) == 192
    assert drawn[:96].sort().values.tolist() == drawn[96:].sort().values.tolist() == list(range(96))
    assert torch.cat(list(batches(10, 5, torch.Generator()))).bincount().tolist() == [32] * 10


def test_the_rate_goes_up_in_a_line_and_down_to_nothing():
    rates = [rate_at(step, 100) for step in range(100)]
    assert rates[:2] == [0.1, 0.2]
    assert max(rates) > 0.95
    peak = rates.index(max(rates))
    assert peak == 9  # a tenth of the steps
    assert all(a < b for a, b in itertools.pairwise(rates[: peak + 1]))
    assert all(a > b for a, b in itertools.pairwise(rates[peak:]))
    assert rates[-1] < 1e-3


def test_an_image_moves_by_a_pixel_at_most_and_background_comes_in():
    image = torch.full((200, 1, 8, 8), -1.0)
    image[:, 0, 4, 4] = 1
    found = moved(image, torch.Generator().manual_seed(0))
    assert (found == 1).sum() == 200
    assert (found == -1).sum() == 200 * 63
    places = (found[:, 0] == 1).nonzero()[:, 1:]
    assert {tuple(place) for place in places.tolist()} == {(y, x) for y in (3, 4, 5) for x in (3, 4, 5)}


def test_a_cnn_learns_and_nothing_is_learned_at_rate_0():
    seen, test = first(400, 0), digits()["test"]
    assert accuracy(train(SmallCNN, *seen, 4e-3, steps=60), *test) > 0.7
    assert accuracy(train(SmallCNN, *seen, 0.0, steps=60), *test) < 0.3


def test_the_distillation_token_is_the_last_and_has_its_own_head():
    model, images = DistilledViT().eval(), torch.randn(3, 1, 8, 8)
    assert model.embed(images).shape == (3, 18, 32)
    by_class, by_teacher = model.both(images)
    tokens = model.forward_features(images)
    torch.testing.assert_close(by_teacher, model.head_dist(tokens[:, 17]))
    torch.testing.assert_close(by_class, model.head(tokens[:, 0]))
    mean = (by_class.softmax(dim=-1) + by_teacher.softmax(dim=-1)) / 2
    torch.testing.assert_close(model(images).exp(), mean)
    assert len(model.train()(images)) == 2


def test_each_token_learns_from_its_own_half_of_the_loss():
    teacher, model = SmallCNN().eval(), DistilledViT()
    images, labels = first(20, 0)
    told = teacher(images).argmax(dim=-1)
    by_class, by_teacher = model(images)
    halves = torch.nn.functional.cross_entropy(by_class, labels), torch.nn.functional.cross_entropy(by_teacher, told)
    torch.testing.assert_close(hard_distillation(teacher)(model, images, labels), sum(halves) / 2)


def test_the_teacher_names_images_that_have_no_label():
    teacher, model = SmallCNN().eval(), DistilledViT()
    everything, (images, labels) = digits()["train"][0], first(64, 0)
    loss = vit_unlabelled.distillation_on(everything, teacher, seed=1)(model, images, labels)
    drawn = torch.randint(len(everything), (64,), generator=torch.Generator().manual_seed(1))
    own = torch.nn.functional.cross_entropy(model(images)[0], labels)
    told = teacher(everything).argmax(dim=-1)[drawn]
    torch.testing.assert_close(loss, (own + torch.nn.functional.cross_entropy(model(everything[drawn])[1], told)) / 2)


@pytest.mark.parametrize("module", [vit_digits, vit_distilled, vit_unlabelled])
def test_a_run_is_recorded(module, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "SEEDS", (0, 1))
    monkeypatch.setattr(module, "COUNTS", (20, 70))
    if module is vit_digits:
        monkeypatch.setattr(module, "MOVED_STEPS", 2)
    monkeypatch.setattr(module, "train", partial(short, module.train))
    said = []
    rows = json.loads(module.record(None, said.append).read_text())["rows"]
    assert len(rows) == len(said) == (16 if module is vit_digits else 4)
    assert {row["seed"] for row in rows} == {0, 1}


def short(train, *args, **how):
    return train(*args, **{**how, "steps": 2})
