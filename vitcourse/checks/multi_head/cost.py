"""``multi_head.cost(dim, num_heads, num_tokens)``: what a layer of self-attention takes, and what the heads change.

The answer is three whole numbers: parameters 4 D^2 + 4 D, multiplications 4 N D^2 + 2 N^2 D, attention weights H N^2.
The first two do not depend on the number of heads.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 ("the total computational cost is similar").
"""

from vitcourse.checks.engine.counted import Case, Counted, Formulas
from vitcourse.checks.engine.probe import Probe


def draw(probe: Probe) -> list[Case]:
    """Width D, heads h, tokens n."""
    heads, widths, tokens = probe.sizes(2, 3, 7), probe.sizes(2, 17, 40), probe.sizes(2, 50, 300)
    return [(count * width, count, n) for count, width, n in zip(heads, widths, tokens, strict=True)]


cost = Counted(
    "multi_head.cost",
    draw,
    results=("parameters", "multiplications", "attention weights"),
    text="three whole numbers come back",
)


@cost.counts("the first is the number of parameters")
def parameters(D: int, h: int, n: int) -> Formulas:
    right, d = 4 * D * D + 4 * D, D // h
    return {
        "right": [right],
        "forgets-biases": [4 * D * D, 4 * D * D + D, 4 * D * D + 3 * D],
        "one-number-as-bias": [4 * D * D + 4, 4 * D * D + 1],
        "forgets-output-weight": [3 * D * D + 3 * D, 3 * D * D, 3 * D * D + 4 * D, 3 * D * D + D],
        "parameters-times-heads": [h * right, 4 * h * D * D, 3 * h * (D * D + D) + D * D + D, 3 * h * D * D + D * D],
        "one-head-only": [
            *(right // h, 4 * D * d, 4 * d * d, 4 * d * d + 4 * d, 3 * d * (D + 1) + D * D + D),
            *(4 * h * d * d, 4 * h * d * d + 4 * D, 3 * h * d * d + D * D, 4 * h * (d * d + d)),
        ],
        "times-tokens": [n * right, 4 * n * D * D],
    }


@cost.counts("the second is the multiplications of all matrix products")
def multiplications(D: int, h: int, n: int) -> Formulas:
    maps, tables = 4 * n * D * D, 2 * n * n * D
    return {
        "right": [maps + tables],
        "forgets-linear-maps": [tables],
        "forgets-attention": [maps, 3 * maps // 4],
        "one-product": [maps + tables // 2],
        "forgets-output-weight": [3 * n * D * D + tables, 3 * n * D * D + tables // 2],
        "work-times-heads": [maps + h * tables, h * (maps + tables)],
        "one-head-only": [maps + tables // h, (maps + tables) // h, maps // h + tables],
        "forgets-tokens": [4 * D * D + tables, 4 * D * D + 2 * n * D, maps + 2 * n * D],
        "counts-additions": [2 * (maps + tables), maps + tables + 4 * n * D, maps + tables + 4 * D],
    }


@cost.counts("the third is the number of attention weights")
def weights(D: int, h: int, n: int) -> Formulas:
    return {
        "right": [h * n * n],
        "forgets-heads": [n * n],
        "heads-squared": [(h * n) ** 2],
        "linear-in-tokens": [h * n, n, n * D],
        "half-the-pairs": [h * n * (n + k) // 2 for k in (-1, 1)],
        "counts-twice": [2 * h * n * n],
        "weights-times-width": [n * n * D, n * n * (D // h), h * n * n * D],
    }
