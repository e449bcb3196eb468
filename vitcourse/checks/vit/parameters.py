"""``vit.parameters(image_size, patch_size, channels, dim, depth, classes)``: of the embedding, a block, the whole.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), equations 1 to 4; the MLP is four times as wide.
"""

from vitcourse.checks.engine.counted import Case, Counted, Formulas
from vitcourse.checks.engine.probe import Probe


def draw(probe: Probe) -> list[Case]:
    """Image size, patch size, channels, width, depth, classes."""
    rows, patches, channels = probe.sizes(2, 3, 15), probe.sizes(2, 4, 20), probe.sizes(2, 2, 5)
    widths, depths, classes = probe.sizes(2, 30, 400), probe.sizes(2, 3, 24), probe.sizes(2, 5, 900)
    sizes = [count * patch for count, patch in zip(rows, patches, strict=True)]
    return list(zip(sizes, patches, channels, widths, depths, classes, strict=True))


parameters = Counted(
    "vit.parameters", draw, results=("embedding", "one block", "whole model"), text="three whole numbers come back"
)


def _embedding(image: int, p: int, c: int, D: int) -> int:
    return p * p * c * D + D + D + (1 + (image // p) ** 2) * D


def _block(D: int) -> int:
    return 12 * D * D + 13 * D


@parameters.counts("the first is the embedding: patches, class token, positions")
def embedding(image: int, p: int, c: int, D: int, *_others: int) -> Formulas:
    right, n = _embedding(image, p, c, D), (image // p) ** 2
    return {
        "right": [right],
        "one-vector-short": [right - D],
        "one-number-as-bias": [right - D + 1],
        "forgets-class-token": [right - 2 * D],
        "forgets-positions": [right - (1 + n) * D],
        "one-position": [right - n * D, (p * p * c + 1) * D + D + 1 + n],
        "positions-per-pixel": [right - (1 + n) * D + k * D for k in (image**2, image**2 + 1, image * image * c)],
        "one-axis": [right - n * D + (image // p) * D],
        "weight-per-patch": [right + (n - 1) * p * p * c * D, right + (n - 1) * (p * p * c * D + D)],
        "forgets-channels": [right - p * p * (c - 1) * D],
        "one-pixel": [right - p * p * c * D + p * c * D, right - p * p * c * D + c * D],
    }


@parameters.counts("the second is one block: two norms, attention, MLP")
def block(image: int, p: int, _channels: int, D: int, depth: int, _classes: int) -> Formulas:
    right, n = _block(D), (image // p) ** 2
    return {
        "right": [right],
        "forgets-biases": [12 * D * D, 12 * D * D + 2 * D, 12 * D * D + 4 * D, right - 3 * D, right - 5 * D],
        "one-number-as-bias": [12 * D * D + 4 * D + 4, 12 * D * D + 4],
        "forgets-norms": [right - 4 * D],
        "one-norm": [right - 2 * D],
        "norm-has-two": [right - 4 * D + 4, right - 4 * D + 2],
        "forgets-output-weight": [right - D * D - D],
        "forgets-attention": [right - 4 * D * D - 4 * D, 8 * D * D + 5 * D],
        "mlp-once": [right - 4 * D * D - D, right - 4 * D * D, right - 4 * D * D - 4 * D - 2 * D],
        "mlp-not-wider": [right - 6 * D * D - 3 * D],
        "all-blocks": [depth * right],
        "times-tokens": [(n + 1) * right, n * right],
    }


@parameters.counts("the third is the whole model, with the last norm and the head")
def whole(image: int, p: int, c: int, D: int, depth: int, K: int) -> Formulas:
    before, blocks, norm, head = _embedding(image, p, c, D), depth * _block(D), 2 * D, D * K + K
    right = before + blocks + norm + head
    return {
        "right": [right],
        "forgets-head": [right - head],
        "head-without-bias": [right - K],
        "forgets-last-norm": [right - norm],
        "forgets-head-and-norm": [right - head - norm],
        "one-block-only": [right - blocks + _block(D)],
        "forgets-embedding": [right - before],
        "head-on-all-tokens": [right + (image // p) ** 2 * head, right + (image // p) ** 2 * D * K],
        "norm-in-every-block": [right + (depth - 1) * norm],
    }
