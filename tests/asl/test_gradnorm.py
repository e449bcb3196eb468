"""GradNorm: pulls by hand, what moves what, and the balance that it finds."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vitcourse.asl import ClassificationBBoxTransformer, SignLoss, SignRun
from vitcourse.asl.gradnorm import GradNorm, last_shared
from vitcourse.training import TrainingConfig, fit
from vitcourse.vit import VisionTransformer, ViTConfig

SMALL = ViTConfig(image_size=16, patch_size=8, num_classes=0, dim=12, depth=1, num_heads=2)


def test_by_hand():
    """Losses 3 x and x: pulls 3 and 1 at equal weights, whose mean is 2; at first both targets are that mean."""
    shared, norm = nn.Parameter(torch.tensor(1.0)), GradNorm(alpha=1.0)
    losses = torch.stack([3 * shared, shared])
    loss, weights = norm(losses, shared)
    assert weights.tolist() == [1, 1]
    assert loss.item() == 4
    loss.backward()
    assert shared.grad.item() == 4  # of the weighed losses alone
    # The distance is (|3 w_1 - 2| + |w_2 - 2|) / 2. With w = 2 softmax(s), dw_1/ds_1 = 2 * 1/4 = -dw_2/ds_1.
    assert norm.scores.grad.tolist() == pytest.approx([(3 * 0.5 + 0.5) / 2, -(3 * 0.5 + 0.5) / 2])
    assert norm.first.tolist() == [3, 1]


def test_a_loss_that_lags_is_asked_to_pull_harder():
    shared, norm = nn.Parameter(torch.tensor(1.0)), GradNorm(alpha=1.0)
    norm(torch.stack([shared, shared]), shared)
    norm(torch.stack([shared, shared - 0.5]), shared)[0].backward()  # the second has fallen to a half
    assert norm.scores.grad[0] < 0 < norm.scores.grad[1]  # a step goes against the gradient


def test_it_finds_weights_of_equal_pulls():
    shared, norm = nn.Parameter(torch.tensor(1.0)), GradNorm(alpha=0.0)
    optimizer = torch.optim.Adam(norm.parameters(), lr=0.02)
    for _ in range(400):
        optimizer.zero_grad()
        norm(torch.stack([10 * shared, shared]), shared)[0].backward()
        optimizer.step()
    _, weights = norm(torch.stack([10 * shared, shared]), shared)
    assert (10 * weights[0] / weights[1]).item() == pytest.approx(1, abs=0.1)
    assert weights.sum().item() == pytest.approx(2)


def test_evaluation_changes_nothing():
    shared, norm = nn.Parameter(torch.tensor(1.0)), GradNorm()
    with torch.no_grad():
        norm(torch.stack([shared, shared]), shared)
    assert norm.first.tolist() == [0, 0]


def test_the_last_shared_weight():
    backbone = VisionTransformer(SMALL)
    assert last_shared(backbone) is backbone.blocks[0].mlp.fc2.weight
    backbone.blocks.requires_grad_(False)
    backbone.patch_embed.requires_grad_(False)
    assert last_shared(backbone) is not None
    backbone.requires_grad_(False)
    with pytest.raises(ValueError, match="the whole backbone is frozen"):
        last_shared(backbone)


def test_a_training_moves_the_weights_and_keeps_their_sum():
    loss = SignRun(balance="gradnorm").loss()
    assert isinstance(loss, SignLoss)
    items = [
        {
            "image": torch.randint(256, (3, 16, 16), dtype=torch.uint8),
            "label": i,
            "box": torch.tensor([0.2, 0.2, 0.8, 0.8]),
        }
        for i in range(8)
    ]
    model = ClassificationBBoxTransformer(VisionTransformer(SMALL))
    log = fit(model, items, loss, TrainingConfig(epochs=4, batch_size=4, lr=1e-3))
    assert log[-1]["letter_weight"] < log[0]["letter_weight"]
    assert log[-1]["letter_weight"] + log[-1]["box_weight"] == pytest.approx(2, abs=1e-5)


def test_a_wrapped_model_is_looked_into():
    """`accelerate` puts the model into a wrapper where several processes share the work."""
    model = ClassificationBBoxTransformer(VisionTransformer(SMALL))
    batch = {
        "image": torch.zeros(2, 3, 16, 16, dtype=torch.uint8),
        "label": torch.zeros(2).long(),
        "box": torch.rand(2, 4),
    }

    class Wrapper(SimpleNamespace):
        def __call__(self, *inputs):
            return self.module(*inputs)

    found = SignLoss(balance="gradnorm")(Wrapper(module=model), batch)
    assert found["loss"].requires_grad
