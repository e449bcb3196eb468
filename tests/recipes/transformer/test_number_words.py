"""The recorded run on numbers in words, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.helpers import randomise
from vitcourse import results
from vitcourse.data.sequences import END, PAD, START, TARGET_LENGTH, NumberPairs, number_pairs
from vitcourse.recipes.transformer import number_words as recipe
from vitcourse.transformer import Transformer, beam_decode, greedy_decode

SMALL = replace(recipe.MODEL, dim=16, num_heads=2)


@pytest.fixture
def model():
    return randomise(Transformer(SMALL)).eval()  # in float64


@pytest.fixture
def pairs():
    return NumberPairs([307_040, 9, 52_318, 100])


class Oracle(nn.Module):
    """Logits (B, T, V) as they are given, whatever it reads; keeps what that was."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self, source, target):
        self.read = target
        return self.logits


def knowing(target, sure=10.0):
    return Oracle(sure * F.one_hot(target, SMALL.target_vocab).float())


def test_the_decoder_reads_the_target_one_place_to_the_right(pairs):
    oracle = knowing(pairs.target)
    recipe.teacher_forced(oracle, pairs.source, pairs.target)
    assert (oracle.read[:, 0] == START).all()
    assert torch.equal(oracle.read[:, 1:], pairs.target[:, :-1])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_smoothed_and_leaves_padding_out(pairs, smoothing):
    torch.manual_seed(0)
    logits = torch.randn(4, TARGET_LENGTH, SMALL.target_vocab)
    batch = {"source": pairs.source, "target": pairs.target}
    found = recipe.loss_function(smoothing)(Oracle(logits), batch)["loss"]
    log_p = logits.log_softmax(dim=-1)
    right = log_p.gather(-1, pairs.target[..., None])[..., 0]
    each = -(1 - smoothing) * right - smoothing * log_p.mean(dim=-1)
    torch.testing.assert_close(found, each[pairs.target != PAD].mean())


@pytest.mark.parametrize(("beams", "use_cache"), [(1, True), (1, False), (4, True)])
def test_what_is_written_has_one_length(model, pairs, beams, use_cache):
    ids = recipe.written(model.train(), pairs, beams, use_cache)
    assert ids.shape == pairs.target.shape
    assert not model.training
    if beams == 1:
        greedy = greedy_decode(model, pairs.source, START, END, TARGET_LENGTH)
        assert torch.equal(ids[:, : greedy.shape[1]], greedy)
    else:
        found, scores = beam_decode(model, pairs.source, START, END, TARGET_LENGTH, beams, length_penalty=0.0)
        assert torch.equal(ids[:, : found.shape[2]], found[:, 0])
        torch.testing.assert_close(recipe.log_probability(model, pairs, ids), scores.amax(dim=1))


def test_a_number_is_right_to_the_last_digit(pairs, monkeypatch):
    ids = pairs.target.clone()
    assert recipe.correct(ids, pairs).all()
    ids[0, 5], ids[1, 1] = 7, PAD  # another last digit; no end
    assert recipe.correct(ids, pairs).tolist() == [False, False, True, True]
    monkeypatch.setattr(recipe, "written", lambda *args, **options: ids)
    assert recipe.exact_match(None, pairs) == 0.5


def test_the_probability_of_a_target(model, pairs):
    ids = pairs.target  # with padding behind the end
    found = recipe.log_probability(model, pairs, ids)
    for row, source, total in zip(ids, pairs.source, found, strict=True):
        read, expected = torch.tensor([[START]]), 0.0
        for token in row[row != PAD]:
            log_p = model(source[None], read)[0, -1].log_softmax(dim=-1)
            expected = expected + log_p[token]
            read = torch.cat([read, token.view(1, 1)], dim=1)
        torch.testing.assert_close(total, expected, atol=1e-9, rtol=0)


def test_searches_are_compared_number_by_number(pairs, monkeypatch):
    wrong = pairs.target.clone()
    wrong[:, 0] = 12  # no target begins with a 9 but the second, whose token this is
    greedy = torch.stack([pairs.target[0], wrong[0], wrong[2], pairs.target[3]])
    searched = torch.stack([*pairs.target[:3], wrong[3]])
    monkeypatch.setattr(recipe, "written", lambda model, pairs, beams=1: greedy if beams == 1 else searched)
    odds = {id(greedy): torch.tensor([-1.0, -2, -3, -4]), id(searched): torch.tensor([-1.0, -1, -2, -5])}
    monkeypatch.setattr(recipe, "log_probability", lambda model, pairs, ids: odds[id(ids)])
    assert recipe.compare_searches(None, pairs) == {
        "beam": 0.75,
        "beam mends": 0.5,
        "beam breaks": 0.25,
        "beam is more probable": 0.5,
        "beam is less probable": 0.25,
    }


def test_certainty_counts_tokens_that_are_no_padding(pairs):
    said = pairs.target.clone()
    said[1, 1] = 5  # of 7 + 2 + 6 + 4 tokens one is wrong
    said[1, 2:] = 5  # what stands at padding is no matter
    found = recipe.certainty(knowing(said, sure=100.0), pairs)
    assert found["tokens"] == pytest.approx(18 / 19)
    assert found["probability"] == pytest.approx(18 / 19)


def test_seeing_the_future_is_over_when_it_is_over(model, pairs):
    changed = pairs.target.clone()
    changed[:, 3:] = 5

    def first_outputs(target):
        return model(pairs.source, target)[:, :3]

    torch.testing.assert_close(first_outputs(pairs.target), first_outputs(changed))
    with recipe.seeing_the_future(model):
        assert (first_outputs(pairs.target) - first_outputs(changed)).abs().max() > 1e-3
    torch.testing.assert_close(first_outputs(pairs.target), first_outputs(changed))


def test_without_residuals_a_sub_layer_passes_on_what_it_finds(model, pairs):
    mask, before = model.padding_mask(pairs.source), model(pairs.source, pairs.target)
    memory = model.embed(pairs.source, model.source_embed)
    for layer in model.encoder.layers:
        memory = layer.attn(layer.norm1(memory), mask=mask)
        memory = layer.mlp(layer.norm2(memory))
    memory = model.encoder.norm(memory)
    x = model.embed(pairs.target, model.source_embed)
    for layer in model.decoder.layers:
        x = layer.self_attn(layer.norm1(x), is_causal=True)
        x = layer.cross_attn(layer.norm2(x), memory, mask=mask)
        x = layer.mlp(layer.norm3(x))
    expected = model.decoder.norm(x) @ model.source_embed.weight.T
    with recipe.without_residuals(model):
        torch.testing.assert_close(model(pairs.source, pairs.target), expected, atol=1e-10, rtol=0)
    assert torch.equal(model(pairs.source, pairs.target), before)


def test_the_unscaled_model_differs_by_the_factor_alone(pairs):
    plain, unscaled = Transformer(SMALL).eval(), recipe.UnscaledTransformer(SMALL).eval()
    unscaled.load_state_dict(plain.state_dict())
    positions = plain.positions[2:9]
    scaled = plain.embed(pairs.target, plain.source_embed, start=2) - positions
    bare = unscaled.embed(pairs.target, unscaled.source_embed, start=2) - positions
    torch.testing.assert_close(scaled, 4 * bare)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(recipe, "MODEL", replace(recipe.MODEL, dim=32, encoder_depth=1, decoder_depth=1))
    monkeypatch.setattr(recipe, "DEEP", replace(recipe.DEEP, dim=16, encoder_depth=1, decoder_depth=1))
    monkeypatch.setattr(recipe, "TRAINING", replace(recipe.TRAINING, epochs=2))
    return number_pairs(1000, 20)


def test_the_model_learns_and_at_rate_0_it_does_not(quick, monkeypatch):
    learned = recipe.train_part("whole", 0, quick)
    monkeypatch.setattr(recipe, "TRAINING", replace(recipe.TRAINING, lr=0.0))
    idle = recipe.train_part("whole", 0, quick)
    assert learned["tokens"] > 0.3 > 0.15 > idle["tokens"]
    assert learned["log"][-1]["loss"] < learned["log"][0]["loss"]
    assert set(learned["log"][-1]) > {"beam", "beam mends", "beam breaks"}


def test_a_part_that_is_gone_changes_the_run(quick):
    whole, *others = (recipe.train_part(part, 0, quick)["log"][0]["loss"] for part in recipe.PARTS)
    assert len({round(loss, 3) for loss in (whole, *others)}) == len(recipe.PARTS)


def test_the_norm_the_warm_up_and_the_rate_are_those_asked_for(quick):
    few, _ = number_pairs(320, 1)
    common = {"lr": 3e-3, "seed": 0, "train": few}
    runs = [
        recipe.train_norm(True, 0.0, **common),
        recipe.train_norm(False, 0.0, **common),
        recipe.train_norm(True, 0.5, **common),
        recipe.train_norm(True, 0.0, **common | {"lr": 0.0}),
    ]
    assert all(len(run["losses"]) == 1 for run in runs)  # ten steps of 32
    assert len({run["losses"][0] for run in runs}) == 4
    assert max(run["losses"][0] for run in runs) == runs[-1]["losses"][0]


def test_the_run_is_recorded(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    sizes = {"TRAIN": 64, "UNSEEN": 5, "SHORT_STEPS": 10, "RATES": (1e-3,), "PARTS": ("whole", "post-norm")}
    for name, value in {**sizes, "SEEDS": {"whole": (0, 1), "other": (0,)}}.items():
        monkeypatch.setattr(recipe, name, value)
    said = []
    content = json.loads(recipe.record(None, said.append).read_text())
    assert [(run["part"], run["seed"]) for run in content["parts"]] == [("whole", 0), ("whole", 1), ("post-norm", 0)]
    tried = [(run["pre_norm"], run["warmup"], run["seed"]) for run in content["norms"]["runs"]]
    assert tried == [(first, warmup, 0) for first in (True, False) for warmup in recipe.WARMUPS]
    assert len(said) == 3 + 4
    assert content["sizes"] == {"train": 64, "unseen": 5}
