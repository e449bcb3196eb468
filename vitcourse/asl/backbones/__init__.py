"""Backbones of the sign model: one file and one class (see `adapter`) for each kind that there is."""

from torch import Tensor, nn

from vitcourse.asl.backbones.adapter import Adapter
from vitcourse.asl.backbones.hugging_face import HuggingFaceViT
from vitcourse.asl.backbones.ours import Ours
from vitcourse.asl.backbones.resnet import ResNetAdapter
from vitcourse.asl.backbones.timm_vit import TimmViT

KINDS: tuple[type[Adapter], ...] = (Ours, ResNetAdapter, TimmViT, HuggingFaceViT)  # the last takes any name


def adapter(backbone: nn.Module) -> Adapter:
    """What a sign model needs to know of a backbone.

    Raises:
        TypeError: a backbone of an unknown kind.
    """
    for kind in KINDS:
        if kind.fits(backbone):
            return kind(backbone)
    raise TypeError(f"a backbone must be {' or '.join(k.WHAT for k in KINDS)}, got {type(backbone).__name__}")


def named(name: str) -> type[Adapter]:
    """The kind that a run means by a name."""
    return next(kind for kind in KINDS if kind.takes(name))


def features(backbone: nn.Module, images: Tensor) -> Tensor:
    """Images (B, 3, height, width) to (B, D): as the backbone pools; a ``ViTModel``'s is the class token."""
    return adapter(backbone).features(images)


def freeze(backbone: nn.Module, layers: int) -> int:
    """Stops the training of the embeddings and the first ``layers`` layers; returns the parameters now frozen.

    Raises:
        ValueError: the backbone has fewer layers.
    """
    return adapter(backbone).freeze(layers)
