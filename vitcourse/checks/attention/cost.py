"""``attention.cost(num_tokens, num_heads, head_width, bytes_per_number)``: what plain self-attention takes.

The answer is a pair of whole numbers: the bytes of all attention weights, H N^2 times the bytes of a number, and the
multiplications in the two matrix products, 2 H N^2 d_k.

Source: Vaswani et al., "Attention Is All You Need" (2017), table 1 (complexity per layer n^2 d).
"""

from vitcourse.checks.engine.counted import Case, Counted, Formulas
from vitcourse.checks.engine.probe import Probe


def draw(probe: Probe) -> list[Case]:
    """Tokens n, heads h, width of a head d, bytes of a number b."""
    tokens, heads, widths = probe.sizes(2, 50, 300), probe.sizes(2, 3, 7), probe.sizes(2, 17, 48)
    sizes = [2**power for power in probe.sizes(2, 1, 3)]
    return list(zip(tokens, heads, widths, sizes, strict=True))


cost = Counted("attention.cost", draw, results=("bytes", "multiplications"), text="two whole numbers come back")


@cost.counts("the first is the bytes of all attention weights")
def weights(n: int, h: int, d: int, b: int) -> Formulas:
    right = h * n * n * b
    return {
        "right": [right],
        "forgets-heads": [n * n * b],
        "heads-squared": [h * right],
        "linear-in-tokens": [n * b, h * n * b, 2 * h * n * b, *(k * h * n * d * b for k in (1, 2, 3, 4))],
        "half-the-pairs": [h * (n * (n + k) // 2) * b for k in (-1, 0, 1)],
        "counts-twice": [2 * right],
        "times-width": [d * right, 2 * d * right, n * n * d * b],
        "counts-vectors": [right + k * h * n * d * b for k in (1, 2, 3, 4)],
        "counts-numbers": [h * n * n],
        "bits": [8 * right],
        "scaled-unit": [right // unit for unit in (1000, 1024, 10**6, 2**20)],
    }


@cost.counts("the second is the multiplications of both matrix products")
def multiplications(n: int, h: int, d: int, _b: int) -> Formulas:
    pairs, right = h * n * n, 2 * h * n * n * d
    return {
        "right": [right],
        "one-product": [right // 2],
        "counts-additions": [2 * right, 2 * pairs * (2 * d - 1), pairs * (2 * d - 1), right + 2 * pairs * (d - 1)],
        "forgets-heads": [n * n * d, 2 * n * n * d],
        "heads-squared": [h * right, h * right // 2],
        "linear-in-tokens": [h * n * d, 2 * h * n * d, h * n * d * d, 2 * h * n * d * d],
        "half-the-pairs": [h * n * (n + k) * d for k in (-1, 1)],
        "counts-projections": [right + k * n * (h * d) ** 2 for k in (3, 4)],
        "counts-softmax": [right + k * pairs for k in (1, 2)],
        "times-width": [d * right, d * right // 2],
        "forgets-width": [pairs, 2 * pairs],
    }
