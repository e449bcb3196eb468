"""``attention.cost(num_tokens, num_heads, head_width, bytes_per_number)``: what plain self-attention takes.

The answer is a pair of whole numbers: the bytes of all attention weights, H N^2 times the bytes of a number, and the
multiplications in the two matrix products, 2 H N^2 d_k.

Source: Vaswani et al., "Attention Is All You Need" (2017), table 1 (complexity per layer n^2 d).
"""

from collections.abc import Callable

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

cost = Check("attention.cost")
Sizes = tuple[int, int, int, int]  # tokens n, heads h, width of a head d, bytes of a number b
RIGHT = "right"


def _bytes(n: int, h: int, d: int, b: int) -> dict[str, list[int]]:
    """The bytes of the weights, and what the mistakes give."""
    right = h * n * n * b
    return {
        RIGHT: [right],
        "swapped": [2 * h * n * n * d],
        "forgets-heads": [n * n * b],
        "linear-in-tokens": [n * b, h * n * b, 2 * h * n * b, *(k * h * n * d * b for k in (1, 2, 3, 4))],
        "half-the-pairs": [h * (n * (n + k) // 2) * b for k in (-1, 0, 1)],
        "counts-numbers": [h * n * n],
        "bits": [8 * right],
        "scaled-unit": [right // unit for unit in (1000, 1024, 10**6, 2**20)],
    }


def _multiplications(n: int, h: int, d: int, _b: int) -> dict[str, list[int]]:
    """The multiplications of both products, and what the mistakes give."""
    right = 2 * h * n * n * d
    return {
        RIGHT: [right],
        "one-product": [h * n * n * d],
        "counts-additions": [2 * right, 2 * h * n * n * (2 * d - 1)],
        "forgets-heads": [n * n * d, 2 * n * n * d],
        "linear-in-tokens": [h * n * d, 2 * h * n * d],
        "half-the-pairs": [h * n * (n + k) * d for k in (-1, 1)],
        "counts-projections": [right + k * n * (h * d) ** 2 for k in (3, 4)],
        "forgets-width": [h * n * n, 2 * h * n * n],
    }


def _draw(probe: Probe) -> tuple[Sizes, ...]:
    """Two cases that differ in everything: a wrong formula that happens to fit one does not fit the other."""
    tokens, heads, widths = probe.sizes(2, 50, 300), probe.sizes(2, 3, 7), probe.sizes(2, 17, 48)
    sizes = [2**power for power in probe.sizes(2, 1, 3)]
    return tuple(zip(tokens, heads, widths, sizes, strict=True))


def _call(probe: Probe, case: Sizes) -> tuple[int, int]:
    result = probe.call(*case)
    if not isinstance(result, list | tuple) or len(result) != 2:
        raise Wrong("wrong-type", f"Expected a pair (bytes, multiplications), got {describe(result)}.")
    for number in result:
        probe.require(type(number) is int, "wrong-type", f"Expected whole numbers (int), got {describe(number)}.")
    return result[0], result[1]


def _judge(probe: Probe, index: int, formulas: Callable[[int, int, int, int], dict[str, list[int]]]) -> None:
    """Compares one of the two results with the right formula, then with the wrong ones."""
    cases = _draw(probe)
    found = [_call(probe, case)[index] for case in cases]
    tables = [formulas(*case) for case in cases]
    rights = [table[RIGHT][0] for table in tables]
    place = next((place for place, right in enumerate(rights) if found[place] != right), 0)
    n, heads, width, size = cases[place]
    detail = (
        f"For {n} tokens, {heads} heads of width {width} and {size} bytes a number it is {found[place]:,} "
        f"and should be {rights[place]:,}."
    )
    for name in tables[0]:
        for numbers in zip(*(table[name] for table in tables), strict=True):
            if list(numbers) == found:
                probe.require(name == RIGHT, name, detail)
                return
    raise Wrong("wrong-values", detail)


@cost.property("two whole numbers come back")
def _pair(probe: Probe) -> None:
    _call(probe, _draw(probe)[0])


@cost.property("the first is the bytes of all attention weights")
def _memory(probe: Probe) -> None:
    _judge(probe, 0, _bytes)


@cost.property("the second is the multiplications of both matrix products")
def _work(probe: Probe) -> None:
    _judge(probe, 1, _multiplications)
