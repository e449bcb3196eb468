"""What defines a run, on disk and off it."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import resnet18
from transformers import ViTModel

from tests.asl.test_model import THEIRS
from vitcourse.asl import SignRun, load_run
from vitcourse.asl.backbones.ours import SMALL_VIT, sign_backbone
from vitcourse.asl.backbones.resnet import ImageNetResNet
from vitcourse.asl.boxes import BOX_HEADS
from vitcourse.asl.runs import RUN, new_model, same_run, save_run
from vitcourse.errors import CheckpointError, InputError
from vitcourse.files import write_whole
from vitcourse.positions import resample
from vitcourse.training import TrainingConfig
from vitcourse.training.description import preprocessing


@pytest.fixture(scope="module")
def resnet_weights(tmp_path_factory):
    """A file such as torchvision's ``resnet18-f37072fd.pth``."""
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(resnet18().state_dict(), file)
    return file


def saved(model, run, folder):
    from safetensors.torch import save

    save_run(run, folder)
    write_whole(folder / "model.safetensors", save({name: t.contiguous() for name, t in model.state_dict().items()}))
    return folder


def test_a_resnet_takes_its_weights_from_a_file(resnet_weights, tmp_path):
    state = torch.load(resnet_weights, weights_only=True)
    save_file(state, tmp_path / "resnet18.safetensors")
    for file in (resnet_weights, tmp_path / "resnet18.safetensors"):
        model, run = new_model(SignRun(f"resnet18:{file}"))
        assert isinstance(model.backbone, ImageNetResNet)
        assert run.image_size == 224
        assert torch.equal(model.backbone.layer4[1].conv2.weight, state["layer4.1.conv2.weight"])
    assert not isinstance(new_model(SignRun("resnet18"))[0].backbone, ImageNetResNet)


def test_the_courses_backbone_reads_images_of_other_sizes(tmp_path):
    own = sign_backbone().state_dict()
    for size, side in ((SMALL_VIT.image_size, 6), (128, 8)):
        model, run = new_model(SignRun("vit-signs", size))
        assert run.backbone_config["image_size"] == model.image_size == size
        state = model.backbone.state_dict()
        torch.testing.assert_close(state["pos_embed"], resample(own["pos_embed"], (side, side)), rtol=0, atol=0)
        assert all(torch.equal(tensor, own[name]) for name, tensor in state.items() if name != "pos_embed")
    again, _ = load_run(saved(model.eval(), run, tmp_path))
    images = torch.rand(1, 3, 128, 128)
    torch.testing.assert_close(again.cpu()(images)[0], model(images)[0])


def test_a_model_of_hugging_face_reads_images_of_its_own_size_alone(tmp_path):
    ViTModel(THEIRS).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="reads images of 32 pixels, 64 were asked for"):
        new_model(SignRun(str(tmp_path), 64))


def test_a_model_of_hugging_face_comes_in_float32_and_its_run_is_known_again(tmp_path):
    ViTModel(THEIRS).half().save_pretrained(tmp_path / "vit")
    model, run = new_model(SignRun(str(tmp_path / "vit")))
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    save_run(run, tmp_path)
    same_run(run, tmp_path)  # JSON has turned the numbers of the classes into texts
    with pytest.raises(CheckpointError, match="another data"):
        same_run(replace(run, data="other"), tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("hidden_size", "x"), ("image_size", [32, 32]), ("num_attention_heads", 0), ("hidden_act", "foo")],
)
def test_a_damaged_config_of_a_vit_is_one_line(tmp_path, name, value):
    ViTModel(THEIRS).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {name: value}))
    with pytest.raises(InputError, match="no ViTModel could be loaded") as caught:
        new_model(SignRun(str(tmp_path)))
    assert len(str(caught.value).splitlines()) == 1


def test_a_run_trained_in_fp16_on_a_gpu_is_read_anywhere(tmp_path):
    model, run = new_model(SignRun("vit", 32, training=TrainingConfig(precision="fp16")))
    assert load_run(saved(model, run, tmp_path))[1].training.precision == "fp16"
    (tmp_path / "run.json").write_text("[" * 100_000)
    with pytest.raises(CheckpointError, match="does not describe a run"):
        load_run(tmp_path)


def test_a_run_is_loaded_without_what_it_started_from(resnet_weights, tmp_path):
    """The original weights may be gone: the run's own are all that is read."""
    theirs = tmp_path / "vit"
    ViTModel(THEIRS).save_pretrained(theirs)
    file = tmp_path / "resnet.pth"
    file.write_bytes(resnet_weights.read_bytes())
    folders = {}
    for name in (str(theirs), f"resnet18:{file}", "resnet18", "vit"):
        size = 0 if name == str(theirs) else 32
        model, run = new_model(SignRun(name, size, box_sigmoid=False))
        folders[name] = (model.eval(), saved(model, run, tmp_path / f"run{len(folders)}"))
    file.unlink()
    for path in theirs.iterdir():
        path.unlink()
    images = torch.rand(2, 3, 32, 32)
    for name, (model, folder) in folders.items():
        again, _ = load_run(folder)
        for first, second in zip(again.cpu()(images), model(images), strict=True):
            torch.testing.assert_close(first, second, msg=name)


def test_an_older_run_is_read_with_todays_defaults(tmp_path):
    model, run = new_model(SignRun("vit", 32))
    saved(model, run, tmp_path)
    content = json.loads((tmp_path / RUN).read_text())
    for name in ("box_loss", "balance", "task", "augment", "hold_out", "box_head", "labels", "strong"):
        del content["settings"][name]
    for name in ("accumulate", "schedule", "monitor", "patience", "plateau_factor", "choose"):
        del content["settings"]["training"][name]
    (tmp_path / RUN).write_text(json.dumps(content))
    assert load_run(tmp_path)[1] == run


@pytest.mark.parametrize("head", BOX_HEADS)
def test_a_run_comes_back_with_its_box_head(tmp_path, head):
    model, run = new_model(SignRun("vit", 32, box_head=head))
    again, told = load_run(saved(model.eval(), run, tmp_path))
    assert told == run
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(again.cpu()(images)[1], model(images)[1])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("backbone_config", "patch_size", 0),
        ("backbone_config", "dim", -1),
        ("backbone_config", "num_heads", 0),
        ("backbone_config", "depth", "x"),
        ("backbone_config", "block", None),
        ("training", "epochs", []),
        ("training", "lr", "fast"),
        ("", "image_size", "x"),
        ("", "image_size", 10**9),
        ("", "training", None),
        ("", "backbone_config", []),
        ("", "hold_out", {}),
    ],
)
def test_a_description_that_makes_no_model_is_named(tmp_path, part, name, value):
    model, run = new_model(SignRun("vit", 32))
    saved(model, run, tmp_path)
    content = json.loads((tmp_path / RUN).read_text())
    (content["settings"][part] if part else content["settings"])[name] = value
    (tmp_path / RUN).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"run\.json: it does not describe a sign run") as caught:
        load_run(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_the_loss_is_the_runs():
    run = SignRun(classification_divisor=30.0, box_loss="giou", frozen_layers=4)
    loss = run.loss()
    assert (loss.classification_divisor, loss.box_loss, loss.after) == (30.0, "giou", 4)
    assert SignRun().loss().after is None
    assert replace(run, balance="uncertainty").loss().log_variances is not None


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("resnet18:no.pth", None, "no.pth: there is no such file"),
        ("resnet18:", None, "there is no such file"),
        ("resnet18:broken.pth", b"not weights", "broken.pth: no weights of a ResNet-18"),
        ("resnet18:broken.safetensors", b"not weights", "broken.safetensors: no weights of a ResNet-18"),
        ("resnet18:.", None, "there is no such file"),
        ("resnet50", None, "no ViTModel could be loaded from 'resnet50'"),
    ],
)
def test_weights_that_are_none_are_named(tmp_path, monkeypatch, name, content, words):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / name.partition(":")[2]).write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        new_model(SignRun(name))
    assert len(str(caught.value).splitlines()) == 1


def test_no_pickle_is_executed(tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("executed").touch, ())

    torch.save({"conv1.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(InputError, match="no weights of a ResNet-18"):
        new_model(SignRun(f"resnet18:{tmp_path / 'evil.pth'}"))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_size": 100_000}, "image_size must be 0 to 1024, got 100000"),
        ({"image_size": -1}, "got -1"),
        ({"hold_out": 1.0}, "hold_out must be a share"),
        ({"hold_out": float("nan")}, "hold_out must be a share"),
        ({"box_loss": "l2"}, "got 'l2'"),
        ({"task": ""}, "task must be one of"),
        ({"box_head": "corners"}, "box_head must be one of mean, sides, query, distances, flattened, got 'corners'"),
        ({"labels": "loose"}, "labels must be one of exported, tight, got 'loose'"),
        ({"strong": True, "augment": False}, "strong is a way to augment"),
        ({"classification_divisor": -1.0}, "above 0, got -1"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        SignRun(**options, training=TrainingConfig())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": ["A", "B"]}, "its labels are not the 26 letters"),
        ({"kind": "faces"}, "it describes a run of 'faces', and one of 'signs' is wanted"),
        ({"preprocessing": {**preprocessing(48)}}, "its images have a size of 48, its settings ask for 32"),
    ],
)
def test_a_run_that_does_not_fit_is_refused_saying_how(tmp_path, change, words):
    saved(*new_model(SignRun("vit", 32)), tmp_path)
    content = json.loads((tmp_path / RUN).read_text()) | change
    (tmp_path / RUN).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=words):
        load_run(tmp_path)
