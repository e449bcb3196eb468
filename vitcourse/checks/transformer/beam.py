"""``transformer.beam(log_p, start, end, beams, max_length)``: beam search where each token depends on the last alone.

Hypotheses that have ended stay in the beam and compete with those that go on. Sources: Wu et al., "Google's Neural
Machine Translation System" (2016), https://arxiv.org/abs/1609.08144, section 7 (here without a length penalty).
"""

import math

from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe
from vitcourse.checks.engine.words import apart
from vitcourse.checks.transformer.search import ALL, Tree, any_tree, first_finished, path, score, search, wrong_paths

beam = Check("transformer.beam")

Case = tuple[Tensor, int, int, int, int]  # log_p, start, end, beams, max_length


def _call(probe: Probe, case: Case, on_error: str | None = None) -> tuple[list[int], float]:
    result = probe.call(*case, on_error=on_error)
    if not isinstance(result, list | tuple) or len(result) != 2:
        raise Wrong("wrong-type", f"Expected a pair (ids, log-probability), got {describe(result)}.")
    ids, value = result
    if not isinstance(ids, list | tuple) or any(type(index) is not int for index in ids):
        raise Wrong("wrong-type", f"Expected a list of whole numbers (int) as ids, got {describe(ids)}.")
    if isinstance(value, Tensor) and value.ndim == 0:
        value = value.item()
    if not isinstance(value, float):
        raise Wrong("wrong-type", f"Expected a float as log-probability, got {describe(value)}.")
    return list(ids), value


def _judge(probe: Probe, tree: Tree, beams: int) -> None:
    """One call, its form first: then its tokens, then its score."""
    case = (tree.log_p, tree.start, tree.end, beams, tree.max_length)
    ids, value = _call(probe, case)
    right, best = search(tree, beams)
    end = tree.end
    detail = f"With beams={beams} {_told(ids, value, right, best)}"
    probe.require(ids[:1] != [tree.start], "start-in-result", detail)
    ended = end in ids
    probe.require(not ended or ids.index(end) == len(ids) - 1, "does-not-stop", detail)
    probe.require(ended or [*ids, end] != right, "no-end-in-result", detail)
    probe.require(all(0 <= index < len(tree.log_p) for index in ids), "wrong-values", detail)
    own = score(tree, ids)
    if not math.isclose(value, own, rel_tol=1e-4, abs_tol=1e-4):
        suspects = {
            "end-not-counted": score(tree, ids[:-1]),
            "probability-not-log": math.exp(own),
            "length-normalised": own / max(len(ids), 1),
            "length-normalised/but end": own / max(len(ids) - 1, 1),
        }
        named = [name for name, number in suspects.items() if math.isclose(value, number, rel_tol=1e-4, abs_tol=1e-4)]
        if ids == right or named:
            raise Wrong(named[0].partition("/")[0] if named else "wrong-values", detail)
        raise Wrong("score-of-another", detail)
    if ids != right:
        named = [name for name, wrong in wrong_paths(tree, beams).items() if wrong == ids]
        raise Wrong(named[0] if named else "wrong-values", detail)


def _told(ids: list[int], value: float, right: list[int], best: float) -> str:
    found, wanted = apart(value, best, digits=4)
    return f"it gives {ids} and {found}; right is {right} and {wanted}."


@beam.property("a list of ids and one number come back, the log-probability of these ids")
def _form(probe: Probe) -> None:
    _judge(probe, any_tree(probe, _easy), 1)


@beam.property("with two beams it finds a target that greedy decoding misses")
def _better_than_greedy(probe: Probe) -> None:
    _judge(probe, any_tree(probe, _greedy_misses), 2)


@beam.property("what has ended waits, and the best of all wins, not the first")
def _waits(probe: Probe) -> None:
    _judge(probe, any_tree(probe, _the_first_to_end_loses), 2)


@beam.property("it keeps no more prefixes than it is told")
def _no_more(probe: Probe) -> None:
    _judge(probe, any_tree(probe, _the_best_is_out_of_reach), 2)


@beam.property("with one beam it is greedy decoding")
def _one(probe: Probe) -> None:
    tree = any_tree(probe, _greedy_misses)
    case = (tree.log_p, tree.start, tree.end, 1, tree.max_length)
    ids, _ = _call(probe, case)
    detail = f"With beams=1 it gives {ids}; right is {path(tree, 1)}."
    probe.require(ids == path(tree, 1), "fixed-width", detail)
    _judge(probe, tree, 1)


@beam.property("it stops after max_length tokens, ended or not")
def _limit(probe: Probe) -> None:
    tree = any_tree(probe, lambda tree: search(tree, 2)[0][-1] == tree.end)
    tree.log_p[:, tree.end] = -60.0  # all but impossible
    tree = tree._replace(max_length=probe.integer(3, 5))
    ids, value = _call(probe, (tree.log_p, tree.start, tree.end, 2, tree.max_length), on_error="no-limit")
    right, best = search(tree, 2)
    detail = f"After max_length={tree.max_length} tokens {_told(ids, value, right, best)}"
    probe.require(ids == right and math.isclose(value, best, rel_tol=1e-4, abs_tol=1e-4), "no-limit", detail)


def _ends(tree: Tree, ids: list[int], beams: int) -> bool:
    """Whether the limit is no matter: ids end before it, and are found with a limit a little lower or higher too."""
    limits = (tree.max_length - 1, tree.max_length + 4)
    return ids[-1] == tree.end and all(path(tree._replace(max_length=limit), beams) == ids for limit in limits)


def _easy(tree: Tree) -> bool:
    """Every way of searching finds the same target, of at least two tokens and the end."""
    right = path(tree, 1)
    return len(right) > 2 and _ends(tree, right, 1) and all(path(tree, width) == right for width in (2, 3, ALL))


def _agreed(tree: Tree) -> list[int]:
    """The target that two beams, three and a search of all find, whether what has ended waits in the beam or apart;
    empty where they differ or do not end in time."""
    right = path(tree, 2)
    same = _ends(tree, right, 2) and all(path(tree, width) == right for width in (3, ALL))
    return right if same and path(tree, 2, apart=True) == right else []


def _greedy_misses(tree: Tree) -> bool:
    greedy = path(tree, 1)
    if greedy == path(tree, 2) or not _ends(tree, greedy, 1) or not (right := _agreed(tree)):
        return False
    wrong = wrong_paths(tree, 2)
    return (
        wrong["first-finished"] == right and len({*map(tuple, (right, wrong["greedy"], wrong["last-step-only"]))}) == 3
    )


def _the_first_to_end_loses(tree: Tree) -> bool:
    # The cheap question first: most tables fail it.
    if first_finished(tree, 2) == path(tree, 2) or not (right := _agreed(tree)):
        return False
    wrong = wrong_paths(tree, 2)
    first = wrong["first-finished"]
    return (
        first != right and first not in (wrong["greedy"], wrong["last-step-only"]) and right != wrong["last-step-only"]
    )


def _the_best_is_out_of_reach(tree: Tree) -> bool:
    """The most probable of all targets begins with a prefix that neither two nor three beams keep."""
    right = path(tree, 2)
    if not _ends(tree, right, 2) or right != path(tree, 3) or right == (best := path(tree, ALL)):
        return False
    wrong = wrong_paths(tree, 2)
    return right == path(tree, 2, apart=True) and best not in (wrong["first-finished"], wrong["last-step-only"])
