"""Backbones cut in two, and what their frozen part gives computed once."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torchvision.models import resnet18
from transformers import ViTModel

from tests.asl.test_model import OURS, THEIRS, backbones, tiny_timm
from vitcourse.asl import ClassificationBBoxTransformer, FrozenFeatures, SignLoss, freeze
from vitcourse.asl.backbones import adapter, features
from vitcourse.asl.backbones.resnet import ImageNetResNet
from vitcourse.data.asl import InMemory
from vitcourse.training import TrainingConfig, fit
from vitcourse.vit import VisionTransformer

pytestmark = pytest.mark.trains
LAST_POOLED = replace(OURS, pool="avg", class_token_has_position=False)


class Signs(InMemory):
    """Noise with letters and boxes, in memory."""

    def __init__(self, count=20, size=32):
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)
        self.labels, self.boxes = torch.arange(count) % 26, torch.rand(count, 4, generator=generator)
        self.files, self.transform = [""] * count, None


def imagenet_resnet():
    from torchvision.models.resnet import BasicBlock

    return ImageNetResNet(BasicBlock, [2, 2, 2, 2])


CASES = {
    "ours": lambda: VisionTransformer(OURS),
    "ours, pooled": lambda: VisionTransformer(LAST_POOLED),
    "hugging face": lambda: ViTModel(THEIRS, add_pooling_layer=False),
    "resnet": resnet18,
    "imagenet resnet": imagenet_resnet,
    "timm": tiny_timm,
}


@pytest.mark.parametrize("kind", CASES)
def test_front_and_back_make_the_features(kind):
    backbone = CASES[kind]().eval()
    side = 64 if "resnet" in kind else 32  # or the last map of a ResNet would be a single pixel
    images = torch.rand(2, 3, side, side) * 2 - 1
    model = ClassificationBBoxTransformer(backbone, image_size=side).eval()
    expected = features(backbone, images)
    for layers in range(len(adapter(backbone).layers) + 1):
        hidden = adapter(backbone).front(images, layers)
        torch.testing.assert_close(adapter(backbone).back(hidden, layers), expected, atol=1e-5, rtol=1e-5)
        for first, second in zip(model(hidden, after=layers), model(images), strict=True):
            torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="layers, 9 cannot"):
        adapter(backbone).front(images, 9)


def test_the_older_layout_of_hugging_face_can_be_cut():
    """Layers below ``encoder.layer`` that give (tokens, weights)."""

    class Older(nn.Module):
        def __init__(self):
            super().__init__()
            whole = ViTModel(THEIRS, add_pooling_layer=False)
            self.config, self.embeddings, self.layernorm = whole.config, whole.embeddings, whole.layernorm
            self.encoder = nn.Module()
            self.encoder.layer = nn.ModuleList(Pair(layer) for layer in whole.layers)

    class Pair(nn.Module):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def forward(self, tokens):
            return (self.layer(tokens), None)

    images = torch.randn(2, 3, 32, 32)
    own = adapter(Older().eval())
    torch.testing.assert_close(own.back(own.front(images, 2), 2), own.features(images))


def test_imagenet_weights_get_the_input_they_know():
    """An image of [0, 1] is normalised as torchvision's own transforms do; the course's has mean and deviation 0.5."""
    from torchvision.models import ResNet18_Weights

    theirs, ours = resnet18().eval(), imagenet_resnet().eval()
    ours.load_state_dict(theirs.state_dict())
    theirs.fc = nn.Identity()
    image = torch.rand(2, 3, 224, 224)
    transforms = ResNet18_Weights.IMAGENET1K_V1.transforms(crop_size=224, resize_size=224)
    torch.testing.assert_close(features(ours, 2 * image - 1), theirs(transforms(image)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["ours", "hugging face", "resnet", "timm"])
def test_both_ways_train_to_the_same_weights(kind):
    """Six layers of twelve in the project; here 2 of 3, with dropout in the heads and a learned balance of losses."""
    config, trained, logs = TrainingConfig(epochs=2, batch_size=8, lr=1e-3), [], []
    for once in (False, True):
        torch.manual_seed(0)
        model = ClassificationBBoxTransformer(backbones()[kind], image_size=32)
        freeze(model.backbone, 2)
        signs = Signs(12)
        dataset = FrozenFeatures(model, signs, 2, batch_size=7) if once else signs
        logs.append(fit(model, dataset, SignLoss(balance="uncertainty", after=2 if once else None), config))
        trained.append(model.state_dict())
    for name, value in trained[0].items():
        torch.testing.assert_close(trained[1][name], value, atol=2e-5, rtol=1e-4, msg=name)
    for first, second in zip(*logs, strict=True):
        assert second["loss"] == pytest.approx(first["loss"], rel=1e-4)
        assert second["letter_weight"] == pytest.approx(first["letter_weight"], rel=1e-4)


def test_what_is_trained_or_random_is_not_computed_once():
    trained = ClassificationBBoxTransformer(VisionTransformer(OURS))
    freeze(trained.backbone, 1)
    with pytest.raises(ValueError, match="first 2 layers are trained"):
        FrozenFeatures(trained, Signs(), 2)
    with pytest.raises(ValueError, match="3 layers, 4 cannot"):
        FrozenFeatures(trained, Signs(), 4)
    for option in ("drop_rate", "attn_drop_rate", "drop_path_rate"):
        random = ClassificationBBoxTransformer(VisionTransformer(replace(OURS, **{option: 0.01})))
        freeze(random.backbone, 2)
        with pytest.raises(ValueError, match="something random"):
            FrozenFeatures(random, Signs(), 2)
    late = replace(OURS, depth=4, drop_path_rate=0.3)  # rises from 0 in the first block
    behind = ClassificationBBoxTransformer(VisionTransformer(late))
    freeze(behind.backbone, 1)
    assert len(FrozenFeatures(behind, Signs(), 1)) == 20
    augmented = Signs()
    augmented.transform = lambda image, box: (image, box)
    with pytest.raises(ValueError, match="augmented"):
        FrozenFeatures(behind, augmented, 1)


def test_the_mode_of_the_model_is_left_as_it_was():
    model = ClassificationBBoxTransformer(VisionTransformer(OURS)).eval()
    freeze(model.backbone, 3)
    found = FrozenFeatures(model, Signs(), 3, batch_size=6)
    assert not model.training
    assert found.hidden.shape == (20, 17, 24)
    assert not found.hidden.requires_grad
    assert set(found[0]) == {"hidden", "label", "box"}
