"""Letters and boxes of signing hands: the two-head model, its losses, its measures, and runs on disk."""

from vitcourse.asl.frozen import FrozenFeatures
from vitcourse.asl.losses import SignLoss, sign_loss
from vitcourse.asl.metrics import aligned_iou, evaluate
from vitcourse.asl.model import ClassificationBBoxTransformer, freeze
from vitcourse.asl.runs import SignRun, load_run

__all__ = [
    "ClassificationBBoxTransformer",
    "FrozenFeatures",
    "SignLoss",
    "SignRun",
    "aligned_iou",
    "evaluate",
    "freeze",
    "load_run",
    "sign_loss",
]
