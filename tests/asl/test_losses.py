"""Losses against formulas worked out by hand, and on boxes that are none."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss

from vitcourse.asl import SignLoss, sign_loss
from vitcourse.asl.losses import BOX_LOSSES, LEAST_SIDE

B, K = 5, 26


def drawn(seed=0):
    """Logits and boxes that ask for a gradient, labels and true boxes."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(B, K, generator=generator, dtype=torch.float64, requires_grad=True)
    near = 0.4 * torch.rand(B, 2, generator=generator, dtype=torch.float64)
    boxes = torch.cat([near, near + 0.2 + 0.3 * torch.rand(B, 2, generator=generator, dtype=torch.float64)], dim=1)
    truth = torch.tensor([0.2, 0.3, 0.7, 0.8], dtype=torch.float64).expand(B, 4)
    return logits, boxes.requires_grad_(), torch.randint(0, K, (B,), generator=generator), truth


@pytest.mark.parametrize("divisor", [1.0, 10.0, 100.0])
def test_gradients_of_the_projects_loss(divisor):
    """(softmax - one-hot) / (B C) at the logits; 2 (box - truth) / (4 B) at the boxes, whatever C is."""
    logits, boxes, labels, truth = drawn()
    sign_loss(logits, boxes, labels, truth, divisor)["loss"].backward()
    expected = (logits.detach().softmax(1) - F.one_hot(labels, K)) / (B * divisor)
    torch.testing.assert_close(logits.grad, expected, atol=1e-12, rtol=0)
    torch.testing.assert_close(boxes.grad, 2 * (boxes.detach() - truth) / (4 * B), atol=1e-12, rtol=0)


def test_c_scales_the_pull_of_the_letter_and_not_that_of_the_box():
    """At weights that both losses share, and that is all C does: classification is given before the division."""
    shared = torch.ones(3, dtype=torch.float64, requires_grad=True)
    _, _, labels, truth = drawn()
    weights = torch.randn(3, K + 4, dtype=torch.float64)
    pulls, shown = [], []
    for divisor in (1.0, 100.0):
        outputs = (shared @ weights).expand(B, K + 4)
        losses = sign_loss(outputs[:, :K], outputs[:, K:], labels, truth, divisor)
        whole, box = (torch.autograd.grad(losses[name], shared, retain_graph=True)[0] for name in ("loss", "box"))
        pulls.append((whole - box, box))
        shown.append(losses["classification"])
    torch.testing.assert_close(pulls[0][0], 100 * pulls[1][0])
    torch.testing.assert_close(pulls[0][1], pulls[1][1])
    assert shown[0] == shown[1]


def test_adam_hides_a_common_factor_but_not_the_balance():
    """With C the heads of AdamW move as before: each parameter that one loss alone moves does not see its scale."""
    steps = []
    for divisor in (1.0, 100.0):
        logits, boxes, labels, truth = drawn()
        logits, boxes = (nn.Parameter(tensor.detach()) for tensor in (logits, boxes))
        optimizer = torch.optim.AdamW([logits, boxes], lr=0.1, eps=0.0, weight_decay=0.0)
        for _ in range(3):
            optimizer.zero_grad()
            sign_loss(logits, boxes, labels, truth, divisor)["loss"].backward()
            optimizer.step()
        steps.append((logits.detach(), boxes.detach()))
    for first, second in zip(*steps, strict=True):
        torch.testing.assert_close(first, second)


@pytest.mark.parametrize("name", sorted(BOX_LOSSES))
def test_gradients_by_finite_differences(name):
    """CIoU holds the weight of its last term fixed (section 3.3 of the paper), so its gradient is no derivative."""
    _, boxes, _, truth = drawn(seed=3)
    if name == "ciou":
        boxes = torch.cat([boxes[:, :2], boxes[:, :2] + 0.37 * torch.ones(B, 2)], dim=1)  # square, as the truth is
        boxes = boxes.detach().requires_grad_()
    assert torch.autograd.gradcheck(lambda b: BOX_LOSSES[name](b, truth), boxes, atol=1e-6)


def test_l1_and_smooth_l1_by_hand():
    box, truth = torch.tensor([[0.1, 0.2, 0.5, 0.60]]), torch.tensor([[0.1, 0.24, 0.5, 0.40]])
    assert BOX_LOSSES["l1"](box, truth).item() == pytest.approx((0.04 + 0.2) / 4)
    # 0.04 is below beta = 0.05: half the square over beta. 0.2 is above: the distance less half of beta.
    assert BOX_LOSSES["smooth_l1"](box, truth).item() == pytest.approx((0.04**2 / 0.1 + 0.2 - 0.025) / 4)


def test_giou_by_hand():
    """Two unit squares a unit apart in a frame of three: IoU 0, hull 3, union 2. GIoU = 0 - (3 - 2) / 3."""
    boxes, truth = torch.tensor([[0.0, 0.0, 0.1, 0.1]]), torch.tensor([[0.2, 0.0, 0.3, 0.1]])
    assert BOX_LOSSES["giou"](boxes, truth).item() == pytest.approx(1 + 1 / 3, abs=1e-4)


def test_ciou_by_hand():
    """Same centre and aspect: 1 - IoU alone. Another aspect: v / (1 - IoU + v) times v more."""
    truth = torch.tensor([[0.2, 0.2, 0.8, 0.8]], dtype=torch.float64)
    inner = torch.tensor([[0.35, 0.35, 0.65, 0.65]], dtype=torch.float64)
    assert BOX_LOSSES["ciou"](inner, truth).item() == pytest.approx(0.75, abs=1e-6)
    flat = torch.tensor([[0.2, 0.4, 0.8, 0.6]], dtype=torch.float64)
    v = 4 / math.pi**2 * (math.atan(1) - math.atan(3)) ** 2
    assert BOX_LOSSES["ciou"](flat, truth).item() == pytest.approx(2 / 3 + v * v / (2 / 3 + v), abs=1e-6)


@pytest.mark.parametrize(("name", "theirs"), [("giou", generalized_box_iou_loss), ("ciou", complete_box_iou_loss)])
def test_proper_boxes_are_judged_as_torchvision_does(name, theirs):
    _, boxes, _, truth = drawn()
    beyond = boxes.detach() + torch.tensor([-0.6, 0.0, -0.6, 0.0])  # and so are those that leave the image
    for some in (boxes.detach(), beyond):
        torch.testing.assert_close(BOX_LOSSES[name](some, truth), theirs(some, truth, reduction="mean"))


@pytest.mark.parametrize("name", ["giou", "ciou"])
@pytest.mark.parametrize(
    "box",
    [
        [0.7, 0.8, 0.2, 0.3],  # both axes inverted: the area would be that of the true box
        [0.7, 0.3, 0.2, 0.8],
        [0.5, 0.5, 0.5, 0.5],  # a point: no area, no aspect
        [1.4, 0.3, 1.2, 0.8],  # inverted and out of the image
        [-0.5, -0.4, -0.2, -0.1],
        [0.2, 0.3, 0.2 + LEAST_SIDE / 2, 0.8],
    ],
)
def test_boxes_that_are_none_are_pulled_into_shape(name, box):
    """The loss is that of a bad box, its gradient is finite, and following it ends in the true box."""
    truth = torch.tensor([[0.2, 0.3, 0.7, 0.8]], dtype=torch.float64)
    start = torch.tensor([box], dtype=torch.float64)
    moving = nn.Parameter(start.clone())
    loss = BOX_LOSSES[name](moving, truth)
    assert loss.item() > 0.9
    loss.backward()
    assert torch.isfinite(moving.grad).all()
    optimizer = torch.optim.Adam([moving], lr=0.02)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.02 * (1 - step / 300)
        optimizer.zero_grad()
        loss = BOX_LOSSES[name](moving, truth)
        loss.backward()
        optimizer.step()
    assert (moving - truth).abs().max() < 0.02, moving


def test_an_inverted_side_is_pulled_apart_by_hand():
    """What a side lacks counts in full: a gradient of 1 at the near corner and -1 at the far one, besides GIoU's."""
    truth = torch.tensor([[0.2, 0.3, 0.7, 0.8]], dtype=torch.float64)
    wrong = torch.tensor([[0.6, 0.4, 0.4, 0.6]], dtype=torch.float64, requires_grad=True)
    BOX_LOSSES["giou"](wrong, truth).backward()
    repaired = torch.tensor([[0.6, 0.4, 0.6 + LEAST_SIDE, 0.6]], dtype=torch.float64, requires_grad=True)
    generalized_box_iou_loss(repaired, truth, reduction="mean").backward()
    near = repaired.grad[0, 0] + repaired.grad[0, 2]  # the far corner hangs on the near one
    torch.testing.assert_close(wrong.grad[0, [0, 2]], torch.stack([near + 1, torch.tensor(-1.0).double()]))
    torch.testing.assert_close(wrong.grad[0, [1, 3]], repaired.grad[0, [1, 3]])


class Outputs(nn.Module):
    """A model that gives what it holds, whatever the images are."""

    def __init__(self, logits, boxes):
        super().__init__()
        self.logits, self.boxes = nn.Parameter(logits.detach().clone()), nn.Parameter(boxes.detach().clone())

    def forward(self, images):
        return self.logits, self.boxes


def batch_of(labels, truth):
    return {"image": torch.zeros(B, 3, 4, 4, dtype=torch.uint8), "label": labels, "box": truth}


def test_learned_uncertainty_by_hand():
    logits, boxes, labels, truth = drawn()
    loss = SignLoss(balance="uncertainty").double()
    with torch.no_grad():
        loss.log_variances.copy_(torch.tensor([0.7, -1.2], dtype=torch.float64))
    losses = loss(Outputs(logits, boxes), batch_of(labels, truth))
    letter, box = losses["classification"].item(), losses["box"].item()
    assert letter == pytest.approx(F.cross_entropy(logits, labels).item())
    assert losses["loss"].item() == pytest.approx(
        math.exp(-0.7) * letter + 0.35 + 0.5 * math.exp(1.2) * box - 0.6, abs=1e-12
    )
    losses["loss"].backward()
    expected = [0.5 - math.exp(-0.7) * letter, 0.5 - 0.5 * math.exp(1.2) * box]
    assert loss.log_variances.grad.tolist() == pytest.approx(expected, abs=1e-12)
    assert losses["letter_weight"].item() == pytest.approx(math.exp(-0.7))
    assert losses["box_weight"].item() == pytest.approx(0.5 * math.exp(1.2))


def test_variances_settle_where_the_losses_are():
    """With the model fixed: twice the cross-entropy, and the squared error."""
    logits, boxes, labels, truth = drawn()
    loss, model = SignLoss(balance="uncertainty").double(), Outputs(logits, boxes).requires_grad_(False)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        losses = loss(model, batch_of(labels, truth))
        losses["loss"].backward()
        optimizer.step()
    letter, box = loss.log_variances.exp().tolist()
    assert letter == pytest.approx(2 * losses["classification"].item(), rel=1e-3)
    assert box == pytest.approx(losses["box"].item(), rel=1e-3)


def test_letters_alone_leave_the_boxes_alone():
    logits, boxes, labels, truth = drawn()
    model = Outputs(logits, boxes)
    losses = SignLoss(task="letters")(model, batch_of(labels, truth))
    losses["loss"].backward()
    assert losses["loss"].item() == losses["classification"].item()
    assert losses["box"].item() == F.mse_loss(boxes, truth).item()
    assert model.boxes.grad.abs().max() == 0
    assert model.logits.grad.abs().max() > 0


def test_the_constant_and_the_box_loss_are_those_asked_for():
    logits, boxes, labels, truth = drawn()
    found = SignLoss(50.0, "giou")(Outputs(logits, boxes), batch_of(labels, truth))
    expected = sign_loss(logits, boxes, labels, truth, 50.0, "giou")
    assert found == expected
    assert found["box"].item() == BOX_LOSSES["giou"](boxes, truth).item()
    assert list(SignLoss(50.0).parameters()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"box_loss": "iou"}, "box_loss must be one of mse, l1, smooth_l1, giou, ciou, got 'iou'"),
        ({"balance": "none"}, "balance must be one of constant, uncertainty"),
        ({"task": "boxes"}, "task must be one of both, letters"),
        ({"classification_divisor": float("nan")}, "got nan"),
    ],
)
def test_unknown_names_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        SignLoss(**options)
