"""``multi_head.cost(dim, num_heads, num_tokens)``: what a layer of self-attention takes, and what the heads change.

The answer is three whole numbers: parameters 4 D^2 + 4 D, multiplications 4 N D^2 + 2 N^2 D, attention weights H N^2.
The first two do not depend on the number of heads.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 ("the total computational cost is similar").
"""

from collections.abc import Callable

from vitcourse.checks.check import Check
from vitcourse.checks.multi_head.common import LESSON, PROVIDED
from vitcourse.checks.probe import Probe, Wrong, describe

cost = Check(
    "multi_head.cost",
    lesson=LESSON,
    title="What more heads cost",
    objective="02.4",
    difficulty=2,
    minutes=15,
    points=3,
    forbidden=PROVIDED,
    misconceptions={
        "forgets-biases": "The biases are left out. Each of the four linear maps has one, of D numbers.",
        "forgets-output-weight": "The output weight is left out. There are four linear maps: queries, keys, values and "
        "`proj`.",
        "parameters-times-heads": "The parameters grow with the number of heads. The heads share the width out among "
        "them: H heads of width D/H have as many rows together as one head of width D.",
        "one-head-only": "Only one head is counted. The layer has H of them.",
        "forgets-linear-maps": "The four linear maps are left out of the work. Each multiplies every token with a "
        "matrix of D by D.",
        "forgets-attention": "The two products of attention are left out of the work: queries with keys, and weights "
        "with values.",
        "one-product": "Only one of the two products of attention is counted. Queries meet keys in the first, weights "
        "meet values in the second, and both take as many multiplications.",
        "work-times-heads": "The work of attention grows with the number of heads. A head is only D/H wide, so H "
        "heads multiply as often as one head of width D.",
        "counts-additions": "The additions are counted as well. The task asks for multiplications.",
        "forgets-heads": "Only one table of weights is counted. Each head has its own.",
        "linear-in-tokens": "The number of weights grows in step with the tokens. A table has an entry for each pair.",
        "weights-times-width": "The weights are counted once for each number in a head. A weight is a single number "
        "for a pair of tokens, however wide the head.",
    },
)
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
