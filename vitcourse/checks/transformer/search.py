"""Beam search over a table of log-probabilities, right and wrong, and the tables that tell these apart."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from torch import Tensor

from vitcourse.checks.engine.probe import Probe

TRIES = 40_000  # of which the rarest kind takes 500 on the average
ALL = 150  # beams that miss nothing in tables as small as these


class Tree(NamedTuple):
    """log_p (V, V): entry [i, j] is the log-probability that token j follows token i."""

    log_p: Tensor
    start: int
    end: int
    max_length: int


def steps(tree: Tree, ids: list[int]) -> list[float]:
    """The log-probability of each id after the one before it, the first after the start token."""
    table = tree.log_p.tolist()
    return [table[i][j] for i, j in zip([tree.start, *ids], ids, strict=False)]


def search(
    tree: Tree,
    beams: int,
    rank: Callable[[list[float]], float] = sum,
    stop: Callable[[Iterable[bool]], bool] = all,
    freeze: bool = True,
    each: bool = False,
) -> list[list[int]]:
    """The prefixes in the beam at the end, the best first; each option stands for a way to get it wrong.

    Args:
        rank: of the log-probabilities of a prefix.
        stop: of whether each prefix in the beam has ended.
        freeze: what has ended is not extended.
        each: the best continuations of each prefix are kept, and not of all together.
    """
    table, kept = tree.log_p.tolist(), [([], [])]
    for _ in range(tree.max_length):
        longer = []
        for ids, past in kept:
            row = table[ids[-1] if ids else tree.start]
            more = [([*ids, token], [*past, step]) for token, step in enumerate(row)]
            more = [(ids, past)] if freeze and ids[-1:] == [tree.end] else more
            longer += _best(more, rank, beams) if each else more
        kept = _best(longer, rank, len(longer) if each else beams)
        if stop(ids[-1] == tree.end for ids, _ in kept):
            break
    return [ids for ids, _ in kept]


def _best(prefixes: list, rank: Callable, count: int) -> list:
    return sorted(prefixes, key=lambda one: rank(one[1]), reverse=True)[:count]


def path(tree: Tree, beams: int) -> list[int]:
    """The ids that beam search finds."""
    return search(tree, beams)[0]


def set_apart(tree: Tree, beams: int) -> list[int]:
    """The same where what has ended is put aside, as in the task and in `vitcourse.transformer.beam_decode`."""
    running, ended = [[]], []
    for _ in range(tree.max_length):
        longer = [[*ids, token] for ids in running for token in range(len(tree.log_p))]
        longer.sort(key=lambda ids: sum(steps(tree, ids)), reverse=True)
        ended += [ids for ids in longer[:beams] if ids[-1] == tree.end]
        running = [ids for ids in longer if ids[-1] != tree.end][:beams]
        best = max(ended or running, key=lambda ids: sum(steps(tree, ids)))
        if ended and sum(steps(tree, best)) >= sum(steps(tree, running[0])):
            break
    return best


def _first_finished(tree: Tree, beams: int) -> list[int]:
    kept = search(tree, beams, stop=any)
    return next((ids for ids in kept if ids[-1] == tree.end), kept[0])


# The ids that each mistake finds, in reading order.
WRONG: dict[str, Callable[[Tree, int], list[int]]] = {
    "greedy": lambda tree, _: path(tree, 1),
    "last-step-only": lambda tree, beams: search(tree, beams, rank=lambda past: past[-1])[0],
    "first-finished": _first_finished,
    "length-normalised": lambda tree, beams: search(tree, beams, rank=lambda past: sum(past) / len(past))[0],
    "does-not-stop": lambda tree, beams: search(tree, beams, freeze=False)[0],
    "does-not-stop/best": lambda tree, beams: search(tree, beams, freeze=False, stop=lambda ended: next(iter(ended)))[
        0
    ],
    "keeps-too-many/each": lambda tree, beams: search(tree, beams, each=True)[0],
    "keeps-too-many": lambda tree, _: path(tree, ALL),
}


def shows(tree: Tree, name: str) -> bool:
    """Whether two beams find another target than this mistake, and no two mistakes are mixed up.

    The target is the same where what has ended is set apart, with a beam more, and with another limit.
    """
    right, found = path(tree, 2), {}
    if right[-1] != tree.end or path(tree, 3) != right or WRONG[name](tree, 2) == right:  # most tables fail here
        return False
    if set_apart(tree, 2) != right or not in_time(tree, right, 2) or not in_time(tree, path(tree, 1), 1):
        return False
    for other, mistake in WRONG.items():
        base, ids = other.partition("/")[0], tuple(mistake(tree, 2))
        if list(ids) != right and found.setdefault(ids, base) != base:
            return False
    return True


def in_time(tree: Tree, ids: list[int], beams: int) -> bool:
    """Whether the limit is no matter: ids end before it, and are found with a limit a little lower or higher too."""
    limits = (tree.max_length - 1, tree.max_length + 4)
    return ids[-1] == tree.end and all(path(tree._replace(max_length=limit), beams) == ids for limit in limits)


def any_tree(probe: Probe, fits: Callable[[Tree], bool]) -> Tree:
    """A table drawn from the seed that ``fits``.

    Raises:
        RuntimeError: none was found; a fault of the check, not of the learner.
    """
    for _ in range(TRIES):
        entries = probe.integer(5, 6)
        start, end = (1 + probe.uniform(entries - 1).argsort()[:2]).tolist()  # neither is row 0
        tree = Tree(1.5 * probe.normal(entries, entries), start, end, 6)
        tree.log_p[:, start] = -20.0  # nothing leads back to the start
        tree.log_p[start, end] = -20.0  # and an empty target is all but impossible
        tree = tree._replace(log_p=tree.log_p.log_softmax(dim=-1))
        if fits(tree):
            return tree
    raise RuntimeError(f"no table of {TRIES} tells the answers apart")
