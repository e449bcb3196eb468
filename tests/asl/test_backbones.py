"""Every kind of backbone behind one interface, and timm's by its names: made on the spot, nothing is downloaded."""

import shutil

import pytest
import timm
import torch
from timm.models.deit import VisionTransformerDistilled
from torch import nn

from tests.asl.test_model import backbones, tiny_timm
from vitcourse.asl import SignRun, features, freeze, load_run
from vitcourse.asl.backbones import KINDS, adapter, named
from vitcourse.asl.backbones.adapter import Adapter, known_names
from vitcourse.asl.backbones.timm_vit import TimmViT
from vitcourse.asl.runs import new_model, save_run
from vitcourse.errors import InputError
from vitcourse.training import WEIGHTS

IMAGES = torch.linspace(-1, 1, 2 * 3 * 32 * 32).view(2, 3, 32, 32)


@pytest.mark.parametrize("kind", backbones())
def test_a_backbone_has_one_adapter(kind):
    module = backbones()[kind].eval()
    own = adapter(module)
    assert own.module is module
    assert [other.fits(module) for other in KINDS].count(True) == 1
    assert own.features(IMAGES).shape == (2, own.width)
    assert len(own.layers) == (4 if kind == "resnet" else 3)
    assert own.image_size == own.usual_size("vit") == (224 if kind == "resnet" else 32)
    if kind == "resnet":  # from scratch it is compared with the course's own ViT
        assert [own.usual_size(name) for name in ("resnet18", "resnet18-imagenet")] == [96, 224]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("vit", "Ours"),
        ("vit-signs", "Ours"),
        ("resnet18", "ResNetAdapter"),
        ("resnet18:a/b.pth", "ResNetAdapter"),
        ("resnet18-imagenet", "ResNetAdapter"),
        ("timm:test_vit", "TimmViT"),
        ("timm:test_vit:a:b.pth", "TimmViT"),
        *((name, "HuggingFaceViT") for name in ("vits", "resnet18-mine", "owner/name", "timm", "runs/vit")),
    ],
)
def test_a_name_means_one_kind(name, kind):
    assert named(name).__name__ == kind


def test_every_kind_is_in_use_and_every_name_is_told():
    assert set(KINDS) == set(Adapter.__subclasses__())
    assert [name for kind in KINDS for name in kind.NAMES if name not in known_names()] == []
    with pytest.raises(InputError) as caught:
        new_model(SignRun("resnet50"))
    assert len(str(caught.value).splitlines()) == 1
    assert all(name in str(caught.value) for kind in KINDS for name in kind.NAMES)
    with pytest.raises(TypeError, match="a VisionTransformer of timm or a ViTModel, got Linear"):
        adapter(nn.Linear(3, 3))


TIMM = {
    "class token": {},
    "mean of the patches": {"global_pool": "avg"},
    "registers": {"reg_tokens": 2, "no_embed_class": True},
    "norm before": {"pre_norm": True, "final_norm": False, "fc_norm": True},
    "no class token": {"class_token": False, "global_pool": "avg"},
}


@pytest.mark.parametrize("form", [*TIMM, "distilled"])
def test_features_are_what_timm_puts_its_head_on(form):
    if form == "distilled":
        sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 4}
        model = VisionTransformerDistilled(**sizes, num_classes=0)
    else:
        model = tiny_timm(num_classes=0, **TIMM[form])
    model.eval()
    torch.testing.assert_close(features(model, IMAGES), model.forward_head(model.forward_features(IMAGES), True))
    freeze(model, 0)
    blocks = {f"blocks.{name}" for name, _ in model.blocks.named_parameters()}
    behind = {name for name, _ in model.named_parameters() if name.startswith(("norm.", "fc_norm.", "head"))}
    assert {name for name, parameter in model.named_parameters() if parameter.requires_grad} == blocks | behind


def test_images_reach_the_weights_as_they_were_trained():
    """timm notes mean and deviation with the weights: those of ImageNet here, where 0.5 would change nothing."""
    model = tiny_timm().eval()
    plain = features(model, IMAGES)
    model.pretrained_cfg = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    mean, std = (torch.tensor(model.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    model.reset_classifier(0)
    torch.testing.assert_close(features(model, IMAGES), model(((IMAGES + 1) / 2 - mean) / std))
    assert not torch.allclose(features(model, IMAGES), plain)


@pytest.mark.parametrize("size", [0, 32])
def test_a_run_on_a_model_of_timm_is_made_and_loaded_again(tmp_path, size):
    model, run = new_model(SignRun("timm:test_vit", size))
    assert run.image_size == model.image_size == (size or 160)
    assert run.backbone_config == {"image_size": model.image_size}
    save_run(run, tmp_path)
    from safetensors.torch import save_file

    save_file(model.state_dict(), tmp_path / WEIGHTS)
    again, same = load_run(tmp_path)
    assert same == run
    images = torch.rand(2, 3, model.image_size, model.image_size)
    torch.testing.assert_close(again.cpu()(images), model.eval()(images))
    assert not [name for name in model.state_dict() if name.startswith("backbone.head")]


def test_weights_of_a_file_are_read_and_positions_resampled(tmp_path):
    theirs = timm.create_model("test_vit", num_classes=7)
    torch.save({"state_dict": theirs.state_dict()}, tmp_path / "weights.pth")
    name = f"timm:test_vit:{tmp_path / 'weights.pth'}"
    whole, small = (new_model(SignRun(name, size))[0].backbone for size in (0, 32))
    assert torch.equal(whole.pos_embed, theirs.pos_embed)
    assert torch.equal(whole.blocks[3].mlp.fc1.weight, theirs.blocks[3].mlp.fc1.weight)
    assert small.pos_embed.shape == (1, 1 + 4, 64)
    assert torch.equal(small.blocks[3].mlp.fc1.weight, theirs.blocks[3].mlp.fc1.weight)


def test_a_tag_downloads_the_weights_that_it_names(monkeypatch):
    asked, real = [], timm.create_model

    def create(name, pretrained, **options):
        asked.append((name, pretrained))
        return real(name.partition(".")[0], **options)

    monkeypatch.setattr(timm, "create_model", create)
    for name in ("test_vit", "test_vit.r160_in1k"):
        TimmViT.load(f"timm:{name}", 32)
    TimmViT.empty("timm:test_vit.r160_in1k", {"image_size": 32})
    assert asked == [("test_vit", False), ("test_vit.r160_in1k", True), ("test_vit.r160_in1k", False)]


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("timm:test_vitt", 0, "timm has no model 'test_vitt'; vision transformers with names like it: test_vit"),
        ("timm:", 0, "timm has no model ''"),
        ("timm:test_vit.in99k", 0, "timm has no weights 'test_vit.in99k'; of this model there are: test_vit.r160_in1k"),
        ("timm:resnet18", 0, "timm:resnet18 is a ResNet; the course takes timm's VisionTransformer"),
        ("timm:test_vit", 33, "its image size must be a multiple of its patches, got 33 and 16"),
        ("timm:test_vit:no.pth", 0, "no.pth: there is no such file"),
        ("timm:test_vit:", 0, "there is no such file"),
        ("timm:test_vit:broken.pth", 0, "broken.pth: no weights of timm's test_vit could be read"),
        ("timm:test_vit:other.pth", 0, "other.pth: no weights of timm's test_vit could be read (it lacks cls_token"),
        ("timm:test_vit.r160_in1k", 0, "its weights could not be downloaded; is there a connection?"),
    ],
)
def test_a_model_of_timm_that_is_none_is_one_line(tmp_path, monkeypatch, name, size, words):
    monkeypatch.chdir(tmp_path)
    shutil.copy(__file__, tmp_path / "broken.pth")
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    with pytest.raises(InputError) as caught:
        new_model(SignRun(name, size))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
