"""``block_variants.parallel(x, state, num_heads)``: the block with P branches side by side, (B, N, D) to (B, N, D).

Source: Touvron et al., "Three things everyone should know about Vision Transformers" (2022), section 3.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.vit.common import State, attention, draw_block, mlp, norm

Inputs = tuple[Tensor, State, int]
Branches = list[Callable[[Tensor], Tensor]]


def _branches(
    state: State, kind: str, heads: int, *, scaled: str = "own", normed: str = "own", before: bool = False
) -> Branches:
    """The branches of one kind, "attns" or "ffns", as functions of their input, or those of a mistake.

    Args:
        scaled: the gamma is the branch's "own", the "first" branch's, or "none".
        normed: the norm is its "own", the "first" branch's, or "none".
        before: the gamma scales what the branch reads.
    """
    count = len({name.split(".")[1] for name in state if name.startswith(kind)})
    parts = [
        {name.removeprefix(f"{kind}.{p}."): part for name, part in state.items() if name.startswith(f"{kind}.{p}.")}
        for p in range(count)
    ]

    def branch(own: State) -> Callable[[Tensor], Tensor]:
        gamma = 1.0 if scaled == "none" else (own if scaled == "own" else parts[0]).get("ls.gamma", 1.0)
        layer = (lambda x: attention(x, own, heads)) if kind == "attns" else (lambda x: mlp(x, own))

        def change(x: Tensor) -> Tensor:
            read = x if normed == "none" else norm(x, own if normed == "own" else parts[0], "norm")
            return layer(gamma * read) if before else gamma * layer(read)

        return change

    return [branch(own) for own in parts]


def _sum(x: Tensor, branches: Branches) -> Tensor:
    return torch.stack([branch(x) for branch in branches]).sum(dim=0)


def right(x: Tensor, state: State, num_heads: int) -> Tensor:
    attended = x + _sum(x, _branches(state, "attns", num_heads))
    return attended + _sum(attended, _branches(state, "ffns", num_heads))


def wrong(x: Tensor, state: State, num_heads: int) -> dict[str, Tensor]:
    attns, ffns = (_branches(state, kind, num_heads) for kind in ("attns", "ffns"))
    after = x + _sum(x, attns)

    def block(**how) -> Tensor:
        first = x + _sum(x, _branches(state, "attns", num_heads, **how))
        return first + _sum(first, _branches(state, "ffns", num_heads, **how))

    def few(count: int) -> Tensor:
        first = x + _sum(x, attns[:count])
        return first + _sum(first, ffns[:count])

    first = x + _sum(x, ffns)
    count = len(attns)
    mean = x + _sum(x, attns) / count
    many = count * x + _sum(x, attns)
    return {
        "in-sequence": _in_turn(x, [*attns, *ffns]),
        "in-sequence/pairs": _in_turn(x, [branch for pair in zip(attns, ffns, strict=True) for branch in pair]),
        "in-sequence/ffns": _in_turn(after, ffns),
        "in-sequence/attns": (lambda y: y + _sum(y, ffns))(_in_turn(x, attns)),
        "all-at-once": after + _sum(x, ffns),
        "ffns-first": first + _sum(first, attns),
        "residual-from-start": x + _sum(after, ffns),
        "no-residual": _sum(_sum(x, attns), ffns),
        "no-residual/first": (lambda y: y + _sum(y, ffns))(_sum(x, attns)),
        "no-residual/second": _sum(after, ffns),
        "counts-x-again": count * many + _sum(many, ffns),
        "counts-x-again/ffns": count * after + _sum(after, ffns),
        "mean-of-branches": mean + _sum(mean, ffns) / count,
        "one-branch": few(1),
        "one-branch/two": few(2),  # the right answer where there are two
        "no-gamma": block(scaled="none"),
        "one-gamma": block(scaled="first"),
        "gamma-before": block(before=True),
        "one-norm": block(normed="first"),
        "norm-missing": block(normed="none"),
    }


def _in_turn(x: Tensor, branches: Branches) -> Tensor:
    for branch in branches:
        x = x + branch(x)
    return x


parallel = Solved("block_variants.parallel", right=right, wrong=wrong, parts=("the output",))


def _draw(probe: Probe, count: int, scaled: bool = True, dtype: torch.dtype = torch.float32) -> Inputs:
    heads, width = ((2, 4), (3, 2), (4, 2))[probe.integer(0, 2)]
    dim, state = heads * width, {}
    for place in range(count):
        own = draw_block(probe, dim, ratio=2, dtype=dtype)
        for kind, number, layer in (("attns", 1, "attn"), ("ffns", 2, "mlp")):
            kept = {name: part for name, part in own.items() if name.startswith((f"norm{number}", layer))}
            state |= {f"{kind}.{place}.{name.replace(f'norm{number}', 'norm')}": part for name, part in kept.items()}
            if scaled:
                state[f"{kind}.{place}.ls.gamma"] = 0.4 + probe.normal(dim, dtype=dtype)
    return 2 * probe.normal(3, probe.integer(5, 6), dim, dtype=dtype), state, heads


@parallel.on("all attentions read the same x, then all MLPs read the same sum, each with its own norm and gamma")
def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    return _draw(probe, probe.integer(2, 3), dtype=dtype)


@parallel.on(
    "without gammas in the state, branches are added as they are", only=["mean-of-branches"], otherwise="needs-gamma"
)
def bare(probe: Probe) -> Inputs:
    return _draw(probe, 2, scaled=False)


@parallel.on("one branch, and three, work as well", only=["one-branch"])
def three(probe: Probe) -> Inputs:
    return _draw(probe, 3)


parallel.exact(lambda probe: draw(probe, torch.float64))
parallel.differentiable(draw, to="x", slack=20, of=("x",))
