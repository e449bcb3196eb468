"""``vit.block(x, state, num_heads)``: the pre-norm block of a ViT, (B, N, D) to (B, N, D).

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), equations 2 and 3.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.vit.common import State, attention, draw_block, mlp, norm, right_block

Inputs = tuple[Tensor, State, int]
MAPS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")


def right(x: Tensor, state: State, num_heads: int) -> Tensor:
    return right_block(x, state, num_heads)


def wrong(x: Tensor, state: State, num_heads: int) -> dict[str, Tensor]:
    def attended(x: Tensor, name: str | None = "norm1", bare=(), divisor=None, heads=num_heads, **how) -> Tensor:
        return attention(norm(x, state, name, **how) if name else x, state, heads, divisor, bare)

    def changed(x: Tensor, name: str | None = "norm2", bare=(), act=F.gelu, **how) -> Tensor:
        return mlp(norm(x, state, name, **how) if name else x, state, act, bare)

    def both(**how) -> Tensor:
        middle = x + attended(x, **how)
        return middle + changed(middle, **how)

    middle = x + attended(x)
    first, second = norm(x, state, "norm1"), norm(middle, state, "norm2")
    after = norm(x + attended(x, None), state, "norm1")
    early = x + changed(x)
    return {
        "post-norm": norm(after + changed(after, None), state, "norm2"),
        "no-residual": changed(attended(x)),
        "no-residual/first": attended(x) + changed(attended(x)),
        "no-residual/second": changed(middle),
        "normed-residual": (lambda h: norm(h, state, "norm2") + changed(h))(first + attended(x)),
        "normed-residual/first": (lambda h: h + changed(h))(first + attended(x)),
        "normed-residual/second": second + changed(middle),
        "residual-from-start": x + changed(middle),
        "side-by-side": middle + changed(x),
        "mlp-first": early + attended(early),
        "mlp-first/names": (lambda h: h + attended(h, "norm2"))(x + changed(x, "norm1")),
        "norm-missing": (lambda h: h + changed(h, None))(x + attended(x, None)),
        "norm-missing/first": (lambda h: h + changed(h))(x + attended(x, None)),
        "norm-missing/second": middle + changed(middle, None),
        "one-norm-for-both": middle + changed(middle, "norm1"),
        "one-norm-for-both/second": (lambda h: h + changed(h))(x + attended(x, "norm2")),
        "norm-not-scaled": both(affine=False),
        "unbiased-deviation": both(unbiased=True),
        **{f"other-epsilon/{eps}": both(eps=eps) for eps in (1e-5, 1e-12, 1e-8, 0.0)},
        "no-activation": middle + changed(middle, act=lambda hidden: hidden),
        "other-activation/relu": middle + changed(middle, act=F.relu),
        "other-activation/silu": middle + changed(middle, act=F.silu),
        "approximate-gelu": middle + changed(middle, act=lambda hidden: F.gelu(hidden, approximate="tanh")),
        "activation-at-the-end": middle + F.gelu(changed(middle)),
        "no-heads": (lambda h: h + changed(h))(x + attended(x, heads=1)),
        "wrong-divisor/none": (lambda h: h + changed(h))(x + attended(x, divisor=1.0)),
        "wrong-divisor/dim": (lambda h: h + changed(h))(x + attended(x, divisor=x.shape[-1] ** 0.5)),
        **{f"no-bias/{name}": both_bare(x, state, num_heads, (name,)) for name in MAPS},
        "no-bias/all": both_bare(x, state, num_heads, MAPS),
    }


def both_bare(x: Tensor, state: State, heads: int, bare: tuple[str, ...]) -> Tensor:
    """The block with some of its maps without their biases."""
    x = x + attention(norm(x, state, "norm1"), state, heads, bare=bare)
    return x + mlp(norm(x, state, "norm2"), state, bare=bare)


block = Solved("vit.block", right=right, wrong=wrong, parts=("the output",))


@block.on("the block is x plus attention of a normed x, then that plus the MLP of its own norm", but=["other-epsilon"])
def draw(probe: Probe, dtype: torch.dtype = torch.float32, scale: float = 1.0) -> Inputs:
    heads, width = ((2, 5), (3, 4), (5, 2), (4, 3))[probe.integer(0, 3)]
    dim = heads * width
    tokens = 2 * scale * probe.normal(3, probe.integer(6, 8), dim, dtype=dtype)
    return tokens, draw_block(probe, dim, dtype=dtype), heads


def faint(probe: Probe) -> Inputs:
    """Numbers so small that what is added to their variance counts."""
    x, state, heads = draw(probe, torch.float64)
    return (
        1e-3 * x,
        {name: 1e-3 * part if "norm" not in name and "bias" in name else part for name, part in state.items()},
        heads,
    )


def wide_mlp(probe: Probe) -> Inputs:
    x, _, heads = draw(probe)
    return x, draw_block(probe, x.shape[-1], ratio=3), heads


block.on("the norms add 1e-6 to the variance, as ViT does", only=["other-epsilon"])(faint)
block.on("another hidden width of the MLP works as well", only=["no-heads"])(wide_mlp)
block.exact(lambda probe: draw(probe, torch.float64), but=["other-epsilon"])
block.differentiable(draw, to="x", slack=20)
