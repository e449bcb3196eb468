"""Two heads on one backbone: which letter, and where the hand is."""

from torch import Tensor, nn
from torchvision.models import ResNet

from vitcourse.asl.backbones import back, features, freeze, input_size, stages, width

__all__ = ["ClassificationBBoxTransformer", "features", "freeze", "input_size", "stages", "width"]


class ClassificationBBoxTransformer(nn.Module):
    """A letter head and a box head (each: 512, ReLU, dropout 0.2) on the features of one backbone.

    Args:
        backbone: a `VisionTransformer` of the course, a Hugging Face ``ViTModel`` or a torchvision ResNet, whose own
            ``fc`` is replaced by an identity; see `asl.backbones`.
        num_classes: number of letters K.
        box_sigmoid: end the box head with a sigmoid, which keeps the box inside the image.
        image_size: height and width at which images are read; the backbone's own where it is None.

    ``forward`` takes normalised images (B, 3, height, width) and returns logits (B, K) and boxes (B, 4), xyxy in
    fractions of the image. With ``after=k`` it takes what has left the first k layers already (see `asl.frozen`).
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

    def forward(self, images: Tensor, *, after: int | None = None) -> tuple[Tensor, Tensor]:
        vector = features(self.backbone, images) if after is None else back(self.backbone, images, after)
        return self.classifier(vector), self.box_activation(self.bounding_box(vector))


def _head(dim: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, outputs))
