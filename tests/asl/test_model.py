import pytest
import timm
import torch
from torch import nn
from torchvision.models import resnet18
from transformers import ViTConfig as HuggingFaceConfig
from transformers import ViTModel

from vitcourse.asl import ClassificationBBoxTransformer, features, freeze, sign_loss
from vitcourse.vit import VisionTransformer, ViTConfig

OURS = ViTConfig(image_size=32, patch_size=8, num_classes=0, dim=24, depth=3, num_heads=4)
THEIRS = HuggingFaceConfig(
    image_size=32, patch_size=8, hidden_size=24, num_hidden_layers=3, num_attention_heads=4, intermediate_size=48
)


def tiny_timm(**options):
    """A vision transformer of timm, with random weights."""
    sizes = {"img_size": 32, "patch_size": 8, "embed_dim": 24, "depth": 3, "num_heads": 4}
    return timm.models.vision_transformer.VisionTransformer(**sizes | {"num_classes": 10} | options)


def backbones():
    return {
        "ours": VisionTransformer(OURS),
        "hugging face": ViTModel(THEIRS, add_pooling_layer=False),
        "resnet": resnet18(),
        "timm": tiny_timm(),
    }


@pytest.mark.parametrize("kind", ["ours", "hugging face", "resnet", "timm"])
@pytest.mark.parametrize("sigmoid", [True, False])
def test_two_heads_on_any_backbone(kind, sigmoid):
    model = ClassificationBBoxTransformer(backbones()[kind], box_sigmoid=sigmoid).eval()
    assert model.image_size == (224 if kind == "resnet" else 32)
    with torch.no_grad():
        model.bounding_box[-1].bias.fill_(5.0)
        logits, boxes = model(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 26)
    assert boxes.shape == (2, 4)
    assert ((boxes > 0.9) & (boxes < 1)).all() if sigmoid else (boxes > 2).all()


def test_the_heads_are_those_of_the_project():
    model = ClassificationBBoxTransformer(backbones()["ours"])
    for head, outputs in ((model.classifier, 26), (model.bounding_box, 4)):
        kinds = [type(layer) for layer in head]
        assert kinds == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
        assert (head[0].out_features, head[2].p, head[3].out_features) == (512, 0.2, outputs)


def test_features_are_the_class_token():
    ours, theirs = backbones()["ours"].eval(), backbones()["hugging face"].eval()
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(features(ours, images), ours.forward_features(images)[:, 0])
    assert torch.equal(features(theirs, images), theirs(images).last_hidden_state[:, 0])


def test_a_model_saved_by_hugging_face_is_a_backbone(tmp_path):
    """The real loading code, on a checkpoint made on the spot."""
    source = ViTModel(THEIRS).eval()
    source.save_pretrained(tmp_path)
    loaded = ViTModel.from_pretrained(tmp_path, add_pooling_layer=False).eval()
    images = torch.randn(2, 3, 32, 32)
    torch.testing.assert_close(features(loaded, images), features(source, images))


@pytest.mark.parametrize("kind", ["ours", "hugging face", "resnet", "timm"])
def test_frozen_parts_get_no_gradient_and_the_rest_does(kind):
    backbone = backbones()[kind]
    count = freeze(backbone, 2)
    model = ClassificationBBoxTransformer(backbone).train()
    before = {name: buffer.clone() for name, buffer in backbone.named_buffers()}
    logits, boxes = model(torch.randn(2, 3, 32, 32))
    still = [name for name, buffer in backbone.named_buffers() if torch.equal(before[name], buffer)]
    if kind == "resnet":  # the statistics of a frozen batch norm are frozen, those of a trained one move
        assert "layer2.0.bn1.running_mean" in still
        assert "layer3.0.bn1.running_mean" not in still
    sign_loss(logits, boxes, torch.tensor([1, 2]), torch.rand(2, 4))["loss"].backward()
    frozen = [name for name, p in backbone.named_parameters() if not p.requires_grad]
    trained = [name for name, p in backbone.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert count == sum(p.numel() for p in backbone.parameters() if not p.requires_grad)
    assert frozen
    assert not set(frozen) & set(trained)
    ours = "blocks.2.attn.qkv.weight"
    first_trained = {"ours": ours, "timm": ours, "hugging face": "layers.2.", "resnet": "layer3.0.conv1.weight"}
    assert any(first_trained[kind] in name for name in trained)
    if kind in ("ours", "timm"):
        assert {"cls_token", "pos_embed", "patch_embed.proj.weight"} <= set(frozen)
    expected = {"ours": "blocks.1.", "timm": "blocks.1.", "hugging face": "layers.1.", "resnet": "layer2."}
    assert any(expected[kind] in name for name in frozen)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="3 layers, 4 cannot be frozen"):
        freeze(backbones()["ours"], 4)
    with pytest.raises(TypeError, match="got Linear"):
        ClassificationBBoxTransformer(nn.Linear(3, 3))


def test_loss_by_hand():
    logits = torch.zeros(2, 26)
    boxes, truth = torch.zeros(2, 4), torch.full((2, 4), 0.2)
    losses = sign_loss(logits, boxes, torch.tensor([0, 5]), truth, classification_divisor=100)
    assert losses["classification"].item() == pytest.approx(3.2580965)  # ln 26
    assert losses["box"].item() == pytest.approx(0.04)
    assert losses["loss"].item() == pytest.approx(0.032580965 + 0.04)
    with pytest.raises(ValueError, match="got 0"):
        sign_loss(logits, boxes, torch.tensor([0, 5]), truth, classification_divisor=0)
