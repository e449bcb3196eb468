"""Beam search over a table of log-probabilities, right and wrong, and the tables that tell these apart."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from vitcourse.checks.engine.probe import Probe

TRIES = 4000
ALL = 150  # beams that miss nothing in tables as small as these


class Tree(NamedTuple):
    """log_p (V, V): entry [i, j] is the log-probability that token j follows token i."""

    log_p: Tensor
    start: int
    end: int
    max_length: int


def score(tree: Tree, ids: list[int]) -> float:
    """The log-probability of ids after the start token."""
    return _total(tree.log_p.tolist(), tree.start, ids)


def _total(table: list[list[float]], start: int, ids: list[int]) -> float:
    return sum(table[i][j] for i, j in zip([start, *ids], ids, strict=False))


def search(tree: Tree, beams: int, apart: bool = False) -> tuple[list[int], float]:
    """The ids that beam search finds, and their log-probability.

    Args:
        apart: what has ended leaves the beam, and its place is free, as in `vitcourse.transformer.beam_decode`; else it
            stays and competes. Both go on until nothing that runs can still win.
    """
    table = tree.log_p.double().tolist()
    running, ended = [([], 0.0)], []
    for _ in range(tree.max_length):
        longer = [
            ([*ids, token], total + table[ids[-1] if ids else tree.start][token])
            for ids, total in running
            for token in range(len(table))
        ]
        if apart:
            longer.sort(key=lambda one: -one[1])
            ended += [one for one in longer[:beams] if one[0][-1] == tree.end]
            running = [one for one in longer if one[0][-1] != tree.end][:beams]
            if ended and max(total for _, total in ended) >= running[0][1]:
                break
            continue
        kept = sorted(longer + ended, key=lambda one: -one[1])[:beams]
        ended = [one for one in kept if one[0][-1] == tree.end]
        running = [one for one in kept if one[0][-1] != tree.end]
        if not running:
            break
    # The task: the best of the beam; with the limit reached, ended or not.
    return max(ended + running, key=lambda one: one[1]) if not apart else max(ended or running, key=lambda one: one[1])


def path(tree: Tree, beams: int, apart: bool = False) -> list[int]:
    return search(tree, beams, apart)[0]


def wrong_paths(tree: Tree, beams: int) -> dict[str, list[int]]:
    """The ids that each known mistake finds."""
    return {
        "greedy": path(tree, 1),
        "last-step-only": _by_last_step(tree, beams),
        "first-finished": first_finished(tree, beams),
        "keeps-too-many": path(tree, ALL),
    }


def _steps(tree: Tree, beams: int, rank: Callable[[list[int]], float], stop: Callable[[list], bool]) -> list[list[int]]:
    kept: list[list[int]] = [[]]
    for _ in range(tree.max_length):
        longer = []
        for ids in kept:
            done = ids[-1:] == [tree.end]
            longer += [ids] if done else [[*ids, token] for token in range(len(tree.log_p))]
        kept = sorted(longer, key=rank, reverse=True)[:beams]
        if stop(kept):
            break
    return kept


def _by_last_step(tree: Tree, beams: int) -> list[int]:
    table = tree.log_p.tolist()

    def last(ids: list[int]) -> float:
        return table[ids[-2] if len(ids) > 1 else tree.start][ids[-1]]

    return _steps(tree, beams, last, lambda kept: all(ids[-1] == tree.end for ids in kept))[0]


def first_finished(tree: Tree, beams: int) -> list[int]:
    table = tree.log_p.tolist()
    kept = _steps(
        tree,
        beams,
        lambda ids: _total(table, tree.start, ids),
        lambda kept: any(ids[-1] == tree.end for ids in kept),
    )
    ended = [ids for ids in kept if ids[-1] == tree.end]
    return ended[0] if ended else kept[0]


def any_tree(probe: Probe, fits: Callable[[Tree], bool]) -> Tree:
    """A table drawn from the seed that ``fits``.

    Raises:
        RuntimeError: none was found; a fault of the check, not of the learner.
    """
    for _ in range(TRIES):
        entries = probe.integer(5, 6)
        order = probe.uniform(entries).argsort().tolist()
        tree = Tree(1.5 * probe.normal(entries, entries), order[0], order[1], 6)
        logits = tree.log_p
        logits[:, tree.start] = -20.0  # nothing leads back to the start
        logits[tree.start, tree.end] = -20.0  # and an empty target is all but impossible
        tree = tree._replace(log_p=logits.log_softmax(dim=-1))
        if fits(tree):
            return tree
    raise RuntimeError(f"no table of {TRIES} tells the answers apart")
