"""``patches.count(image_size, patch_size, channels, dim)``: tokens, parameters, and attention weights of one head.

Tokens are (image_size / patch_size)^2 + 1. Parameters are those of the linear embedding, with bias, of the class token
and of a position for every token. A head has a weight for each pair of tokens.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), section 3.1 and equation 1.
"""

from vitcourse.checks.engine.counted import Case, Counted, Formulas
from vitcourse.checks.engine.probe import Probe


def draw(probe: Probe) -> list[Case]:
    """Pixels of a side s, patch size p, channels c, width d."""
    sides, sizes = probe.sizes(2, 9, 17), probe.sizes(2, 5, 8)
    channels, widths = probe.sizes(2, 2, 4), probe.sizes(2, 301, 500)
    return [(n * p, p, c, d) for n, p, c, d in zip(sides, sizes, channels, widths, strict=True)]


count = Counted(
    "patches.count",
    draw,
    results=("tokens", "parameters", "attention weights"),
    text="three whole numbers come back",
)


@count.counts("the first is the number of tokens")
def tokens(s: int, p: int, c: int, _d: int) -> Formulas:
    n = s // p
    return {
        "right": [n * n + 1],
        "no-class-token": [n * n],
        "one-side": [n, n + 1, 2 * n, 2 * n + 1],
        "divides-once": [s * s // p + k for k in (0, 1)],
        "counts-pixels": [s * s, s * s + 1],
        "channels-as-tokens": [c * n * n, c * n * n + 1],
        "overlapping": [(s - p + 1) ** 2 + k for k in (0, 1)],
    }


@count.counts("the second is the number of parameters")
def parameters(s: int, p: int, c: int, d: int) -> Formulas:
    n = (s // p) ** 2
    weight, table = c * p * p * d, (n + 1) * d
    return {
        "right": [weight + 2 * d + table],
        "width-left-out": [weight + (n + k) * d for k in (2, 1, 0)],
        "one-number-as-bias": [weight + 1 + d + table],
        "no-positions": [weight + 2 * d, weight + d, weight],
        "one-number-as-position": [weight + 2 * d + n + 1, weight + 2 * d + n],
        "no-channels": [p * p * d + 2 * d + table, p * p * d + d + table],
        "divides-once": [c * p * d + 2 * d + table],
        "one-for-each-patch": [n * weight + 2 * d + table, n * (weight + d) + d + table],
    }


@count.counts("the third is the attention weights of one head")
def weights(s: int, p: int, _c: int, d: int) -> Formulas:
    n = (s // p) ** 2
    t = n + 1
    return {
        "right": [t * t],
        "no-class-token": [n * n],
        "one-row": [t, 2 * t],
        "half-the-pairs": [t * (t + k) // 2 for k in (-1, 1)],
        "without-itself": [t * (t - 1)],
        "times-width": [t * t * d, 2 * t * t * d],
    }
