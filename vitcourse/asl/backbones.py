"""Backbones: what differs between a `VisionTransformer` of the course, a Hugging Face ``ViTModel`` and a ResNet.

The units of depth are "layers": the blocks of a transformer, the four stages of a ResNet. What comes before them, the
embeddings or the stem, belongs to the front of any cut.
"""

import torch
from torch import Tensor, nn
from torchvision.models import ResNet

from vitcourse.vit import VisionTransformer


def width(backbone: nn.Module) -> int:
    """Width of the one vector that `features` makes of an image.

    Raises:
        TypeError: a backbone of an unknown kind.
    """
    if isinstance(backbone, VisionTransformer):
        return backbone.config.dim
    if isinstance(backbone, ResNet):
        return backbone.layer4[-1].conv1.in_channels
    if hasattr(getattr(backbone, "config", None), "hidden_size"):
        return backbone.config.hidden_size
    raise TypeError(f"a backbone must be a VisionTransformer, a ViTModel or a ResNet, got {type(backbone).__name__}")


def features(backbone: nn.Module, images: Tensor) -> Tensor:
    """Images (B, 3, height, width) to (B, width): as the backbone pools; a ``ViTModel``'s is the class token."""
    if isinstance(backbone, VisionTransformer):
        return backbone.pool(backbone.forward_features(images))
    if isinstance(backbone, ResNet):
        return backbone(images)  # its fc is an identity, see ClassificationBBoxTransformer
    return backbone(images).last_hidden_state[:, 0]


def input_size(backbone: nn.Module) -> int:
    """Height and width, in pixels, of the images the backbone was made for; a ResNet takes any, 224 by custom."""
    return 224 if isinstance(backbone, ResNet) else backbone.config.image_size


def stages(backbone: nn.Module) -> tuple[list[nn.Module], list[nn.Module]]:
    """What comes before the layers (embeddings, stem), and the layers in order: the units that `freeze` counts in."""
    if isinstance(backbone, VisionTransformer):
        return [backbone.patch_embed, backbone.pos_drop], list(backbone.blocks)
    if isinstance(backbone, ResNet):
        return [backbone.conv1, backbone.bn1], [backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4]
    # Hugging Face moved the layers from `encoder.layer` to `layers` in 5.9.
    layers = backbone.layers if hasattr(backbone, "layers") else backbone.encoder.layer
    return [backbone.embeddings], list(layers)


def freeze(backbone: nn.Module, layers: int) -> int:
    """Stops the training of the embeddings and the first ``layers`` layers; returns the parameters now frozen.

    Raises:
        ValueError: the backbone has fewer layers.
    """
    before, _ = stages(backbone)
    frozen = [p for module in before + _first(backbone, layers) for p in module.parameters()]
    if isinstance(backbone, VisionTransformer):
        frozen += [backbone.cls_token, backbone.pos_embed]
    for parameter in frozen:
        parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in frozen)


def front(backbone: nn.Module, images: Tensor, layers: int) -> Tensor:
    """What leaves the first ``layers`` layers: tokens (B, 1 + N, D), or the map of a ResNet.

    `back` makes the features of it, so that ``back(b, front(b, images, k), k)`` is ``features(b, images)``.
    """
    if isinstance(backbone, VisionTransformer):
        hidden = backbone.embed(images)
    elif isinstance(backbone, ResNet):
        images = backbone.normalised(images) if isinstance(backbone, ImageNetResNet) else images
        hidden = backbone.maxpool(backbone.relu(backbone.bn1(backbone.conv1(images))))
    else:
        hidden = backbone.embeddings(images)
    return _through(_first(backbone, layers), hidden)


def back(backbone: nn.Module, hidden: Tensor, layers: int) -> Tensor:
    """Features (B, width) from what `front` gave with the same number of layers."""
    _first(backbone, layers)
    hidden = _through(stages(backbone)[1][layers:], hidden)
    if isinstance(backbone, VisionTransformer):
        return backbone.pool(backbone.norm(hidden))
    if isinstance(backbone, ResNet):
        return backbone.fc(backbone.avgpool(hidden).flatten(1))
    return backbone.layernorm(hidden)[:, 0]


def _first(backbone: nn.Module, layers: int) -> list[nn.Module]:
    blocks = stages(backbone)[1]
    if not 0 <= layers <= len(blocks):
        raise ValueError(f"the backbone has {len(blocks)} layers, {layers} cannot be frozen")
    return blocks[:layers]


def _through(layers: list[nn.Module], hidden: Tensor) -> Tensor:
    for layer in layers:
        hidden = layer(hidden)
        if isinstance(hidden, tuple):  # older layers of Hugging Face give (tokens, weights)
            hidden = hidden[0]
    return hidden


class ImageNetResNet(ResNet):
    """A ResNet whose weights were trained on images of ImageNet's mean and deviation; it takes the course's input.

    The course's images have mean and deviation 0.5, so that they lie between -1 and 1.
    """

    MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def normalised(self, images: Tensor) -> Tensor:
        """Images from -1 to 1 as the weights expect them."""
        mean, deviation = (images.new_tensor(values).view(3, 1, 1) for values in (self.MEAN, self.DEVIATION))
        return (images - (2 * mean - 1)) / (2 * deviation)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(self.normalised(images))


def draws_random_numbers(backbone: nn.Module, images: Tensor, layers: int) -> bool:
    """Whether `front` is random while the backbone trains (dropout, drop path): then it cannot be computed once."""
    cuda = images.device.type == "cuda"
    before = torch.get_rng_state(), torch.cuda.get_rng_state(images.device) if cuda else torch.empty(0)
    with torch.no_grad():
        front(backbone, images, layers)
    after = torch.get_rng_state(), torch.cuda.get_rng_state(images.device) if cuda else torch.empty(0)
    return not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
