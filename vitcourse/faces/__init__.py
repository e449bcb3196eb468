"""Naming people by their faces: the models that are compared, their training, what they are judged by, and runs."""

from vitcourse.faces.measures import eigenfaces, evaluate, open_set, shares, threshold_for
from vitcourse.faces.models import MODELS, PRESETS, FaceRun, new_model
from vitcourse.faces.runs import load_run
from vitcourse.faces.trainer import train_faces

__all__ = [
    "MODELS",
    "PRESETS",
    "FaceRun",
    "eigenfaces",
    "evaluate",
    "load_run",
    "new_model",
    "open_set",
    "shares",
    "threshold_for",
    "train_faces",
]
