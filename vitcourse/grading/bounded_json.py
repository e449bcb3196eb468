"""JSON from somebody else: how much it holds, and how deep, is known before it is parsed.

A value of two letters in the text takes many times as much in memory, and nesting takes the parser's stack.
"""

import json
import re

from vitcourse.errors import InputError

NO_BRACKET = re.compile(r"[^][{}]+")


def loads(text: str, values: int, depth: int) -> object:
    """What ``json.loads`` gives.

    Raises:
        ValueError: it is no JSON; else as `check`.
    """
    check(text, values, depth)
    return json.loads(text)


def check(text: str, values: int, depth: int) -> None:
    """Counts the signs of JSON outside of its strings.

    Args:
        text: JSON, or anything else.
        values: most that it may hold, keys included.
        depth: most lists and objects inside one another.

    Raises:
        InputError: it holds more values.
        RecursionError: they lie deeper.
    """
    plain = text.replace("\\\\", "").replace('\\"', "")
    # First the quotes, which make parts below, then the signs between the strings.
    few = plain.count('"') <= 2 * values
    outside = "".join(plain.split('"')[::2]) if few else ""
    if not few or sum(map(outside.count, ",:[{")) > values:
        raise InputError(f"it holds more than {values:,} values")
    brackets = NO_BRACKET.sub("", outside)
    for _ in range(depth):
        brackets = brackets.replace("[]", "").replace("{}", "")
    # Brackets without another are for the parser to name, if they are few.
    if "[]" in brackets or "{}" in brackets or len(brackets) > depth:
        raise RecursionError(f"more than {depth:,} lists inside one another")
