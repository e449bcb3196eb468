"""``transformer.beam(log_p, start, end, beams, max_length)``: beam search where each token depends on the last alone.

What ends among the best is put aside, and as many as before run on, as in `vitcourse.transformer.beam_decode`. Where it
stays in the beam and competes, that is as good: the tables are such that both find the same.

Source: Wu et al., "Google's Neural Machine Translation System" (2016), https://arxiv.org/abs/1609.08144, section 7
(here without a length penalty).
"""

import math
from functools import partial

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe, several
from vitcourse.checks.engine.words import apart
from vitcourse.checks.transformer.search import ALL, WRONG, Tree, any_tree, in_time, path, shows, steps

beam = Check("transformer.beam")


def _call(probe: Probe, tree: Tree, beams: int, on_error: str | None) -> tuple[list[int], float]:
    case = (tree.log_p, tree.start, tree.end, beams, tree.max_length)
    ids, value = several(probe.call(*case, on_error=on_error), 2, "a pair (ids, log-probability)")
    if not isinstance(ids, list | tuple) or any(type(index) is not int for index in ids):
        raise Wrong("wrong-type", f"Expected a list of whole numbers (int) as ids, got {describe(ids)}.")
    if type(value) not in (int, float):
        raise Wrong("wrong-type", f"Expected a float as log-probability, got {describe(value)}.")
    return list(ids), float(value)


def _judge(probe: Probe, tree: Tree, beams: int, otherwise: str | None = None, on_error: str | None = None) -> None:
    """One call, its form first: then its score, then its tokens.

    Args:
        otherwise: the one misconception behind any other ids, where it is known.
    """
    ids, value = _call(probe, tree, beams, on_error)
    right, end = path(tree, beams), tree.end
    found, wanted = apart(value, sum(steps(tree, right)), digits=4)
    detail = f"With beams={beams} it gives {ids} and {found}; right is {right} and {wanted}."
    probe.require(not otherwise or ids == right, otherwise, detail)
    probe.require(bool(ids) and all(0 <= index < len(tree.log_p) for index in ids), "wrong-values", detail)
    turned = tree._replace(log_p=tree.log_p.T)
    if ids != right and ids == path(turned, beams) and _near(value, sum(steps(turned, ids))):
        raise Wrong("column-for-row", detail)  # first, because such ids may have any form
    probe.require(ids[:1] != [tree.start], "start-in-result", detail)
    probe.require(end not in ids[:-1], "does-not-stop", detail)
    probe.require(end in ids or [*ids, end] != right, "no-end-in-result", detail)
    if not _near(value, sum(steps(tree, ids))):
        named = [name for name, number in _scores(tree, ids).items() if _near(value, number)]
        other = "wrong-values" if ids == right else "score-of-another"
        raise Wrong(named[0].partition("/")[0] if named else other, detail)
    if ids != right:
        named = [name for name, mistake in WRONG.items() if mistake(tree, beams) == ids]
        raise Wrong(named[0].partition("/")[0] if named else "wrong-values", detail)


def _scores(tree: Tree, ids: list[int]) -> dict[str, float]:
    """What each mistake makes of the score of these ids."""
    past, turned = steps(tree, ids), tree._replace(log_p=tree.log_p.T)
    own = sum(past)
    return {
        "end-not-counted": own - past[-1],
        "probability-not-log": math.exp(own),
        "probability-not-log/sum": sum(map(math.exp, past)),
        "logs-multiplied": math.prod(past),
        "logs-multiplied/by 0": 0.0,
        "wrong-sign": -own,
        "length-normalised": own / len(past),
        "length-normalised/but end": own / max(len(past) - 1, 1),
        "last-step-only": past[-1],
        "column-for-row": sum(steps(turned, ids)),
        "start-not-read": sum(steps(tree._replace(start=0), ids)),
        "start-not-read/free": own - past[0],
    }


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-4)


def _easy(tree: Tree) -> bool:
    """Every way of searching finds the same target, of at least two tokens and the end."""
    right = path(tree, 1)
    return len(right) > 2 and in_time(tree, right, 1) and all(path(tree, width) == right for width in (2, 3, ALL))


@beam.property("a list of ids and one number come back, the log-probability of these ids")
def _form(probe: Probe) -> None:
    _judge(probe, any_tree(probe, _easy), 1)


PROPERTIES = {
    "with two beams it finds a target that greedy decoding misses": ("greedy", "last-step-only"),
    "what was put aside waits, and the best of all wins, not the first": (
        "first-finished",
        "does-not-stop/best",
        "length-normalised",
    ),
    "it keeps no more prefixes than it is told": ("keeps-too-many/each",),
}


for text, names in PROPERTIES.items():

    @beam.property(text)
    def _told_apart(probe: Probe, names: tuple[str, ...] = names) -> None:
        for name in names:
            _judge(probe, any_tree(probe, partial(shows, name=name)), 2)


@beam.property("with one beam it is greedy decoding")
def _one(probe: Probe) -> None:
    _judge(probe, any_tree(probe, partial(shows, name="greedy")), 1, otherwise="fixed-width")


@beam.property("it stops after max_length tokens, ended or not")
def _limit(probe: Probe) -> None:
    tree = any_tree(probe, lambda tree: path(tree, 2)[-1] == tree.end)
    tree.log_p[:, tree.end] = -60.0  # all but impossible
    tree = tree._replace(max_length=probe.integer(3, 5))
    _judge(probe, tree, 2, otherwise="no-limit", on_error="no-limit")
