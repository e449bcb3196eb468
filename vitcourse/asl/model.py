"""Two heads on one backbone: which letter, and where the hand is.

The backbone may be a `VisionTransformer` of the course, a Hugging Face ``ViTModel`` or a torchvision ResNet; one small
adapter (`width`, `features`) is all that differs between them.
"""

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
    """Images (B, 3, height, width) to (B, width): the class token, or the pooled map of a ResNet."""
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
    before, blocks = stages(backbone)
    if not 0 <= layers <= len(blocks):
        raise ValueError(f"the backbone has {len(blocks)} layers, {layers} cannot be frozen")
    frozen = [parameter for module in before + blocks[:layers] for parameter in module.parameters()]
    if isinstance(backbone, VisionTransformer):
        frozen += [backbone.cls_token, backbone.pos_embed]
    for parameter in frozen:
        parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in frozen)


class ClassificationBBoxTransformer(nn.Module):
    """A letter head and a box head (each: 512, ReLU, dropout 0.2) on the features of one backbone.

    Args:
        backbone: see the module's docstring. A ResNet's own ``fc`` is replaced by an identity.
        num_classes: number of letters K.
        box_sigmoid: end the box head with a sigmoid, which keeps the box inside the image.
        image_size: height and width at which images are read; the backbone's own where it is None.

    ``forward`` takes normalised images (B, 3, height, width) and returns logits (B, K) and boxes (B, 4), xyxy in
    fractions of the image.
    """

    def __init__(
        self, backbone: nn.Module, num_classes: int = 26, box_sigmoid: bool = True, *, image_size: int | None = None
    ):
        super().__init__()
        self.backbone = backbone
        dim = width(backbone)
        self.image_size = input_size(backbone) if image_size is None else image_size
        if isinstance(backbone, ResNet):
            backbone.fc = nn.Identity()
        self.classifier = _head(dim, num_classes)
        self.bounding_box = _head(dim, 4)
        self.box_activation = nn.Sigmoid() if box_sigmoid else nn.Identity()

    def train(self, mode: bool = True) -> "ClassificationBBoxTransformer":
        """As for any module, but the batch norms that `freeze` froze keep their statistics."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        vector = features(self.backbone, images)
        return self.classifier(vector), self.box_activation(self.bounding_box(vector))


def _head(dim: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, outputs))
