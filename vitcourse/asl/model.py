"""Two heads on one backbone: which letter, and where the hand is."""

from torch import Tensor, nn

from vitcourse.asl.backbones import adapter


class ClassificationBBoxTransformer(nn.Module):
    """A letter head and a box head (each: 512, ReLU, dropout 0.2) on the features of one backbone.

    Args:
        backbone: a `VisionTransformer` of the course or of timm, a Hugging Face ``ViTModel`` or a torchvision ResNet
            (see `asl.backbones`); a head of its own is taken away.
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
        own = adapter(backbone)
        own.drop_head()
        self.image_size = own.image_size if image_size is None else image_size
        self.classifier = _head(own.width, num_classes)
        self.bounding_box = _head(own.width, 4)
        self.box_activation = nn.Sigmoid() if box_sigmoid else nn.Identity()

    def train(self, mode: bool = True) -> "ClassificationBBoxTransformer":
        """As for any module, but the batch norms that `freeze` froze keep their statistics."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self

    def forward(self, images: Tensor, *, after: int | None = None) -> tuple[Tensor, Tensor]:
        own = adapter(self.backbone)
        vector = own.features(images) if after is None else own.back(images, after)
        return self.classifier(vector), self.box_activation(self.bounding_box(vector))


def _head(dim: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, outputs))
