"""The course's own weights, made on sizes that take seconds, and read on photos that nobody trained on."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from vitcourse.asl.backbones import ours
from vitcourse.data.asl import synthesise
from vitcourse.errors import InputError
from vitcourse.recipes.asl_finetuning import sign_backbone, sign_transfer


@pytest.fixture
def small_assets(folder, monkeypatch):
    """The recipe on few pictures, its weights in the test's folder."""
    weights = folder / "assets" / "sign_backbone.safetensors"
    monkeypatch.setattr(sign_backbone, "PRETRAINED", weights)
    monkeypatch.setattr(sign_backbone, "HEADS", weights.with_name("sign_heads.safetensors"))
    monkeypatch.setattr(sign_backbone, "WORK", folder / "work")
    monkeypatch.setattr(ours, "PRETRAINED", weights)
    monkeypatch.setattr(sign_backbone, "TRAIN", 52)
    monkeypatch.setattr(sign_backbone, "HELD_OUT", 26)
    monkeypatch.setattr(sign_backbone, "PIXELS", 64)
    monkeypatch.setattr(sign_backbone, "TRAINING", replace(sign_backbone.TRAINING, epochs=2))
    return weights


def test_sign_backbone_leaves_weights_that_load(folder, small_assets):
    said = []
    file = sign_backbone.record(None, said.append)
    content = json.loads(file.read_text())
    assert file == folder / "book" / "results" / "sign_backbone.json"
    assert [entry["epoch"] for entry in content["log"]] == [1, 2]
    assert {"letter", "box", "joint", "part", "held_out_iou75"} <= set(content["log"][0])
    assert len(said) == 3
    state = load_file(small_assets)
    assert {tensor.dtype for tensor in state.values() if tensor.is_floating_point()} == {torch.float16}
    assert sum(file.stat().st_size for file in small_assets.parent.iterdir()) < 8 * 2**20
    backbone = ours.sign_backbone()
    torch.testing.assert_close(backbone.pos_embed, state["pos_embed"].float())
    model = sign_backbone.hand_model()
    heads = load_file(sign_backbone.HEADS)
    torch.testing.assert_close(model.joints.weight, heads["joints.weight"].float())
    torch.testing.assert_close(model.backbone.pos_embed, backbone.pos_embed)
    outputs = model(torch.zeros(2, 3, 96, 96))
    assert [output.shape[1:] for output in outputs] == [(26,), (4,), (21, 2), (24, 24, 18)]


def test_sign_backbone_goes_on_where_it_was_ended(folder, small_assets, monkeypatch):
    sign_backbone.record(None, lambda line: None)
    whole = load_file(small_assets)
    judge, calls = sign_backbone.judge, []

    def ended(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return judge(*given)

    monkeypatch.setattr(sign_backbone, "judge", ended)
    with pytest.raises(KeyboardInterrupt):
        sign_backbone.record(None, lambda line: None)
    said = []
    content = json.loads(sign_backbone.record(None, said.append).read_text())
    assert len(said) == 2  # the rendering, and the second epoch
    assert [entry["epoch"] for entry in content["log"]] == [1, 2]
    again = load_file(small_assets)
    assert all(torch.equal(again[name], tensor) for name, tensor in whole.items())
    assert not (folder / "work").exists()


def test_every_head_of_the_backbone_learns(small_assets):
    torch.manual_seed(0)
    data, model = sign_backbone.Rendered(26, 0), sign_backbone.HandModel()
    losses, batch = sign_backbone.Losses(data), {"index": torch.arange(26)}
    optimizer, first = torch.optim.AdamW(model.parameters(), 1e-3), None
    for _ in range(25):
        found = losses(model, batch)
        first = first or {name: value.item() for name, value in found.items()}
        found["loss"].backward()
        optimizer.step()
        optimizer.zero_grad()
    for name, share in {"box": 0.6, "joint": 0.8, "part": 0.6, "loss": 0.8}.items():
        assert found[name].item() < share * first[name]


def test_the_map_of_parts_is_put_together_from_the_patches_in_their_places():
    """A token changes the cells of its own patch and no others."""
    model = sign_backbone.HandModel().eval()
    tokens = torch.zeros(1, 1 + sign_backbone.SIDE**2, sign_backbone.SMALL_VIT.dim)
    tokens[0, 1 + sign_backbone.SIDE + 2, ::2] = 5.0  # the patch in row 1, column 2
    model.backbone.forward_features = lambda images: tokens
    cells = model(torch.zeros(1, 3, 96, 96))[3][0]
    cell, side = sign_backbone.CELLS, sign_backbone.SIDE
    patches = cells.view(side, cell, side, cell, -1).transpose(1, 2).flatten(0, 1)  # (SIDE², cell, cell, classes)
    like_the_first = (patches - patches[0]).abs().flatten(1).amax(1) < 1e-6
    assert (~like_the_first).nonzero()[:, 0].tolist() == [side + 2]


def test_pictures_of_train_and_held_out_are_different(small_assets):
    train, held_out = sign_backbone.Rendered(26, 0), sign_backbone.Rendered(26, 26)
    assert torch.equal(train.labels, held_out.labels)
    assert not (train.images == held_out.images).flatten(1).all(dim=1).any()


def test_sign_transfer_measures_photos_that_nobody_trained_on(folder, small_assets):
    sign_backbone.record(None, lambda line: None)
    synthesise(folder / "signs", train=78, valid=26, test=0, size=64)
    said = []
    content = json.loads(sign_transfer.record(folder / "signs", said.append).read_text())
    counts = {"hold-out of train": 26, "train": 78, "valid": 26}
    assert [(row["title"], row["images"], row["mirrored_too"]) for row in content["rows"]] == [
        (title, count, mirror) for mirror in (False, True) for title, count in counts.items()
    ]
    assert all(0 <= row["accuracy"] <= row["top3"] <= 1 for row in content["rows"])
    assert {entry["images"] for entry in content["train_letters"].values()} == {3}
    assert len(said) == 6
    with pytest.raises(InputError, match="--data"):
        sign_transfer.record(None)


def test_letters_are_counted_one_by_one():
    labels = torch.tensor([0, 0, 0, 1])
    said = torch.nn.functional.one_hot(torch.tensor([0, 18, 18, 1]), 26).float()
    found = sign_transfer.by_letter(said, labels)
    assert found == {
        "A": {"images": 3, "right": pytest.approx(1 / 3), "taken_for": "S"},
        "B": {"images": 1, "right": 1.0, "taken_for": None},
    }
