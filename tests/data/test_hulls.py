"""Boxes that grew: what exporters make of them, what copies tell, and what is given back."""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from vitcourse.asl.metrics import aligned_iou
from vitcourse.data import hulls
from vitcourse.data.asl import judge, load, shrink, synthesise, tighten
from vitcourse.data.growth import MODELS, MOST, Photo, compare
from vitcourse.errors import DataError, InputError


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """The same altered copies twice: boxed as exporters do, and tightly."""
    made = {}
    for name in ("hulls", "tight"):
        root = tmp_path_factory.mktemp(name) / "set"
        synthesise(root, 26, 8, 0, size=128, seed=2, form="yolo", copies=3, hulls=name == "hulls")
        made[name] = load(root, "train")
    return made


def root_of(dataset) -> Path:
    return Path(dataset.files[0]).parents[2]


@pytest.fixture(scope="module")
def found(sets):
    return {name: tighten(dataset) for name, dataset in sets.items()}


def test_growth_by_hand():
    """The tiny hand of lesson 09: 3 x 5 pixels grown with k = 0.1, in pictures that are no squares."""
    sides, sizes = torch.tensor([[16, 8, 16, 8]]), torch.tensor([[1600.0, 800.0]])
    boxes = torch.tensor([[0.75, 1.85, 4.25, 7.15]]) / sides
    torch.testing.assert_close(shrink(boxes, sizes, 0.1) * sides, torch.tensor([[1.0, 2, 4, 7]]))
    torch.testing.assert_close(shrink(boxes, sizes, 0.0), boxes)


def test_a_side_at_the_edge_stays_and_its_opposite_gives_back_half():
    whole = torch.tensor([[0.2, 0.3, 0.7, 0.8]])
    sizes = torch.tensor([[200.0, 100.0]])
    inside = shrink(whole, sizes, 0.2)[0] - whole[0]
    for place, edge in enumerate((0.0, 0.0, 1.0, 1.0)):
        cut = whole.clone()
        cut[0, place] = edge
        moved = shrink(cut, sizes, 0.2)[0] - cut[0]
        assert moved[place] == 0
        assert ((moved * inside)[torch.arange(4) != place] > 0).all()
    # A rounded side may lie half a pixel inside.
    assert shrink(torch.tensor([[0.004, 0.3, 0.7, 0.8]]), sizes, 0.2)[0, 0] == torch.tensor(0.004)


def test_what_is_left_of_a_thin_box_is_a_box():
    thin = torch.tensor([[0.0, 0.1, 0.02, 0.9], [0.5, 0.1, 0.51, 0.9]])
    made = shrink(thin, torch.full((2, 2), 100.0), 0.2)
    assert (made[:, 2:] > made[:, :2]).all()


@pytest.mark.parametrize("k", [-0.1, 1.0, math.nan])
def test_shrink_names_a_bad_k(k):
    with pytest.raises(InputError, match=str(k)):
        shrink(torch.rand(2, 4), torch.ones(2, 2), k)


def test_shrink_names_bad_shapes():
    with pytest.raises(InputError, match=r"\[2, 4\] and \[3, 2\]"):
        shrink(torch.rand(2, 4), torch.ones(3, 2))


def test_hulls_are_told_and_undone(sets, found):
    dataset, made = sets["hulls"], found["hulls"]
    assert (made.how, made.verdict.hulls) == ("solved", True)
    assert made.verdict.noise["hull of a hull"] < 0.5 * made.verdict.noise["same size"]
    facts = json.loads((root_of(dataset) / "truth.json").read_text())["train"]
    facts = [facts[Path(file).name] for file in dataset.files]
    true = torch.tensor([fact["box"] for fact in facts])
    before, constant, after = (
        aligned_iou(boxes, true).mean() for boxes in (dataset.boxes, shrink(dataset.boxes, dataset.sizes), made.boxes)
    )
    assert before < 0.9 < constant < after
    angles = torch.tensor([[fact["turn"], *fact["shear"]] for fact in facts])
    off = torch.minimum((made.angles - angles).abs(), (made.angles + angles).abs())
    within = (off <= 2 * made.angle_deviation)[~off.isnan()].float().mean()
    assert within > 0.9
    assert 0 < made.deviation.nanmean() < 0.15


def test_tight_labels_stay_as_they_are(sets, found):
    made = found["tight"]
    assert (made.how, made.verdict.hulls) == ("nothing", False)
    assert torch.equal(made.boxes, sets["tight"].boxes)
    assert made.deviation.isnan().all()


def test_one_copy_a_photo_tells_nothing(sets):
    valid = load(root_of(sets["hulls"]), "valid")
    made = tighten(valid)
    assert (made.how, made.verdict.hulls) == ("nothing", None)
    assert "no photo has two copies" in made.why
    assert torch.equal(made.boxes, valid.boxes)
    asked = tighten(valid, k=0.08)
    assert asked.how == "constant"
    torch.testing.assert_close(asked.boxes, shrink(valid.boxes, valid.sizes, 0.08))


def test_copies_that_cannot_be_registered_tell_nothing(sets, monkeypatch):
    monkeypatch.setattr(hulls, "ALIKE", 1.1)
    made = tighten(sets["hulls"])
    assert (made.how, made.verdict.hulls) == ("nothing", None)
    assert "could be registered" in made.why


def test_a_verdict_needs_some_of_the_photos_alone(sets):
    heard = []
    verdict = judge(sets["hulls"], photos=6, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (14, 14)  # each fourth of 26 photos: 7 of them, two pairs each
    assert "7 photos" in verdict.why


def test_a_damaged_image_is_named(sets, tmp_path):
    (tmp_path / "A1_jpg.rf.1.jpg").write_text("no image")
    (tmp_path / "A1_jpg.rf.2.jpg").write_text("no image")
    files = sorted(map(str, tmp_path.iterdir()))
    dataset = SimpleNamespace(files=files, boxes=torch.rand(2, 4), sizes=torch.ones(2, 2))
    with pytest.raises(DataError, match=r"A1_jpg\.rf\.1\.jpg"):
        tighten(dataset)


def simulated(model, photos=24, noise=0.3, seed=0):
    """Photos whose copies' boxes grew by a model, from angles and boxes drawn here; with the true w and h."""
    generator = torch.Generator().manual_seed(seed)
    made, true = [], []
    for number in range(photos):
        side = 80 + 120 * torch.rand(2, generator=generator)
        turn, a, b = (2 * torch.rand(3, 3, generator=generator) - 1) * MOST
        sine, cosine = turn.sin(), turn.cos()
        numbers = torch.stack(MODELS[model](sine, cosine, a.tan(), b.tan()))
        extent = torch.stack(
            [numbers[0] * side[0] + numbers[1] * side[1], numbers[2] * side[0] + numbers[3] * side[1]], 1
        )
        linear = torch.stack(
            [cosine + a.tan() * sine, a.tan() * cosine - sine, b.tan() * cosine + sine, cosine - b.tan() * sine], 1
        ).view(3, 2, 2)
        extent = extent + noise * torch.randn(3, 2, generator=generator)
        maps = linear @ torch.linalg.inv(linear[0])
        made.append(Photo([3 * number, 3 * number + 1, 3 * number + 2], extent, torch.ones(3, 2) > 0, maps))
        true.append(side)
    return made, torch.stack(true)


@pytest.mark.parametrize("model", MODELS)
def test_each_model_explains_what_it_made(model):
    photos, _ = simulated(model)
    _, noise = compare(photos)
    assert min(noise, key=noise.get) == model
    assert noise[model] <= 0.71


def test_the_solved_sizes_are_true_within_their_deviation():
    photos, true = simulated("hull of a hull")
    solved = [photo.solve(0.5) for photo in photos]
    sizes = torch.stack([(photo.found - one["extra"]).mean(0) for photo, one in zip(photos, solved, strict=True)])
    off = (sizes / true - 1).abs().mean(1)
    stated = torch.stack([one["deviation"] for one in solved])
    assert off.mean() < 0.03
    assert (off < 2.5 * stated).float().mean() > 0.85
