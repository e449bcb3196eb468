"""``multi_head.cost(dim, num_heads, num_tokens)``: what a layer of self-attention takes, and what the heads change.

The answer is three whole numbers: parameters 4 D^2 + 4 D, multiplications 4 N D^2 + 2 N^2 D, attention weights H N^2.
The first two do not depend on the number of heads.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 ("the total computational cost is similar").
"""

from collections.abc import Callable

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

cost = Check("multi_head.cost")
Sizes = tuple[int, int, int]  # dim D, heads h, tokens n
RIGHT = "right"


def _parameters(D: int, h: int, _n: int) -> dict[str, list[int]]:
    right = 4 * D * D + 4 * D
    return {
        RIGHT: [right],
        "forgets-biases": [4 * D * D, 4 * D * D + D, 4 * D * D + 3 * D],
        "forgets-output-weight": [3 * D * D + 3 * D, 3 * D * D],
        "parameters-times-heads": [h * right, 4 * h * D * D, 3 * h * (D * D + D) + D * D + D, 3 * h * D * D + D * D],
        "one-head-only": [right // h, 4 * D * (D // h), 4 * (D // h) ** 2, 4 * (D // h) ** 2 + 4 * (D // h)],
    }


def _multiplications(D: int, h: int, n: int) -> dict[str, list[int]]:
    maps, tables = 4 * n * D * D, 2 * n * n * D
    return {
        RIGHT: [maps + tables],
        "forgets-linear-maps": [tables],
        "forgets-attention": [maps],
        "one-product": [maps + tables // 2],
        "forgets-output-weight": [3 * n * D * D + tables],
        "work-times-heads": [maps + h * tables, h * (maps + tables)],
        "one-head-only": [maps + tables // h, (maps + tables) // h],
        "counts-additions": [2 * (maps + tables)],
    }


def _weights(D: int, h: int, n: int) -> dict[str, list[int]]:
    return {
        RIGHT: [h * n * n],
        "forgets-heads": [n * n],
        "linear-in-tokens": [h * n, n, n * D],
        "weights-times-width": [n * n * D, n * n * (D // h), h * n * n * D],
    }


def _draw(probe: Probe) -> tuple[Sizes, ...]:
    """Two cases that differ in everything."""
    heads, widths, tokens = probe.sizes(2, 3, 7), probe.sizes(2, 17, 40), probe.sizes(2, 50, 300)
    return tuple((count * width, count, n) for count, width, n in zip(heads, widths, tokens, strict=True))


def _call(probe: Probe, case: Sizes) -> tuple[int, ...]:
    result = probe.call(*case)
    if not isinstance(result, list | tuple) or len(result) != 3:
        raise Wrong("wrong-type", f"Expected (parameters, multiplications, weights), got {describe(result)}.")
    for number in result:
        probe.require(type(number) is int, "wrong-type", f"Expected whole numbers (int), got {describe(number)}.")
    return tuple(result)


def _judge(probe: Probe, index: int, formulas: Callable[[int, int, int], dict[str, list[int]]]) -> None:
    """Compares one of the results with the right formula, then with the wrong ones."""
    cases = _draw(probe)
    found = [_call(probe, case)[index] for case in cases]
    tables = [formulas(*case) for case in cases]
    rights = [table[RIGHT][0] for table in tables]
    place = next((place for place, right in enumerate(rights) if found[place] != right), 0)
    dim, heads, tokens = cases[place]
    detail = (
        f"For width {dim}, {heads} heads and {tokens} tokens it is {found[place]:,} and should be {rights[place]:,}."
    )
    for name in tables[0]:
        for numbers in zip(*(table[name] for table in tables), strict=True):
            if list(numbers) == found:
                probe.require(name == RIGHT, name, detail)
                return
    raise Wrong("wrong-values", detail)


@cost.property("three whole numbers come back")
def _three(probe: Probe) -> None:
    _call(probe, _draw(probe)[0])


@cost.property("the first is the number of parameters")
def _count(probe: Probe) -> None:
    _judge(probe, 0, _parameters)


@cost.property("the second is the multiplications of all matrix products")
def _work(probe: Probe) -> None:
    _judge(probe, 1, _multiplications)


@cost.property("the third is the number of attention weights")
def _tables(probe: Probe) -> None:
    _judge(probe, 2, _weights)
