"""Training on faces, its runs on disk and its measures, on sizes that take seconds."""

import json
import warnings
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from vitcourse.blocks import BLOCKS
from vitcourse.data.faces import in_memory, load, synthesise
from vitcourse.errors import CheckpointError, InputError
from vitcourse.faces import (
    MODELS,
    PRESETS,
    FaceRun,
    eigenfaces,
    evaluate,
    load_run,
    new_model,
    open_set,
    threshold_for,
    train_faces,
)
from vitcourse.faces.augment import FaceAugmentation
from vitcourse.faces.models import FaceLoss
from vitcourse.training import CHECKPOINT, LOG, TrainingConfig
from vitcourse.training.description import RUN, UnfinishedNote, described
from vitcourse.training.setup import SEED
from vitcourse.vit import ViTConfig

SMALL = ViTConfig(image_size=32, patch_size=8, dim=32, depth=2, num_heads=2, stem="conv", pool="avg")
QUICK = FaceRun(vit=SMALL, training=TrainingConfig(epochs=12, batch_size=12, lr=5e-3))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces") / "faces"
    synthesise(folder, people=5, images=10, size=32, seed=4)
    return in_memory(load(folder, valid=0.2, test=0.2, strangers=1), 32)


def test_a_model_learns_people_and_not_at_rate_0(parts):
    model, log, threshold = train_faces(QUICK, parts)
    assert log[-1]["loss"] < log[0]["loss"] - 0.2
    assert evaluate(model, parts["test"])["accuracy"] >= 0.6  # one in four by chance
    assert 0.25 <= threshold <= 1
    still = replace(QUICK, training=replace(QUICK.training, lr=0.0, epochs=2))
    model, log, _ = train_faces(still, parts)
    assert abs(log[1]["loss"] - log[0]["loss"]) < 0.2
    assert evaluate(model, parts["test"])["accuracy"] <= 0.5


def test_a_run_that_is_stopped_goes_on_to_the_same_weights(parts, tmp_path):
    run = replace(QUICK, training=replace(QUICK.training, epochs=3))
    whole, log, threshold = train_faces(run, parts, tmp_path / "whole")

    def stop(done, total, _loss):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_faces(run, parts, tmp_path / "stopped", on_step=stop)
    with pytest.warns(UnfinishedNote, match="broken off after epoch 1 of 3, and it calls nobody unknown yet"):
        load_run(tmp_path / "stopped")
    reached = described(tmp_path / "stopped").metrics
    assert (reached["epochs_reached"], reached["epochs_wanted"]) == (1, 3)
    assert reached["valid_accuracy"] == log[0]["valid_accuracy"]
    again, _, _ = train_faces(run, parts, tmp_path / "stopped", resume=True)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name
    told = json.loads((tmp_path / "stopped" / RUN).read_text())
    assert (told["kind"], told["labels"]) == ("faces", parts["train"].names)
    assert told["metrics"]["threshold"] == threshold
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_run(tmp_path / "stopped")
    assert told["metrics"]["valid_accuracy"] == log[-1]["valid_accuracy"]
    other = {name: replace_people(part) for name, part in parts.items()}
    with pytest.raises(CheckpointError, match="other people or pictures"):
        train_faces(run, other, tmp_path / "stopped", resume=True)
    with pytest.raises(CheckpointError, match=r"smoothing: 0\.1 in the run, 0\.0 now"):
        train_faces(replace(run, smoothing=0.0), parts, tmp_path / "stopped", resume=True)
    with pytest.raises(InputError, match="there is a run in it already"):
        train_faces(run, parts, tmp_path / "stopped")


def replace_people(part):
    part = type(part).__new__(type(part))
    part.names, part.labels, part.images = ["x", "y"], torch.tensor([0, 1]), torch.zeros(2, 3, 32, 32).byte()
    return part


def test_nothing_stays_of_a_training_that_failed_at_once(parts, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train_faces(QUICK, parts, tmp_path / "run", on_step=interrupted)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="no model of these sizes can be made"):
        train_faces(replace(QUICK, vit=replace(SMALL, num_heads=5)), parts, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def interrupted(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_saved_and_read_again(parts, tmp_path, model):
    run = replace(QUICK, model=model, training=replace(QUICK.training, epochs=1))
    trained, _, _ = train_faces(run, parts, tmp_path)
    again, found = load_run(tmp_path)
    assert replace(found, data="") == run
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(again.cpu()(images), trained.eval()(images))
    (tmp_path / "model.safetensors").write_bytes((tmp_path / "model.safetensors").read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="does not hold the weights of this run"):
        load_run(tmp_path)
    save_file({"strange": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="does not hold the weights of this run"):
        load_run(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {RUN, LOG, CHECKPOINT, "model.safetensors"}


def test_a_run_starts_from_the_sign_backbone():
    run = PRESETS["cpu"].from_signs()
    model, plain = new_model(run, 7), new_model(replace(run, start="scratch"), 7)
    assert model.head.out_features == 7
    assert {
        name for name, tensor in plain.state_dict().items() if tensor.shape != model.state_dict()[name].shape
    } == set()
    assert not torch.equal(model.blocks[0].attn.qkv.weight, plain.blocks[0].attn.qkv.weight)
    with pytest.raises(InputError, match="needs the shape of the sign backbone"):
        new_model(replace(run, vit=replace(run.vit, dim=96)), 7)
    with pytest.raises(ValueError, match="takes no other model or block"):
        replace(run, model="resnet18")


def test_the_presets_are_what_they_are_called():
    seed, own = PRESETS["seed"], PRESETS["cpu"]
    assert (seed.vit, seed.training.epochs, seed.training.eps) == (SEED.model, 25, 1e-5)
    assert (seed.training.lr, seed.training.weight_decay, seed.training.warmup) == (3e-3, 0.01, 0.0)
    assert not seed.augment
    with torch.device("meta"):
        sizes = [sum(p.numel() for p in new_model(own.with_block(block), 40).parameters()) for block in BLOCKS]
    assert max(sizes) - min(sizes) == 2 * own.vit.depth * own.vit.dim  # the gammas


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "vgg"}, "model must be one of vit, resnet18, deit3, got 'vgg'"),
        ({"start": "cats"}, "start must be one of scratch, signs, got 'cats'"),
        ({"smoothing": 1.0}, "smoothing must be in"),
        ({"mix": -0.1}, "mix must be in"),
    ],
)
def test_a_run_that_cannot_be_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(QUICK, **change)


def test_the_augmentation_changes_each_picture_by_its_own_numbers():
    images = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8)
    batch, draws = {"image": images, "label": torch.arange(3)}, torch.rand(3, FaceAugmentation.numbers)
    changed = FaceAugmentation()(batch, draws)
    assert changed["image"].dtype == torch.uint8
    assert set(changed) == {"image", "label"}
    alone = FaceAugmentation()({"image": images[1:2], "label": batch["label"][1:2]}, draws[1:2])
    assert torch.equal(alone["image"][0], changed["image"][1])
    nothing = FaceAugmentation(*[0.0] * 3, turn=0.0, light=0.0, erase=0.0)
    assert (nothing(batch, draws)["image"].int() - images.int()).abs().max() <= 1
    mirrored = FaceAugmentation(0.99, 0.0, 0.0, 0.0, 0.0, 0.0)(batch, 0.5 * torch.ones_like(draws))
    assert (mirrored["image"].int() - images.flip(-1).int()).abs().max() <= 1
    with pytest.raises(ValueError, match="erase must be in"):
        FaceAugmentation(erase=1.5)


def test_the_loss_of_mixed_pictures_is_weighed():
    logits = torch.tensor([[5.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    batch = {"image": images, "label": torch.tensor([0, 0])}
    loss = FaceLoss()
    one = loss(lambda _: logits, batch)
    other = loss(lambda _: logits, batch | {"label": torch.tensor([1, 2])})
    mixed = loss(lambda _: logits, batch | {"other": torch.tensor([1, 2]), "kept": torch.tensor([0.75, 0.75])})
    for name in ("loss", "accuracy"):
        torch.testing.assert_close(mixed[name], 0.75 * one[name] + 0.25 * other[name])


def test_the_threshold_and_what_it_does():
    known = torch.arange(1, 101) / 100
    threshold = threshold_for(known)
    assert (known >= threshold).float().mean().item() == pytest.approx(0.95)
    assert threshold_for(torch.tensor([0.5])) == 0.5
    with pytest.raises(InputError, match="needs validation pictures"):
        threshold_for(known[:0])
    right = torch.tensor([True, False, True, True])
    found = open_set(0.5, torch.tensor([0.9, 0.8, 0.4, 0.5]), right, torch.tensor([0.1, 0.6, 0.45]))
    told = {"named": 0.5, "misnamed": 0.25, "refused": 0.25, "rejected": 2 / 3, "auroc": 9 / 12}
    assert found == {name: pytest.approx(value) for name, value in told.items()}


def test_eigenfaces_know_the_pictures_that_they_are_made_of(parts):
    own, test = eigenfaces(parts["train"], [parts["train"], parts["test"]])
    assert own == 1.0
    assert 0.25 <= test <= 1.0
