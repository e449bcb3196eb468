"""The recorded run on the number of heads, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest
import torch
from torch import nn

from tests.helpers import randomise
from vitcourse import results
from vitcourse.data.digit_rows import LENGTH, DigitRows, answers
from vitcourse.recipes.multi_head import heads


@pytest.fixture
def batch():
    return DigitRows("test", 40, seed=1).batch()


def small_reader(num_heads=4):
    return randomise(heads.RowReader(num_heads)).float().eval()


class Knows(nn.Module):
    """Gives the right answers, and a wrong one to the questions of ``wrong`` (0 left, 1 marked)."""

    def __init__(self, batch, wrong=()):
        super().__init__()
        right = answers(batch["labels"], batch["mark"]).clamp(min=0)
        for question in wrong:
            right[..., question] = (right[..., question] + 1) % 10
        self.logits = nn.functional.one_hot(right, 10).float()

    def forward(self, images, mark):
        return self.logits


def test_shares_count_the_places_that_have_a_left_neighbour(batch):
    assert heads.right_share(Knows(batch), batch) == {"left": 1, "marked": 1, "both": 1}
    assert heads.right_share(Knows(batch, wrong=[0]), batch) == {"left": 0, "marked": 1, "both": 0}
    knows = Knows(batch, wrong=[1])
    knows.logits[:, 1:3] = Knows(batch).logits[:, 1:3]
    assert heads.right_share(knows, batch) == pytest.approx({"left": 1, "marked": 2 / 7, "both": 2 / 7})
    knows.logits[:, 0] = Knows(batch).logits[:, 0]  # the first place does not count
    assert heads.right_share(knows, batch)["both"] == pytest.approx(2 / 7)


def test_weights_of_heads_that_look_at_one_place(batch, monkeypatch):
    rows = len(batch["mark"])
    weights = torch.zeros(rows, 3, LENGTH, LENGTH)
    place = torch.arange(LENGTH)
    weights[:, 0, place, (place - 1) % LENGTH] = 1
    weights[torch.arange(rows), 1, :, batch["mark"]] = 1
    weights[:, 2] = 1 / LENGTH
    monkeypatch.setattr(heads, "intermediates", lambda *_: (None, {"attn.weights": weights}))
    found = heads.head_weights(None, batch)
    assert found["left"][0] == found["marked"][1] == 1
    assert found["left"][2] == found["marked"][2] == pytest.approx(1 / LENGTH)
    assert found["marked"][0] == pytest.approx((batch["mark"] < LENGTH - 1).float().mean().item() / (LENGTH - 1))


def test_a_head_taken_away_passes_nothing_on_and_comes_back(batch):
    model = small_reader()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    seen = []

    def silence(head):
        """The merged heads without one, straight before ``proj``."""

        def hook(_module, inputs):
            merged = inputs[0].clone()
            merged[..., head * 8 : (head + 1) * 8] = 0
            seen.append(head)
            return (merged,)

        return hook

    for head in range(4):
        handle = model.attn.proj.register_forward_pre_hook(silence(head))
        expected = heads.right_share(model, batch)
        handle.remove()
        assert heads.without_head(model, head, batch) == expected
    assert seen == [0, 1, 2, 3]
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_nothing_but_the_attention_tells_one_place_of_another(batch):
    model = small_reader()
    nn.init.zeros_(model.attn.proj.weight)
    logits = model(batch["images"], batch["mark"])
    torch.testing.assert_close(logits, logits[:1, :1].expand_as(logits))


def test_two_heads_learn_both_questions_and_nothing_is_learned_at_rate_0(batch):
    rows, steps = DigitRows("train", 6400), []
    quick = replace(heads.TRAINING, epochs=2, seed=3)
    model = heads.train_reader(2, rows, quick, on_step=lambda model, step: steps.append(step))
    assert steps == list(range(101))
    assert heads.right_share(model, batch)["both"] > 0.5
    idle = heads.train_reader(2, rows, replace(quick, lr=0.0))
    assert heads.right_share(idle, batch)["both"] < 0.1


def test_the_run_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    for name, value in {"HEADS": (1, 2), "SEEDS": (0, 1), "TRAIN_ROWS": 256, "TEST_ROWS": 20}.items():
        monkeypatch.setattr(heads, name, value)
    said = []
    content = json.loads(heads.record(None, said.append).read_text())
    assert [(row["heads"], row["seed"]) for row in content["rows"]] == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert len(said) == 4
    for row in content["rows"]:
        assert len(row["without_head"]) == len(row["weights"]["left"]) == row["heads"]
    assert content["rows"][0]["weights"] != content["rows"][1]["weights"]
