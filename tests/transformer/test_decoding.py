import copy
import itertools
import math
from dataclasses import replace
from functools import lru_cache

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.helpers import randomise
from vitcourse.transformer import Transformer, TransformerConfig, beam_decode, greedy_decode

PAD, START, END = 0, 1, 2

pytestmark = pytest.mark.decodes
TINY = TransformerConfig(
    dim=24, num_heads=4, mlp_ratio=2, dropout=0.0, source_vocab=13, target_vocab=13, encoder_depth=2, decoder_depth=2,
    max_length=12,
)  # fmt: skip


def made(config=TINY, seed=0):
    """A copy of `half_trained`, for a test to do with as it likes."""
    return copy.deepcopy(half_trained(config, seed))


@lru_cache
def half_trained(config, seed, steps=100):
    """A model that has half learnt to copy: what it writes depends on the source, is of many lengths and never sure.

    One with random weights alone writes the same word for ever or ends at once, which shows nothing of a search.
    """
    model = Transformer(config)
    randomise(model, seed)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        source = torch.randint(3, config.source_vocab, (48, 7), generator=generator)
        lengths = torch.randint(1, 7, (48, 1), generator=generator)
        source = source.masked_fill(torch.arange(7) >= lengths, PAD)
        target = source.masked_fill(torch.arange(7) == lengths, END)
        noisy = torch.randint(2, config.target_vocab, target.shape, generator=generator)
        target = torch.where(torch.rand(target.shape, generator=generator) < 0.2, noisy, target)
        logits = model(source, F.pad(target[:, :-1], (1, 0), value=START))
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=PAD)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def batch(vocab=13, rows=6, seed=0):
    """Sources of 1 to 7 words, padded."""
    generator = torch.Generator().manual_seed(seed)
    source = torch.randint(3, vocab, (rows, 7), generator=generator)
    return source.masked_fill(torch.arange(7) >= 1 + torch.arange(rows)[:, None] % 7, PAD)


def words(row):
    """A written row up to its end token, which must be followed by padding alone."""
    row = row.tolist()
    length = row.index(END) + 1 if END in row else len(row)
    assert all(token == PAD for token in row[length:])
    assert PAD not in row[:length]
    return row[:length]


def log_p(model, source, target):
    """log P of a target (without start), from one pass over the whole of it."""
    logits = model(source[None], torch.tensor([[START, *target[:-1]]]))[0]
    return logits.log_softmax(-1)[torch.arange(len(target)), target].sum().item()


def score(model, source, target, alpha):
    return log_p(model, source, target) / ((5 + len(target)) / 6) ** alpha


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("share", [False, True])
def test_greedy_takes_the_most_probable_token(norm_first, share):
    """Against a loop over whole targets, one source at a time and without its padding."""
    model, source = made(replace(TINY, norm_first=norm_first, share_embeddings=share)), batch()
    written, lengths = greedy_decode(model, source, START, END, 9), set()
    for row, ids in zip(written, source, strict=True):
        target = [START]
        while len(target) <= 9 and target[-1] != END:
            logits = model(ids[None, ids != PAD], torch.tensor([target]))[0, -1]
            target.append(max((token for token in range(13) if token != PAD), key=lambda token: logits[token].item()))
        assert words(row) == target[1:]
        lengths.add(len(target) - 1)
    assert written.shape == (6, max(lengths))


def test_the_sources_of_these_tests_end_at_different_times():
    """Otherwise nothing here would show what happens to a row that has ended."""
    written = greedy_decode(made(), batch(), START, END, 9)
    lengths = [len(words(row)) for row in written]
    assert len(set(lengths)) >= 3, lengths
    assert len({tuple(words(row)) for row in written}) == 6


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_cache_changes_nothing_in_greedy_search(norm_first):
    model, source = made(replace(TINY, norm_first=norm_first)), batch()
    cached, fast = greedy_decode(model, source, START, END, 12, return_logits=True)
    plain, slow = greedy_decode(model, source, START, END, 12, use_cache=False, return_logits=True)
    assert torch.equal(cached, plain)
    torch.testing.assert_close(fast, slow, atol=1e-10, rtol=0)
    logits = model(source, torch.cat([torch.full((6, 1), START), cached[:, :-1]], dim=1))
    torch.testing.assert_close(fast, logits, atol=1e-10, rtol=0)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("norm_first", [False, True])
def test_a_cache_changes_nothing_in_beam_search(norm_first, alpha):
    model, source = made(replace(TINY, norm_first=norm_first)), batch()
    cached, fast = beam_decode(model, source, START, END, 12, 5, alpha)
    plain, slow = beam_decode(model, source, START, END, 12, 5, alpha, use_cache=False)
    assert torch.equal(cached, plain)
    torch.testing.assert_close(fast, slow, atol=1e-10, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_one_beam_without_a_penalty_is_greedy(seed):
    model, source = made(seed=seed), batch(seed=seed)
    written, scores = beam_decode(model, source, START, END, 10, 1, 0.0)
    assert torch.equal(written[:, 0], greedy_decode(model, source, START, END, 10))
    assert written.shape[:2] == (6, 1)
    for ids, row, value in zip(source, written[:, 0], scores[:, 0], strict=True):
        assert value.item() == pytest.approx(score(model, ids, words(row), 0.0), abs=1e-10)


@pytest.mark.parametrize("beams", [1, 2, 4])
def test_a_search_does_not_stop_at_the_first_ends(beams):
    """A model sure of "5 6 end" that gives "end" and "5 end" enough to fill the beams first."""
    model = Scripted({(): {END: 0.3, 5: 0.7}, (5,): {END: 0.2, 6: 0.8}, (5, 6): {END: 1.0}})
    written, scores = beam_decode(model.eval(), torch.tensor([[3]]), START, END, 4, beams, 0.0)
    assert words(written[0, 0]) == [5, 6, END]
    assert scores[0, 0].item() == pytest.approx(math.log(0.56), abs=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_scores_are_those_of_the_written_targets(alpha):
    model, source = made(), batch()
    written, scores = beam_decode(model, source, START, END, 9, 4, alpha)
    for ids, rows, values in zip(source, written, scores, strict=True):
        targets = [words(row) for row in rows]
        assert len({tuple(target) for target in targets}) == 4
        assert values.tolist() == sorted(values.tolist(), reverse=True)
        assert values.tolist() == pytest.approx([score(model, ids, target, alpha) for target in targets], abs=1e-10)


class Scripted(nn.Module):
    """A model whose next words are given for each target so far; any other target ends."""

    config = TINY

    def __init__(self, script):
        super().__init__()
        self.script = {key: [row.get(i, 0.0) for i in range(13)] for key, row in script.items()}

    def padding_mask(self, source):
        return source[:, None, None] != PAD

    def encode(self, source, memory_mask):
        return torch.zeros(*source.shape, 1)

    def new_cache(self):
        return None

    def decode(self, tokens, memory, memory_mask, cache):
        ending = [float(i == END) for i in range(13)]
        return torch.tensor([[self.script.get(tuple(row[1:]), ending)] for row in tokens.tolist()]).log()


def every_target(vocab, length):
    """All targets of at most ``length`` tokens: those that end, and those cut at the full length."""
    inner = [token for token in range(vocab) if token not in (PAD, END)]
    for n in range(length):
        for start in itertools.product(inner, repeat=n):
            yield [*start, END]
    yield from (list(target) for target in itertools.product(inner, repeat=length))


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_enough_beams_are_an_exhaustive_search(seed, alpha):
    """Three words and four steps: 27 + 9 + ... targets, fewer than the beams, so every one of them is found."""
    model = made(replace(TINY, source_vocab=6, target_vocab=6), seed)
    source, targets = batch(6, rows=3, seed=seed), list(every_target(6, 3))
    assert len(targets) == 1 + 4 + 16 + 64
    written, scores = beam_decode(model, source, START, END, 3, 100, alpha)
    for ids, rows, values in zip(source, written, scores, strict=True):
        expected = sorted(((score(model, ids, target, alpha), target) for target in targets), reverse=True)
        assert values[:85].tolist() == pytest.approx([value for value, _ in expected], abs=1e-10)
        assert [words(row) for row in rows[:85]] == [target for _, target in expected]
        assert (values[85:] == -math.inf).all()
        assert (rows[85:] == PAD).all()


def plain_beam_search(model, source, length, beams, alpha):
    """The same search for one source with lists, as its description says."""
    running, done = [(0.0, [])], []
    for n in range(1, length + 1):
        options = []
        for total, target in running:
            logits = model(source[None], torch.tensor([[START, *target]]))[0, -1].log_softmax(-1).tolist()
            options += [(total + logits[token], [*target, token]) for token in range(len(logits)) if token != PAD]
        options.sort(reverse=True)
        for total, target in options[:beams]:
            if target[-1] == END or n == length:
                done.append((total / ((5 + n) / 6) ** alpha, target))
        running = [option for option in options if option[1][-1] != END][:beams]
        done = sorted(done, reverse=True)[:beams]
        hopes = [running[0][0] / ((5 + later) / 6) ** alpha for later in range(n + 1, length + 1)]
        if len(done) == beams and all(done[-1][0] >= hope for hope in hopes):
            break
    return done


@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("beams", [1, 2, 3, 5])
def test_few_beams_equal_a_search_with_lists(beams, alpha):
    ended_early = 0
    for seed in range(3):
        model, source = made(seed=seed), batch(seed=seed)
        written, scores = beam_decode(model, source, START, END, 8, beams, alpha)
        for ids, rows, values in zip(source, written, scores, strict=True):
            expected = plain_beam_search(model, ids, 8, beams, alpha)
            assert [words(row) for row in rows] == [target for _, target in expected]
            assert values.tolist() == pytest.approx([value for value, _ in expected], abs=1e-10)
            ended_early += any(len(target) < 8 for _, target in expected)
    assert ended_early >= 6


def test_more_beams_find_what_greedy_search_misses():
    gains = []
    for seed in range(4):
        model, source = made(seed=seed), batch(seed=seed)
        greedy = beam_decode(model, source, START, END, 8, 1, 0.0)[1][:, 0]
        gains += (beam_decode(model, source, START, END, 8, 8, 0.0)[1][:, 0] - greedy).tolist()
    assert max(gains) > 0.1


def test_a_batch_is_its_rows():
    """Padding, the other rows and their ends do not reach a row."""
    model, source = made(), batch()
    together, scores = beam_decode(model, source, START, END, 9, 3)
    for i, ids in enumerate(source):
        alone, values = beam_decode(model, ids[None, ids != PAD], START, END, 9, 3)
        assert [words(row) for row in alone[0]] == [words(row) for row in together[i]]
        torch.testing.assert_close(values[0], scores[i], atol=1e-10, rtol=0)


def test_a_longer_penalty_writes_longer():
    model, source = made(seed=1), batch()
    lengths = [(beam_decode(model, source, START, END, 9, 50, alpha)[0][:, 0] != PAD).sum() for alpha in (0, 1, 4)]
    assert lengths[0] < lengths[2]
    assert lengths[0] <= lengths[1] <= lengths[2]


def test_padding_is_never_written_even_where_it_is_most_probable():
    model = made(replace(TINY, share_embeddings=False))
    with torch.no_grad():  # logits of 0 for all words, and this for padding
        model.output.weight.zero_()
        model.decoder.layers[-1].norm3.weight.zero_()
        model.decoder.layers[-1].norm3.bias.fill_(1.0)
        model.output.weight[PAD] = 1.0
        model.output.weight[5] = 0.5
    assert greedy_decode(model, batch(), START, END, 3).tolist() == [[5, 5, 5]] * 6
    written, scores = beam_decode(model, batch(), START, END, 3, 2, 0.0)
    assert written[:, 0].tolist() == [[5, 5, 5]] * 6
    assert (scores > -math.inf).all()


def test_only_the_new_token_is_computed():
    """The cache's point: with it the decoder sees 1 token a step, and the memory's keys are computed once."""
    model, source, lengths = made(), batch(), []
    attn = model.decoder.layers[0].self_attn
    attn.register_forward_pre_hook(lambda module, inputs: lengths.append(inputs[0].shape[1]))
    for use_cache in (True, False):
        greedy_decode(model, source, START, END, 4, use_cache)
        beam_decode(model, source, START, END, 3, 2, use_cache=use_cache)
    assert lengths == [1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 1, 2, 3]


def test_decoding_keeps_no_graph():
    _, logits = greedy_decode(made(), batch(), START, END, 4, return_logits=True)
    assert not logits.requires_grad
    assert not beam_decode(made(), batch(), START, END, 4)[1].requires_grad


def test_under_bf16_autocast(device):
    model, source = made().to(device, torch.float32), batch().to(device)
    with torch.autocast(device.type, torch.bfloat16):
        assert greedy_decode(model, source, START, END, 6).shape[0] == 6
        assert beam_decode(model, source, START, END, 6)[1].isfinite().all()


@pytest.mark.gpu
def test_on_a_gpu(device):
    model, source = made(), batch()
    written, scores = beam_decode(model, source, START, END, 9)
    on_gpu, values = beam_decode(model.to(device), source.to(device), START, END, 9)
    assert torch.equal(on_gpu.cpu(), written)
    torch.testing.assert_close(values.cpu(), scores, atol=1e-10, rtol=0)


@pytest.mark.parametrize("decode", [greedy_decode, beam_decode])
@pytest.mark.parametrize(
    ("start", "end", "length", "words"),
    [
        (13, END, 4, "start must be in 0 to 12, got 13"),
        (START, -1, 4, "end must be in 0 to 12, got -1"),
        (START, PAD, 4, "end=0 and pad_id=0"),
        (START, END, 13, r"max_length must be in 1 to 12 .*, got 13"),
        (START, END, 0, r"max_length must be in 1 to 12 .*, got 0"),
    ],
)
def test_bad_input_is_named(decode, start, end, length, words):
    with pytest.raises(ValueError, match=words):
        decode(made(), batch(), start, end, length)


@pytest.mark.parametrize("decode", [greedy_decode, beam_decode])
def test_training_mode_is_refused(decode):
    with pytest.raises(ValueError, match="eval"):
        decode(made().train(), batch(), START, END, 4)


def test_no_beams_are_refused():
    with pytest.raises(ValueError, match="beams must be at least 1, got 0"):
        beam_decode(made(), batch(), START, END, 4, beams=0)
