"""``multi_head.cost(dim, num_heads, num_tokens, num_context)``: what a layer of cross-attention takes.

The answer is three whole numbers: parameters 4 D^2 + 4 D, multiplications 2 (L + S) D^2 + 2 L S D, attention weights
H L S. The first two do not depend on the number of heads.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 ("the total computational cost is similar").
"""

from vitcourse.checks.engine.counted import Case, Counted, Formulas
from vitcourse.checks.engine.probe import Probe


def draw(probe: Probe) -> list[Case]:
    """Width D, heads h, tokens n that ask, tokens s of the context."""
    heads, widths = probe.sizes(2, 3, 7), probe.sizes(2, 17, 40)
    sizes = probe.sizes(4, 50, 300)
    return [(h * d, h, n, s) for h, d, n, s in zip(heads, widths, sizes[:2], sizes[2:], strict=True)]


cost = Counted(
    "multi_head.cost",
    draw,
    results=("parameters", "multiplications", "attention weights"),
    text="three whole numbers come back",
)


@cost.counts("the first is the number of parameters")
def parameters(D: int, h: int, n: int, s: int) -> Formulas:
    right, d = 4 * D * D + 4 * D, D // h
    return {
        "right": [right],
        "forgets-biases": [4 * D * D, 4 * D * D + D, 4 * D * D + 3 * D],
        "one-number-as-bias": [4 * D * D + 4, 4 * D * D + 1],
        "forgets-output-weight": [3 * D * D + 3 * D, 3 * D * D, 3 * D * D + 4 * D, 3 * D * D + D],
        "counts-both-sides": [6 * D * D + 6 * D, 7 * D * D + 7 * D, 8 * D * D + 8 * D, 7 * D * D, 6 * D * D, 8 * D * D],
        "parameters-times-heads": [h * right, 4 * h * D * D, 3 * h * (D * D + D) + D * D + D, 3 * h * D * D + D * D],
        "one-head-only": [
            *(right // h, 4 * D * d, 4 * d * d, 4 * d * d + 4 * d, 3 * d * (D + 1) + D * D + D),
            *(4 * h * d * d, 4 * h * d * d + 4 * D, 3 * h * d * d + D * D, 4 * h * (d * d + d)),
        ],
        "times-tokens": [n * right, 4 * n * D * D, s * right, (n + s) * right, (n + s) * 4 * D * D],
    }


@cost.counts("the second is the multiplications of all matrix products")
def multiplications(D: int, h: int, n: int, s: int) -> Formulas:
    maps, tables = 2 * (n + s) * D * D, 2 * n * s * D
    return {
        "right": [maps + tables],
        "self-attention": [4 * m * D * D + 2 * m * m * D for m in (n, s, n + s)],
        "maps-of-one-side": [4 * m * D * D + tables for m in (n, s, n + s)],
        "wrong-side": [(n + 3 * s) * D * D + tables, (3 * n + s) * D * D + tables],
        "square-tables": [maps + 2 * m * m * D for m in (n, s, n + s)],
        "forgets-linear-maps": [tables],
        "forgets-attention": [maps, (n + 2 * s) * D * D],
        "one-product": [maps + tables // 2],
        "forgets-output-weight": [maps - n * D * D + tables, maps - n * D * D + tables // 2],
        "work-times-heads": [maps + h * tables, h * (maps + tables)],
        "one-head-only": [maps + tables // h, (maps + tables) // h, maps // h + tables],
        "forgets-tokens": [4 * D * D + tables, 4 * D * D + 2 * n * D, maps + 2 * n * D, maps + 2 * s * D],
        "counts-additions": [2 * (maps + tables), maps + tables + 2 * (n + s) * D, maps + tables + 4 * D],
    }


@cost.counts("the third is the number of attention weights")
def weights(D: int, h: int, n: int, s: int) -> Formulas:
    return {
        "right": [h * n * s],
        "square-tables": [h * m * m for m in (n, s, n + s)],
        "forgets-heads": [n * s, n * n, s * s],
        "heads-squared": [h * h * n * s],
        "linear-in-tokens": [h * n, h * s, h * (n + s), n + s, n * D],
        "counts-twice": [2 * h * n * s],
        "weights-times-width": [n * s * D, n * s * (D // h), h * n * s * D],
    }
