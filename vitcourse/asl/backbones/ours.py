"""The course's own `VisionTransformer`, and the small one that lessons and command start from."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import ClassVar

from torch import Tensor, nn

from vitcourse.asl.backbones.adapter import Adapter
from vitcourse.errors import InputError
from vitcourse.positions import resample
from vitcourse.vit import VisionTransformer, ViTConfig
from vitcourse.weights.checkpoints import read

# The course's small vision transformer: half of ViT-Ti behind convolutions, 3.6 million weights.
SMALL_VIT = ViTConfig(
    image_size=96, patch_size=16, num_classes=0, dim=192, depth=6, num_heads=3, stem="conv", pool="avg"
)
PRETRAINED = Path(__file__).resolve().parents[2] / "assets" / "sign_backbone.safetensors"


class Ours(Adapter):
    """A `VisionTransformer`; it takes images of any multiple of its patches."""

    WHAT = "a VisionTransformer"
    NAMES: ClassVar = {"vit-signs": "pretrained on rendered signs", "vit": "the same from scratch"}

    def __init__(self, module: VisionTransformer):
        super().__init__(module)
        self.width, self.image_size = module.config.dim, module.config.image_size
        self.before = [module.patch_embed, *module.parameters(recurse=False)]  # class token and positions
        self.layers = list(module.blocks)
        stem = module.patch_embed.proj
        if isinstance(stem, nn.Sequential):  # what it has made before its last halving
            *_, last = (i for i, part in enumerate(stem) if getattr(part, "stride", (1, 1)) == (2, 2))
            self.finer = stem[last - 1]

    @staticmethod
    def fits(module: nn.Module) -> bool:
        return isinstance(module, VisionTransformer)

    @staticmethod
    def load(name: str, image_size: int) -> VisionTransformer:
        try:
            module = VisionTransformer(replace(SMALL_VIT, image_size=image_size or SMALL_VIT.image_size))
        except ValueError as error:
            raise InputError(str(error)) from error
        if name == "vit-signs":
            module.load_state_dict(pretrained_weights(module.config.image_size))
        return module

    @staticmethod
    def empty(_name: str, config: dict) -> VisionTransformer:
        return VisionTransformer(ViTConfig(**config))

    def config(self) -> dict:
        return asdict(self.module.config)

    def embed(self, images: Tensor) -> Tensor:
        return self.module.embed(images)

    def pool(self, hidden: Tensor) -> Tensor:
        return self.module.pool(self.module.norm(hidden))


def sign_backbone() -> VisionTransformer:
    """The course's small ViT with the weights of the recipe `sign_backbone`: it has named letters on its own."""
    return Ours.load("vit-signs", 0)


def pretrained_weights(image_size: int) -> dict[str, Tensor]:
    """These weights in float32 (half precision on disk); for images of another size the positions are resampled.

    Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, section 3.2.
    """
    weights = {name: tensor.float() for name, tensor in read(PRETRAINED).items()}
    side = image_size // SMALL_VIT.patch_size
    return weights | {"pos_embed": resample(weights["pos_embed"], (side, side))}
