"""Backbones of others, as people have them: wrapped, trained further, or something else than they are called."""

import argparse
import json
import logging
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torchvision.models import resnet18, resnet34, resnet50

from tests.asl.test_model import THEIRS
from vitcourse.asl import SignRun
from vitcourse.asl.backbones import vit_files
from vitcourse.asl.backbones.hugging_face import vit_model
from vitcourse.asl.backbones.resnet import ResNetAdapter
from vitcourse.asl.runs import new_model
from vitcourse.errors import InputError

VIT = {name: getattr(THEIRS, name) for name in vit_files.COUNTS}


@pytest.fixture(scope="module")
def whole():
    return resnet18().state_dict()


@pytest.fixture(scope="module")
def saved_vit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vit")
    transformers.ViTModel(THEIRS).save_pretrained(folder)
    return folder


@pytest.fixture
def vit(saved_vit, tmp_path):
    return shutil.copytree(saved_vit, tmp_path / "vit")


def change(folder, **fields):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | fields))


def refused(call, *words):
    with pytest.raises(InputError) as caught:
        call()
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line
    assert len(line) < 600
    for word in words:
        assert word in line, line
    return line


def classes(state, number, name="fc"):
    head = {f"{name}.weight": torch.zeros(number, 512), f"{name}.bias": torch.zeros(number)}
    return {key: tensor for key, tensor in state.items() if not key.startswith("fc.")} | head


FORMS = {
    "26 classes": lambda s: classes(s, 26),
    "another head": lambda s: classes(s, 7, "classifier.1"),
    "no head": lambda s: {name: tensor for name, tensor in s.items() if not name.startswith("fc.")},
    "wrapped": lambda s: {"state_dict": {f"module.{name}": tensor for name, tensor in s.items()}},
    "a backbone": lambda s: {f"backbone.{name}": tensor for name, tensor in s.items()} | {"head.weight": torch.ones(1)},
    "a script's": lambda s: {"model": classes(s, 26), "args": argparse.Namespace(lr=1), "epoch": 3},
    "compiled": lambda s: {f"module._orig_mod.{name}": tensor for name, tensor in s.items()},
    "old": lambda s: {name: tensor for name, tensor in s.items() if "num_batches" not in name},
    "half": lambda s: {name: t.half() if t.is_floating_point() else t for name, t in s.items()},
    "momentum": lambda s: {"state_dict": {f"encoder_q.{n}": t for n, t in s.items()} | {"queue": torch.ones(2)}},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_resnet_in_any_wrapping(whole, tmp_path, form):
    torch.save(FORMS[form](whole), tmp_path / "weights.pth")
    model = ResNetAdapter.load(f"resnet18:{tmp_path / 'weights.pth'}", 0)
    for name in ("conv1.weight", "layer4.1.bn2.running_var"):
        torch.testing.assert_close(model.state_dict()[name], whole[name], atol=1e-3, rtol=1e-3)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: resnet34().state_dict(), ("it has layer1.2.conv1.weight", "and 91 more, which such a model has not")),
        (lambda: resnet50().state_dict(), ("it has layer1.0.conv3.weight", "which such a model has not")),
        (lambda: {"x.weight": torch.ones(1)}, ("it lacks conv1.weight", "and 95 more")),
        (lambda: resnet18().state_dict() | {"conv1.weight": torch.ones(64, 1, 7, 7)}, ("(64, 1, 7, 7)", "wanted")),
    ],
)
def test_another_network_is_named(tmp_path, make, words):
    torch.save(make(), tmp_path / "weights.pth")
    name = f"resnet18:{tmp_path / 'weights.pth'}"
    refused(lambda: ResNetAdapter.load(name, 0), "weights.pth: no weights of a ResNet-18 could be read", *words)


def test_a_download_that_fails_is_one_line(monkeypatch):
    from torchvision.models import ResNet18_Weights

    def fails(*_, **__):
        raise OSError("<urlopen error [Errno -2] Name or service not known>")

    monkeypatch.setattr(ResNet18_Weights, "get_state_dict", fails)
    assert "urlopen" not in refused(
        lambda: ResNetAdapter.load("resnet18-imagenet", 0), "could not be downloaded", "resnet18:FILE"
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"num_channels": 1}, "its num_channels is 1, and photos have 3"),
        ({"num_channels": 4}, "its num_channels is 4, and photos have 3"),
        ({"model_type": "deit"}, "its model_type is 'deit', and the course takes vit"),
        ({"model_type": "swin"}, "its model_type is 'swin'"),
        ({"model_type": 3}, "its model_type is '3'"),
        ({"image_size": [32, 32]}, "its image_size is [32, 32]; one number is expected"),
        ({"image_size": 0}, "its image_size is 0"),
        ({"image_size": 10**6}, "its image_size is 1000000; a whole number from 1 to 1024"),
        ({"image_size": True}, "its image_size is true"),
        ({"image_size": 4}, "its image_size 4 is smaller than its patch_size 8"),
        ({"patch_size": 8.5}, "its patch_size is 8.5"),
        ({"patch_size": None}, "its patch_size is null"),
        ({"hidden_size": 25}, "its hidden_size 25 is not divisible by its num_attention_heads 4"),
        ({"hidden_size": "24"}, 'its hidden_size is "24"'),
        ({"hidden_size": 10**9}, "its hidden_size is 1000000000"),
        ({"num_attention_heads": 0}, "its num_attention_heads is 0"),
        ({"num_hidden_layers": -1}, "its num_hidden_layers is -1"),
        ({"intermediate_size": []}, "its intermediate_size is []"),
        ({"hidden_act": "swish9"}, 'its hidden_act "swish9" is not known'),
        ({"hidden_act": ["gelu"]}, "is not known"),
        ({"qkv_bias": "yes"}, 'its qkv_bias is "yes"; true or false'),
        ({"layer_norm_eps": "x"}, 'its layer_norm_eps is "x"'),
        ({"hidden_dropout_prob": 1.5}, "its hidden_dropout_prob is 1.5"),
        ({"attention_probs_dropout_prob": float("nan")}, "its attention_probs_dropout_prob is NaN"),
        ({"quantization_config": {"bits": 4}}, "its weights are quantised"),
        ({"hidden_size": 48}, "embeddings.cls_token has shape (1, 1, 24), its config.json asks for (1, 1, 48)"),
        ({"image_size": 64}, "embeddings.position_embeddings has shape (1, 17, 24)"),
        ({"num_hidden_layers": 2}, "its weights have layers.2."),
        ({"num_hidden_layers": 4}, "it lacks layers.3."),
        ({"qkv_bias": False}, "its weights have layers.0."),
    ],
)
def test_every_field_of_a_config_is_checked(vit, fields, words):
    change(vit, **fields)
    refused(lambda: new_model(SignRun(str(vit))), str(vit), words)


def test_a_config_is_checked_before_anything_is_built(vit, monkeypatch):
    monkeypatch.setattr(transformers.ViTModel, "from_pretrained", lambda *_, **__: pytest.fail("built"))
    change(vit, num_channels=1)
    refused(lambda: vit_model(str(vit)), "num_channels")


def test_what_the_course_does_not_need_is_left_out(vit):
    """Options that would change what comes out, or ask for another library."""
    change(vit, return_dict=False, torchscript=True, dtype="float7", attn_implementation="flash_attention_2")
    change(vit, id2label=7, auto_map={"AutoModel": "code.Model"}, pooler_act=None, model_type=None)
    model, run = new_model(SignRun(str(vit)))
    assert model.backbone(torch.rand(1, 3, 32, 32)).last_hidden_state.shape == (1, 17, 24)
    assert set(run.backbone_config) == set(vit_files.FIELDS)


KINDS = {
    "deit": (transformers.DeiTModel, transformers.DeiTConfig),
    "beit": (transformers.BeitModel, transformers.BeitConfig),
    "bert": (transformers.BertModel, transformers.BertConfig),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_another_model_is_one_line(tmp_path, kind, caplog):
    model, config = KINDS[kind]
    fields = {name: value for name, value in VIT.items() if kind != "bert" or name not in vit_files.COUNTS[:2]}
    model(config(**fields)).save_pretrained(tmp_path)
    with caplog.at_level(logging.DEBUG):
        refused(lambda: vit_model(str(tmp_path)), f"its model_type is '{kind}'")


def encoder(folder):
    return load_file(folder / "model.safetensors")["encoder.layer.0.attention.attention.query.weight"]


@pytest.mark.parametrize("form", ["classifier", "mae", "msn", "bin", "wrapped", "sharded", "prefixed", "half"])
def test_folders_that_hold_a_vit(vit, tmp_path, form):
    folder, wanted = tmp_path / form, encoder(vit)
    if form in ("mae", "msn", "classifier"):
        kinds = {
            "classifier": (transformers.ViTForImageClassification, transformers.ViTConfig, {}),
            "mae": (transformers.ViTMAEForPreTraining, transformers.ViTMAEConfig, {"decoder_hidden_size": 16}),
            "msn": (transformers.ViTMSNModel, transformers.ViTMSNConfig, {}),
        }
        model, config, options = kinds[form]
        made = model(config(**VIT, **options))
        made.save_pretrained(folder)
        wanted = next(t for name, t in made.state_dict().items() if name.endswith("layers.0.attention.q_proj.weight"))
    elif form == "sharded":
        transformers.ViTModel.from_pretrained(vit).save_pretrained(folder, max_shard_size="20KB")
        assert len(list(folder.glob("*.safetensors"))) > 1
    else:
        shutil.copytree(vit, folder)
        state = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        if form == "half":
            save_file({name: tensor.bfloat16() for name, tensor in state.items()}, folder / "model.safetensors")
        else:
            prefix = {"bin": "", "wrapped": "module.", "prefixed": "student.vit."}[form]
            state = {prefix + name: tensor for name, tensor in state.items()}
            if form != "bin":
                state = {"state_dict": state | {"head.weight": torch.ones(1)}, "args": argparse.Namespace()}
            torch.save(state, folder / "pytorch_model.bin")
    found = vit_model(str(folder)).state_dict()["layers.0.attention.q_proj.weight"]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=1e-2 if form == "half" else 0, rtol=0)


POINTER = b"version https://git-lfs.github.com/spec/v1\n"


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("model.safetensors", POINTER, "model.safetensors: it is a Git LFS pointer"),
        ("model.safetensors", b"<html>", "model.safetensors: it is an HTML page"),
        ("model.safetensors", b"", "model.safetensors: it is empty"),
        ("model.safetensors", None, "there is no model.safetensors and no pytorch_model.bin in it"),
        ("config.json", POINTER, "config.json is a Git LFS pointer"),
        ("config.json", b"<!doctype html>", "config.json is an HTML page"),
        ("config.json", b"", "config.json is empty"),
        ("config.json", b'{"hidden_size": ', "config.json is a damaged JSON file"),
        ("config.json", b"[1]", "config.json holds no settings"),
        ("config.json", b"\xff\xfe\x00", "config.json is of an unknown kind"),
        ("config.json", None, "is no checkpoint of a ViTModel: there is no config.json in it"),
    ],
)
def test_a_file_that_is_something_else_is_named(vit, file, content, words):
    (vit / file).unlink()
    if content is not None:
        (vit / file).write_bytes(content)
    refused(lambda: vit_model(str(vit)), words)


def test_a_missing_part_of_the_weights_is_named(vit):
    (vit / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (vit / "model.safetensors.index.json").write_text(json.dumps(index))
    refused(lambda: vit_model(str(vit)), "model-1.safetensors is missing, one of 2 files of weights")
    (vit / "model.safetensors.index.json").write_text("{}")
    refused(lambda: vit_model(str(vit)), "names no files of weights")


@pytest.mark.parametrize(
    "name",
    [
        *("vit-sign", "./vitt", "../vitt", "/models/vit", "~/vit", "a/b/c", "runs/vit", "models/vit.pth", "vit.bin"),
        *("", " ", "a//b", "C:\\models\\vit", "a--b/c", "owner/", "/"),
    ],
)
def test_a_path_is_not_asked_of_the_hub(tmp_path, monkeypatch, name):
    """``runs`` is a folder that is there, so that ``runs/vit`` is a slip in a path and no name of the hub."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(vit_files, "_on_hub", lambda name: pytest.fail("asked"))
    refused(lambda: vit_model(name), repr(name))


def test_a_file_is_no_folder(vit):
    refused(lambda: vit_model(str(vit / "config.json")), "it is a file; its folder is wanted")


class Silent:
    def head(self, *_, **__):
        raise ConnectionError("Name or service not known")


def test_without_a_connection_the_hub_is_tried_once(monkeypatch):
    import huggingface_hub

    asked, real = [], huggingface_hub.hf_hub_download

    def download(name, file, local_files_only=False):
        asked.append((file, local_files_only))
        return real(name, file, local_files_only=local_files_only)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub.utils, "get_session", Silent)
    refused(lambda: vit_model("someone/some.model"), "'someone/some.model': there is no such folder", "does not answer")
    assert asked == [("config.json", True)]


def test_what_the_hub_answers(vit, monkeypatch):
    """A stand-in for the hub, which has this model and no other."""
    import huggingface_hub
    from huggingface_hub.errors import EntryNotFoundError

    class Answers:
        def head(self, *_, **__):
            return None

    def download(name, file, local_files_only=False):
        assert not local_files_only
        if name != "someone/vit":
            raise OSError("404 Client Error.\nRepository Not Found for url: https://…")
        if not (vit / file).exists():
            raise EntryNotFoundError(file)
        return str(vit / file)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub.utils, "get_session", Answers)
    assert vit_model("someone/vit").config.hidden_size == 24
    refused(lambda: vit_model("someone/vti"), "the hub has no such model, or it is not open to all")
