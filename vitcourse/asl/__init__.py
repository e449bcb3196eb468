"""Letters and boxes of signing hands: the two-head model, its losses, its measures, and runs on disk."""

from vitcourse.asl.backbones import features, freeze
from vitcourse.asl.frozen import FrozenFeatures
from vitcourse.asl.losses import SignLoss, sign_loss
from vitcourse.asl.metrics import aligned_iou, evaluate
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.asl.runs import SignRun, load_run

__all__ = [
    "ClassificationBBoxTransformer",
    "FrozenFeatures",
    "SignLoss",
    "SignRun",
    "aligned_iou",
    "evaluate",
    "features",
    "freeze",
    "load_run",
    "sign_loss",
]
