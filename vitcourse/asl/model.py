"""Two heads on one backbone: which letter, and where the hand is."""

import torch
from torch import Tensor, nn

from vitcourse.asl.backbones import adapter
from vitcourse.asl.boxes import BOX_HEADS, MAP_HEADS, two_layers


class ClassificationBBoxTransformer(nn.Module):
    """A letter head and a box head (each: 512, ReLU, dropout 0.2) on the features of one backbone.

    The box head may be one that reads the backbone's map instead; see `asl.boxes`.

    Args:
        backbone: a `VisionTransformer` of the course or of timm, a Hugging Face ``ViTModel`` or a torchvision ResNet
            (see `asl.backbones`); a head of its own is taken away.
        num_classes: number of letters K.
        box_sigmoid: end the box head with a sigmoid, which keeps the box inside the image; "mean" alone asks for it.
        image_size: height and width at which images are read; the backbone's own where it is None.
        box_head: "mean" for the head on the features, or one of `asl.boxes.MAP_HEADS`: "sides", "query", "distances",
            "flattened".

    ``forward`` takes normalised images (B, 3, height, width) and returns logits (B, K) and boxes (B, 4), xyxy in
    fractions of the image. With ``after=k`` it takes what has left the first k layers already (see `asl.frozen`).

    Raises:
        ValueError: there is no such box head; or it reads a map, and is asked to answer ``after`` some layers.
    """

    def __init__(
        self,
        backbone: nn.Module,
        num_classes: int = 26,
        box_sigmoid: bool = True,
        *,
        image_size: int | None = None,
        box_head: str = "mean",
    ):
        super().__init__()
        self.backbone = backbone
        own = adapter(backbone)
        own.drop_head()
        self.image_size = own.image_size if image_size is None else image_size
        self.classifier = two_layers(own.width, num_classes)
        if box_head not in BOX_HEADS:
            raise ValueError(f"box_head must be one of {', '.join(BOX_HEADS)}, got {box_head!r}")
        self.box_head = box_head
        if box_head == "mean":
            self.bounding_box = two_layers(own.width, 4)
            self.box_activation = nn.Sigmoid() if box_sigmoid else nn.Identity()
        else:
            place = next(backbone.parameters()).device
            coarse, fine = self._maps(torch.zeros(1, 3, self.image_size, self.image_size, device=place))
            sizes = (0, 2 * coarse.shape[-1]) if fine is None else (fine.shape[1], fine.shape[-1])
            self.bounding_box = MAP_HEADS[box_head](coarse.shape[1], *sizes)

    def train(self, mode: bool = True) -> "ClassificationBBoxTransformer":
        """As for any module, but the batch norms that `freeze` froze keep their statistics."""
        super().train(mode)
        for module in self.backbone.modules():
            if isinstance(module, nn.BatchNorm2d) and not module.weight.requires_grad:
                module.eval()
        return self

    def forward(self, images: Tensor, *, after: int | None = None) -> tuple[Tensor, Tensor]:
        own = adapter(self.backbone)
        if self.box_head == "mean":
            vector = own.features(images) if after is None else own.back(images, after)
            return self.classifier(vector), self.box_activation(self.bounding_box(vector))
        if after is not None:
            raise ValueError(f"the box head {self.box_head!r} reads maps of the whole backbone, from images alone")
        vector, *maps = own.features_and_maps(images)
        return self.classifier(vector), self.bounding_box(*maps)

    @torch.no_grad()
    def _maps(self, images: Tensor) -> list[Tensor | None]:
        """The maps that the backbone makes in evaluation, which changes none of its statistics."""
        training = self.backbone.training
        self.backbone.eval()
        _, *maps = adapter(self.backbone).features_and_maps(images)
        self.backbone.train(training)
        return maps
