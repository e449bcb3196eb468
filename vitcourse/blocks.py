"""The residual blocks of ViT and DeiT and the small layers they are made of.

Shape legend: B batch, N tokens, D width, P parallel branches. Every block maps (B, N, D) to (B, N, D).

Sources: Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, equations 2 and 3 (the pre-norm block); Touvron et
al. 2021, "Going deeper with Image Transformers", https://arxiv.org/abs/2103.17239, section 2 (LayerScale); Touvron et
al. 2022, "Three things everyone should know about Vision Transformers", https://arxiv.org/abs/2203.09795
(parallel blocks); Huang et al. 2016, https://arxiv.org/abs/1603.09382 (stochastic depth). Names follow timm.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from vitcourse.attention import MultiHeadAttention


class LayerScale(nn.Module):
    """Multiplies every channel by its own learned number, ``init_values`` at the start (Touvron et al. 2021)."""

    def __init__(self, dim: int, init_values: float = 1e-5, inplace: bool = False):
        super().__init__()
        self.inplace = inplace
        self.gamma = nn.Parameter(init_values * torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        return x.mul_(self.gamma) if self.inplace else x * self.gamma


class DropPath(nn.Module):
    """Stochastic depth: in training, drops a whole sample's branch with probability p and rescales the rest by 1/(1-p).

    Raises:
        ValueError: p is not in [0, 1).
    """

    def __init__(self, p: float = 0.0):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"drop path needs a probability in [0, 1), got {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        keep = x.new_empty(x.shape[0], *[1] * (x.ndim - 1)).bernoulli_(1 - self.p)
        return x * keep / (1 - self.p)

    def extra_repr(self) -> str:
        return f"p={self.p:g}"


class Mlp(nn.Module):
    """Two linear layers with a GELU (the exact one) between them, D to ``hidden`` to D; dropout after each."""

    def __init__(self, dim: int, hidden: int, drop: float = 0.0):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.act = nn.GELU()
        self.drop1 = nn.Dropout(drop)
        self.fc2 = nn.Linear(hidden, dim)
        self.drop2 = nn.Dropout(drop)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop2(self.fc2(self.drop1(self.act(self.fc1(x)))))


def _scale(dim: int, init_values: float | None) -> nn.Module:
    return nn.Identity() if init_values is None else LayerScale(dim, init_values)


class Block(nn.Module):
    """The pre-norm Transformer block: attention, then MLP, each on a normed copy and added back.

    Args:
        dim: width D.
        num_heads: attention heads.
        mlp_ratio: hidden width of the MLP over D.
        qkv_bias: bias in the query, key and value projections.
        drop: dropout after the attention's and the MLP's linear layers.
        attn_drop: dropout on the attention weights.
        drop_path: probability of dropping a branch (see `DropPath`).
        init_values: start of the LayerScale gammas; None for none (plain ViT and DeiT).
        norm_eps: epsilon of the layer norms.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop: float = 0.0,
        attn_drop: float = 0.0,
        drop_path: float = 0.0,
        init_values: float | None = None,
        norm_eps: float = 1e-6,
    ):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attn = MultiHeadAttention(dim, num_heads, qkv_bias, attn_drop, drop)
        self.ls1 = _scale(dim, init_values)
        self.drop_path1 = DropPath(drop_path)
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.mlp = Mlp(dim, int(dim * mlp_ratio), drop)
        self.ls2 = _scale(dim, init_values)
        self.drop_path2 = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path1(self.ls1(self.attn(self.norm1(x))))
        return x + self.drop_path2(self.ls2(self.mlp(self.norm2(x))))


class LayerScaleInitBlock(Block):
    """`Block` with LayerScale always on: DeiT's ``Layer_scale_init_Block`` (its gamma_1 is ``ls1.gamma`` here)."""

    def __init__(self, dim: int, num_heads: int, *args, init_values: float = 1e-4, **options):
        super().__init__(dim, num_heads, *args, init_values=init_values, **options)


class ParallelBlock(nn.Module):
    """P attentions side by side, added together, then P MLPs side by side (Touvron et al. 2022).

    Every branch has its own norm, its own LayerScale and its own drop path, so masks are independent per branch and
    sample. With P = 2 this is DeiT's ``Block_paralx2``, and timm's ``ParallelThingsBlock`` (same keys).

    Args:
        num_parallel: number of branches P. The others are those of `Block`.

    Raises:
        ValueError: ``num_parallel`` is below 1.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop: float = 0.0,
        attn_drop: float = 0.0,
        drop_path: float = 0.0,
        init_values: float | None = None,
        norm_eps: float = 1e-6,
        num_parallel: int = 2,
    ):
        super().__init__()
        if num_parallel < 1:
            raise ValueError(f"num_parallel must be at least 1, got {num_parallel}")

        def branch(name: str, layer: nn.Module) -> nn.Sequential:
            parts = {"norm": nn.LayerNorm(dim, eps=norm_eps), name: layer}
            return nn.Sequential(OrderedDict(parts, ls=_scale(dim, init_values), drop_path=DropPath(drop_path)))

        self.attns = nn.ModuleList(
            branch("attn", MultiHeadAttention(dim, num_heads, qkv_bias, attn_drop, drop)) for _ in range(num_parallel)
        )
        self.ffns = nn.ModuleList(branch("mlp", Mlp(dim, int(dim * mlp_ratio), drop)) for _ in range(num_parallel))

    def forward(self, x: Tensor) -> Tensor:
        for branches in (self.attns, self.ffns):
            # All branches read the same x; adding them one after the other is DeiT's order of the sum.
            total = x
            for branch in branches:
                total = total + branch(x)
            x = total
        return x


class ParallelLayerScaleInitBlock(ParallelBlock):
    """`ParallelBlock` with LayerScale always on: DeiT's ``Layer_scale_init_Block_paralx2`` when P is 2.

    DeiT's four gammas are the four ``ls.gamma`` of the four branches.
    """

    def __init__(self, dim: int, num_heads: int, *args, init_values: float = 1e-4, **options):
        super().__init__(dim, num_heads, *args, init_values=init_values, **options)


BLOCKS: dict[str, type[nn.Module]] = {
    "block": Block,
    "layer_scale_init": LayerScaleInitBlock,
    "parallel": ParallelBlock,
    "parallel_layer_scale_init": ParallelLayerScaleInitBlock,
}
