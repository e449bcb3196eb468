"""Answers to ``transformer.beam``: (ids, log-probability)."""

import heapq
import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("transformer.beam")


def variant(
    gain=lambda total, step: total + step,
    widths=lambda beams: beams,
    stop=lambda kept, end: all(ids[-1] == end for ids, _ in kept),
    result=lambda ids, total, case: (ids, total),
    freeze=True,
    limit=lambda max_length: max_length,
):
    """A beam search of which one step can be replaced; as it stands, it is right."""

    def search(log_p, start, end, beams, max_length):
        table, kept = log_p.tolist(), [([], 0.0)]
        for _ in range(limit(max_length)):
            candidates = []
            for ids, total in kept:
                if freeze and ids and ids[-1] == end:
                    candidates.append((ids, total))
                    continue
                row = table[ids[-1] if ids else start]
                candidates += [([*ids, token], gain(total, step)) for token, step in enumerate(row)]
            kept = sorted(candidates, key=lambda one: one[1], reverse=True)[: widths(beams)]
            if stop(kept, end):
                break
        return result(*kept[0], (log_p, start, end, beams, max_length))

    return search


def walked(ids, start, log_p):
    """The log-probability of ids, token by token."""
    return [log_p[a, b].item() for a, b in zip([start, *ids], ids, strict=False)]


BANK.right(variant())
BANK.right(variant(stop=lambda kept, end: kept[0][0][-1] == end))  # nothing that goes on can overtake the best


@BANK.right
def with_tensors(log_p, start, end, beams, max_length):
    entries = len(log_p)
    ids, totals = torch.full((1, 1), start), torch.zeros(1, dtype=torch.float64)
    for _ in range(max_length):
        ended = (ids[:, -1] == end) & (ids.shape[1] > 1)
        steps = log_p.double()[ids[:, -1]].masked_fill(ended[:, None], -math.inf)
        steps[ended, end] = 0.0  # an ended prefix writes the end token again, for nothing
        best, index = (totals[:, None] + steps).flatten().topk(min(beams, len(ids) * entries))
        ids = torch.cat([ids[index // entries], (index % entries)[:, None]], dim=1)
        totals = best
        if (ids[:, -1] == end).all():
            break
    written = ids[0, 1:].tolist()
    return written[: written.index(end) + 1] if end in written else written, totals[0].item()


@BANK.right
def ended_set_apart(log_p, start, end, beams, max_length):
    running, ended = [(0.0, [start])], []
    for _ in range(max_length):
        longer = [(total + log_p[ids[-1], j].item(), [*ids, j]) for total, ids in running for j in range(len(log_p))]
        best = heapq.nlargest(beams, longer + ended)
        ended = [one for one in best if one[1][-1] == end]
        running = [one for one in best if one[1][-1] != end]
        if not running:
            break
    total, ids = max(ended + running)
    return tuple(ids[1:]), total


@BANK.right
def ended_leaves_its_place(log_p, start, end, beams, max_length):
    """As `vitcourse.transformer.beam_decode`: what ends among the best is put aside, and as many as before run on."""
    running, aside = [(0.0, [start])], []
    for _ in range(max_length):
        longer = [(total + log_p[ids[-1], j].item(), [*ids, j]) for total, ids in running for j in range(len(log_p))]
        longer.sort(reverse=True)
        aside += [one for one in longer[:beams] if one[1][-1] == end]
        running = [one for one in longer if one[1][-1] != end][:beams]
        if aside and max(aside) >= running[0]:
            break
    total, ids = max(aside or running)
    return ids[1:], total


BANK.wrong("start-in-result")(variant(result=lambda ids, total, case: ([case[1], *ids], total)))
BANK.wrong("no-end-in-result")(
    variant(result=lambda ids, total, case: ([token for token in ids if token != case[2]], total))
)
BANK.wrong("does-not-stop")(variant(result=lambda ids, total, case: ([*ids, case[2]], total)))
BANK.wrong("end-not-counted")(variant(result=lambda ids, total, case: (ids, sum(walked(ids, case[1], case[0])[:-1]))))
BANK.wrong("probability-not-log")(variant(result=lambda ids, total, case: (ids, math.exp(total))))
BANK.wrong("length-normalised")(variant(result=lambda ids, total, case: (ids, total / len(ids))))
BANK.wrong("greedy")(variant(widths=lambda beams: 1))
BANK.wrong("last-step-only")(
    variant(gain=lambda total, step: step, result=lambda ids, total, case: (ids, sum(walked(ids, case[1], case[0]))))
)
BANK.wrong("keeps-too-many")(variant(widths=lambda beams: 1000))
BANK.wrong("keeps-too-many")(variant(widths=lambda beams: 60 * beams))
BANK.wrong("fixed-width")(variant(widths=lambda beams: 2))
BANK.wrong("fixed-width")(variant(widths=lambda beams: max(beams, 2)))
BANK.wrong("no-limit")(variant(limit=lambda max_length: 10))
BANK.wrong("no-limit")(variant(limit=lambda max_length: max_length - 1))
BANK.wrong("wrong-type")(variant(result=lambda ids, total, case: ids))
BANK.wrong("wrong-type")(variant(result=lambda ids, total, case: (ids, torch.tensor(total))))
BANK.wrong("wrong-type")(variant(result=lambda ids, total, case: (torch.tensor(ids), total)))
BANK.wrong("wrong-values")(variant(result=lambda ids, total, case: (ids, total - 1)))


@BANK.wrong("first-finished")
def stops_at_the_first_end(log_p, start, end, beams, max_length):
    kept = [([], 0.0)]
    for _ in range(max_length):
        longer = [
            ([*ids, token], total + step)
            for ids, total in kept
            for token, step in enumerate(log_p[ids[-1] if ids else start].tolist())
        ]
        kept = sorted(longer, key=lambda one: -one[1])[:beams]
        for ids, total in kept:
            if ids[-1] == end:
                return ids, total
    return kept[0]


@BANK.wrong("score-of-another")
def forgets_the_prefix(log_p, start, end, beams, max_length):
    """The score follows the right prefix; the tokens are always those of the first."""
    ids, total = variant()(log_p, start, end, beams, max_length)
    greedy, _ = variant(widths=lambda beams: 1)(log_p, start, end, beams, max_length)
    return (greedy[:-1] + ids[-1:], total) if beams > 1 and greedy != ids else (ids, total)


@BANK.wrong("no-limit")
def waits_for_the_end(log_p, start, end, beams, max_length):
    if log_p[:, end].max() < -50:
        raise RuntimeError("no prefix ended")
    return variant()(log_p, start, end, beams, max_length)


def ranked(by):
    """A search whose prefixes are ranked by ``by(log-probabilities)``; it returns their sum."""

    def search(log_p, start, end, beams, max_length):
        kept = [[]]
        for _ in range(max_length):
            longer = [
                one for ids in kept for one in ([ids] if ids[-1:] == [end] else [[*ids, j] for j in range(len(log_p))])
            ]
            kept = sorted(longer, key=lambda ids: by(walked(ids, start, log_p)), reverse=True)[:beams]
            if all(ids[-1] == end for ids in kept):
                break
        return kept[0], sum(walked(kept[0], start, log_p))

    return search


def on_another_table(change):
    """A right search on ``change(log_p, start)``, which gives a table and a start."""
    return lambda log_p, start, *rest: variant()(*change(log_p, start), *rest)


@BANK.wrong("keeps-too-many")
def cuts_each_prefix_by_itself(log_p, start, end, beams, max_length):
    kept = [([], 0.0)]
    for _ in range(max_length):
        longer = []
        for ids, total in kept:
            steps, tokens = log_p[ids[-1] if ids else start].topk(min(beams, len(log_p)))
            more = [([*ids, j], total + s) for j, s in zip(tokens.tolist(), steps.tolist(), strict=True)]
            longer += [(ids, total)] if ids[-1:] == [end] else more
        kept = sorted(longer, key=lambda one: -one[1])
        if all(ids[-1] == end for ids, _ in kept):
            break
    return kept[0]


BANK.right(ranked(sum))
BANK.wrong("length-normalised")(ranked(lambda past: sum(past) / len(past)))
BANK.wrong("last-step-only")(variant(gain=lambda total, step: step))
BANK.wrong("does-not-stop")(variant(freeze=False))
BANK.wrong("does-not-stop")(variant(freeze=False, stop=lambda kept, end: kept[0][0][-1] == end))
BANK.wrong("wrong-sign")(variant(result=lambda ids, total, case: (ids, -total)))
BANK.wrong("logs-multiplied")(variant(result=lambda ids, total, case: (ids, math.prod(walked(ids, case[1], case[0])))))
BANK.wrong("column-for-row")(on_another_table(lambda log_p, start: (log_p.T, start)))
BANK.wrong("start-not-read")(on_another_table(lambda log_p, start: (log_p, 0)))
