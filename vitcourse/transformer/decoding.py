"""Writing a target token by token: greedy and beam search over an encoder-decoder `Transformer`.

With a key/value cache each step computes the one new token; without it the whole target is computed anew. The tokens
are the same.

Shape legend: B batch, S source tokens, T written tokens, K beams, V entries of the vocabulary.

Sources: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 6.1 (4 beams, alpha 0.6); Wu et al., "Google's
Neural Machine Translation System" (2016), https://arxiv.org/abs/1609.08144, section 7, equation 14 (length penalty).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@torch.no_grad()
def greedy_decode(
    model: nn.Module,
    source: Tensor,
    start: int,
    end: int,
    max_length: int,
    use_cache: bool = True,
    return_logits: bool = False,
) -> Tensor | tuple[Tensor, Tensor]:
    """Takes the most probable token at each step, until every row has written ``end`` or ``max_length`` tokens.

    Args:
        model: a `Transformer` in evaluation mode.
        source: (B, S) ids, padded with the model's pad id, on the model's device.
        start: the id that every target begins with; it is not part of the result.
        end: the id that closes a target; it is part of the result.
        max_length: most tokens to write, ``end`` included; at most the model's own ``max_length``.
        use_cache: whether keys and values are kept from step to step.
        return_logits: also return the logits that each token was chosen from.

    Returns:
        Ids (B, T), T <= ``max_length``; padding after ``end``. With ``return_logits`` also logits (B, T, V), which mean
        nothing where the row had ended before.

    Raises:
        ValueError: ids or lengths that the model does not have, or a model in training mode.
    """
    _check(model, start, end, max_length)
    pad = model.config.pad_id
    memory_mask = model.padding_mask(source)
    memory = model.encode(source, memory_mask)
    cache = model.new_cache() if use_cache else None
    tokens, kept = source.new_full((len(source), 1), start), []
    ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)
    while tokens.shape[1] <= max_length and not ended.all():
        logits = _next_logits(model, tokens, memory, memory_mask, cache)  # (B, V)
        kept.append(logits)
        token = _without(logits, pad).argmax(dim=-1).masked_fill(ended, pad)
        tokens, ended = torch.cat([tokens, token[:, None]], dim=1), ended | (token == end)
    return (tokens[:, 1:], torch.stack(kept, dim=1)) if return_logits else tokens[:, 1:]


@torch.no_grad()
def beam_decode(
    model: nn.Module,
    source: Tensor,
    start: int,
    end: int,
    max_length: int,
    beams: int = 4,
    length_penalty: float = 0.6,
    use_cache: bool = True,
) -> tuple[Tensor, Tensor]:
    """Keeps the K most probable unfinished targets of each source and collects those that end among the best K.

    A target Y of n tokens (``end`` included) is scored log P(Y) / ((5 + n) / 6)^alpha, so alpha = 0 favours short ones.
    A source is done when it has K finished targets and no unfinished one can still score better than the worst of
    them, or at ``max_length``, where the unfinished ones compete as they are. One beam with
    alpha = 0 is `greedy_decode`.

    Args:
        beams: K.
        length_penalty: alpha. The others are those of `greedy_decode`.

    Returns:
        Ids (B, K, T), the best target first, padding after ``end``, and their scores (B, K). Where there were fewer
        than K targets, the last rows are padding with score -inf.

    Raises:
        ValueError: as `greedy_decode`, or fewer than one beam.
    """
    _check(model, start, end, max_length)
    if beams < 1:
        raise ValueError(f"beams must be at least 1, got {beams}")
    batch, pad = len(source), model.config.pad_id
    rows = torch.arange(batch, device=source.device)[:, None]  # picks within each source: tensor[rows, index]
    memory_mask = model.padding_mask(source)
    memory = model.encode(source, memory_mask).repeat_interleave(beams, dim=0)  # (B * K, S, D)
    memory_mask = memory_mask.repeat_interleave(beams, dim=0)
    cache = model.new_cache() if use_cache else None

    running = source.new_full((batch, beams, 1), start)
    scores = memory.new_full((batch, beams), -math.inf)  # log P of what is running; one beam is alive at first
    scores[:, 0] = 0
    finished, final = source.new_full((batch, beams, max_length), pad), torch.full_like(scores, -math.inf)
    done = torch.zeros(batch, 1, dtype=torch.bool, device=source.device)
    for length in range(1, max_length + 1):
        logits = _next_logits(model, running.flatten(0, 1), memory, memory_mask, cache)
        log_p = _without(logits.log_softmax(dim=-1), pad).unflatten(0, (batch, beams))  # (B, K, V)
        total = (scores[:, :, None] + log_p).flatten(1)
        # Each target can end in one way only, so of the best 2K candidates at least K go on.
        best, index = total.topk(min(2 * beams, total.shape[1]))
        parent, token = index // log_p.shape[-1], index % log_p.shape[-1]
        candidates = torch.cat([running[rows, parent], token[:, :, None]], dim=2)  # (B, 2K, 1 + length)

        ends = token == end
        closed = (ends | (length == max_length)) & ~done
        closed[:, beams:] = False
        value = best.masked_fill(~closed, -math.inf) / _penalty(length, length_penalty)
        written = F.pad(candidates[:, :, 1:], (0, max_length - length), value=pad)
        final, keep = torch.cat([final, value], dim=1).topk(beams)
        finished = torch.cat([finished, written], dim=1)[rows, keep]
        scores, keep = best.masked_fill(ends, -math.inf).topk(beams)
        running = candidates[rows, keep]
        # log P only falls, so this is the most that a running target can reach, at the length that suits it best.
        hope = scores[:, :1] / max(_penalty(length + 1, length_penalty), _penalty(max_length, length_penalty))
        done = done | (final[:, -1:] >= hope)
        if done.all():
            break
        if cache is not None:
            cache.reorder((rows * beams + parent[rows, keep]).flatten())
    finished = finished.masked_fill((final == -math.inf)[:, :, None], pad)
    return finished[:, :, : (finished != pad).any(dim=(0, 1)).sum()], final


def _penalty(length: int, alpha: float) -> float:
    """What log P of a target of ``length`` tokens is divided by (Wu et al., equation 14)."""
    return ((5 + length) / 6) ** alpha


def _next_logits(model: nn.Module, tokens: Tensor, memory: Tensor, memory_mask: Tensor, cache) -> Tensor:
    """Targets so far (B, T) to logits (B, V) of what follows; a cache has seen all but the last token."""
    new = tokens if cache is None else tokens[:, -1:]
    return model.decode(new, memory, memory_mask, cache)[:, -1]


def _without(scores: Tensor, pad: int) -> Tensor:
    """Scores (..., V) in which padding, which is no token, can never win."""
    return scores.index_fill(-1, torch.tensor([pad], device=scores.device), -math.inf)


def _check(model: nn.Module, start: int, end: int, max_length: int) -> None:
    c = model.config
    for name, token in (("start", start), ("end", end)):
        if not 0 <= token < c.target_vocab:
            raise ValueError(f"{name} must be in 0 to {c.target_vocab - 1}, got {token}")
    if end == c.pad_id:
        raise ValueError(f"end and padding must be two tokens, got end={end} and pad_id={c.pad_id}")
    if not 1 <= max_length <= c.max_length:
        raise ValueError(f"max_length must be in 1 to {c.max_length} (the model's positions), got {max_length}")
    if model.training:
        raise ValueError("decoding needs model.eval(): in training mode dropout would change every step")
