"""The two losses of the sign model, and the ways to put them together.

Sources: Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630 (GIoU); Zheng et al. 2019,
https://arxiv.org/abs/1911.08287 (CIoU); Kendall, Gal and Cipolla 2018, https://arxiv.org/abs/1705.07115 (learned
uncertainty); the constant C is that of the project the lesson follows. A third way to balance them is `asl.gradnorm`.

Shape legend: B images, K letters.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss

from vitcourse.asl.gradnorm import GradNorm, last_shared
from vitcourse.data.asl import to_input

# Where the smooth L1 turns from a square to a line: 3 pixels of 64. PyTorch's own default is 1, the whole image: a
# difference of fractions never gets there, and the loss would be half the squared error.
BETA = 0.05
LEAST_SIDE = 0.01  # of a predicted box, for the losses that divide by its area or height


def overlap_loss(loss: Callable[[Tensor, Tensor], Tensor], boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """The mean of an IoU loss over boxes that need not be boxes: nothing keeps a linear head from inverting one.

    Between inverted corners an area would be negative, or positive by accident. Such a side is taken as `LEAST_SIDE`
    long, and what it lacks is added to the loss, so that the corners are pulled past one another. A box that leaves the
    image is not clipped here, because a clipped corner would have no gradient.
    """
    near, far = boxes[:, :2], boxes[:, 2:]
    lacks = (near + LEAST_SIDE - far).clamp(min=0)
    proper = torch.cat([near, torch.where(lacks > 0, near + LEAST_SIDE, far)], dim=1)
    return (loss(proper, true_boxes, reduction="none") + lacks.sum(dim=1)).mean()


BOX_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "smooth_l1": lambda boxes, true_boxes: F.smooth_l1_loss(boxes, true_boxes, beta=BETA),
    "giou": lambda boxes, true_boxes: overlap_loss(generalized_box_iou_loss, boxes, true_boxes),
    "ciou": lambda boxes, true_boxes: overlap_loss(complete_box_iou_loss, boxes, true_boxes),
}
BALANCES = ("constant", "uncertainty", "gradnorm")
TASKS = ("both", "letters")


def sign_loss(
    logits: Tensor,
    boxes: Tensor,
    labels: Tensor,
    true_boxes: Tensor,
    classification_divisor: float = 1.0,
    box_loss: str = "mse",
) -> dict[str, Tensor]:
    """Cross-entropy over the letters, divided by a constant C, plus a loss of the boxes.

    A box is in fractions of the image, so its squared error is a few hundredths as soon as it is roughly right, while
    the cross-entropy starts near ln 26 = 3.26: without C the letter decides how the shared backbone moves.

    Args:
        logits: (B, K). boxes: (B, 4). labels: (B,), 0 to K - 1. true_boxes: (B, 4).
        classification_divisor: the constant C.
        box_loss: a name in `BOX_LOSSES`: "mse" (squared error, as in the project), "l1", "smooth_l1", "giou", "ciou".

    Returns:
        ``loss`` (what is minimised), ``classification`` (before the division) and ``box``; scalars.

    Raises:
        ValueError: C is not above 0, or there is no such loss.
    """
    _check(classification_divisor, box_loss)
    classification = F.cross_entropy(logits, labels)
    box = BOX_LOSSES[box_loss](boxes, true_boxes)
    return {"loss": classification / classification_divisor + box, "classification": classification, "box": box}


class SignLoss(nn.Module):
    """The loss of a sign model as `training.fit` calls it: ``loss(model, batch)``.

    With the balance "uncertainty" (Kendall et al., section 3.2) it is

        exp(-s_letter) cross-entropy + s_letter / 2
        + exp(-s_box) box / 2 + s_box / 2 .

    Args:
        classification_divisor, box_loss: see `sign_loss`.
        balance: "constant" divides by C. "uncertainty" learns the balance: each loss is weighed by the inverse of a
            variance, whose logarithm s is a parameter that the optimiser gets as well (`log_variances`: letter, box);
            left alone, exp(s_letter) moves to twice the cross-entropy and exp(s_box) to the box loss. "gradnorm"
            learns weights that make both pull alike (`asl.gradnorm`).
        task: "both", or "letters" for the cross-entropy alone.
        after: layers that the items of `asl.frozen.FrozenFeatures` have passed already.

    Raises:
        ValueError: C is not above 0, or a name is unknown.
    """

    def __init__(
        self,
        classification_divisor: float = 1.0,
        box_loss: str = "mse",
        balance: str = "constant",
        task: str = "both",
        after: int | None = None,
    ):
        super().__init__()
        _check(classification_divisor, box_loss, balance, task)
        self.classification_divisor, self.box_loss, self.task, self.after = (
            classification_divisor,
            box_loss,
            task,
            after,
        )
        learned = balance == "uncertainty"
        self.log_variances = nn.Parameter(torch.zeros(2)) if learned else None
        self.grad_norm = GradNorm() if balance == "gradnorm" else None
        # Two numbers have a long way to go (from 0 to about -4), in the few steps of a fine-tuning.
        self.rate_scale = 10.0 if learned else 25.0

    def forward(self, model: nn.Module, batch: dict) -> dict[str, Tensor]:
        cached = "hidden" in batch
        outputs = model(batch["hidden"], after=self.after) if cached else model(to_input(batch["image"]))
        losses = sign_loss(*outputs, batch["label"], batch["box"], self.classification_divisor, self.box_loss)
        if self.task == "letters":
            # The box head is not trained: its loss is shown, and weighs nothing.
            return losses | {"loss": losses["classification"] + 0.0 * losses["box"]}
        if self.log_variances is not None:
            letter, box = self.log_variances
            weights = {"letter_weight": (-letter).exp(), "box_weight": (-box).exp() / 2}
            weighed = weights["letter_weight"] * losses["classification"] + weights["box_weight"] * losses["box"]
            return losses | {"loss": weighed + (letter + box) / 2} | weights
        if self.grad_norm is not None:
            shared = last_shared(getattr(model, "module", model).backbone)
            loss, (letter, box) = self.grad_norm(torch.stack([losses["classification"], losses["box"]]), shared)
            return losses | {"loss": loss, "letter_weight": letter, "box_weight": box}
        return losses


def _check(divisor: float, box_loss: str, balance: str = "constant", task: str = "both") -> None:
    if not divisor > 0:
        raise ValueError(f"the constant C must be above 0, got {divisor}")
    for name, value, known in (
        ("box_loss", box_loss, tuple(BOX_LOSSES)),
        ("balance", balance, BALANCES),
        ("task", task, TASKS),
    ):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
