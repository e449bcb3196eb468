"""``training.decays(parameters, decay)``: the weight decay of every parameter of a ViT, a list in the given order.

Source: Dosovitskiy et al. (2021) and Touvron et al. (2021) as their programs do it: `no_weight_decay` of timm's ViT
names the positions and the class token, and what has one axis is left out.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Table = dict[str, Tensor]
TOKENS = ("cls_token", "pos_embed", "dist_token")


def right(parameters: Table, decay: float) -> Tensor:
    return _list(parameters, decay, lambda name, value: value.ndim > 1 and not name.endswith(TOKENS))


def _list(parameters: Table, decay: float, decays: Callable[[str, Tensor], bool]) -> Tensor:
    return torch.tensor([decay if decays(name, value) else 0.0 for name, value in parameters.items()])


def wrong(parameters: Table, decay: float) -> dict[str, Tensor]:
    def made(decays: Callable[[str, Tensor], bool]) -> Tensor:
        return _list(parameters, decay, decays)

    def token(name: str) -> bool:
        return name.endswith(TOKENS)

    def matrix(name: str, value: Tensor) -> bool:
        return value.ndim > 1 and not token(name)

    return {
        "whole-names": made(lambda name, value: value.ndim > 1 and name not in TOKENS),
        "tokens-by-shape": made(lambda _, value: value.ndim > 1 and value.shape[0] > 1),
        "turned-round": made(lambda name, value: not matrix(name, value)),
        "all-decay": made(lambda *_: True),
        "tokens-decay": made(lambda _, value: value.ndim > 1),
        "position-decays": made(lambda name, value: matrix(name, value) or name.endswith("pos_embed")),
        "class-token-decays": made(lambda name, value: matrix(name, value) or name.endswith("cls_token")),
        "distillation-token-decays": made(lambda name, value: matrix(name, value) or name.endswith("dist_token")),
        "norms-decay": made(lambda name, _: not token(name) and not name.endswith("bias")),
        "norms-decay/weight": made(lambda name, _: name.endswith("weight")),
        "norms-decay/tokens": made(lambda name, _: not name.endswith("bias")),
        "biases-decay": made(lambda name, value: matrix(name, value) or name.endswith("bias")),
        "norms-by-name": made(lambda name, _: not token(name) and not name.endswith("bias") and "norm" not in name),
        "norms-by-name/gamma": made(
            lambda name, _: not token(name) and not name.endswith(("bias", "gamma")) and "norm" not in name
        ),
        "gammas-decay": made(lambda name, value: matrix(name, value) or name.endswith("gamma")),
        "patches-do-not-decay": made(lambda name, value: value.ndim == 2),  # noqa: ARG005
        "patches-do-not-decay/name": made(lambda name, value: matrix(name, value) and "patch_embed" not in name),
        "head-does-not-decay": made(lambda name, value: matrix(name, value) and "head" not in name),
    }


decays = Solved(
    "training.decays",
    right=right,
    wrong=wrong,
    parts=("the list of decays",),
    first="parameter",
    read=lambda value: numbers(value, None, "The result"),
)


def _table(probe: Probe, classes: int, prefix: str = "") -> tuple[Table, float]:
    """A ViT with a stem of convolutions with batch norm, a distillation token and LayerScale, in any order."""
    dim = probe.integer(3, 4)
    shapes = {
        "cls_token": (1, 1, dim),
        "dist_token": (1, 1, dim),
        "pos_embed": (1, 6, dim),
        "patch_embed.proj.0.weight": (dim, 1, 2, 2),
        "patch_embed.proj.1.weight": (dim,),
        "patch_embed.proj.1.bias": (dim,),
        "blocks.0.norm1.weight": (dim,),
        "blocks.0.norm1.bias": (dim,),
        "blocks.0.attn.qkv.weight": (3 * dim, dim),
        "blocks.0.attn.qkv.bias": (3 * dim,),
        "blocks.0.ls1.gamma": (dim,),
        "blocks.0.mlp.fc1.weight": (2 * dim, dim),
        "head.weight": (classes, dim),
        "head.bias": (classes,),
    }
    order = probe.uniform(len(shapes)).argsort().tolist()
    names = [list(shapes)[place] for place in order]
    return {prefix + name: torch.zeros(shapes[name]) for name in names}, probe.integer(1, 9) / 100


@decays.on("matrices and kernels decay; biases, norms, gammas, tokens and positions do not")
def draw(probe: Probe) -> tuple[Table, float]:
    return _table(probe, classes=2)


@decays.on("the same with a single class, and inside a larger model, where names have something in front")
def inside(probe: Probe) -> tuple[Table, float]:
    return _table(probe, classes=1, prefix="backbone.")
