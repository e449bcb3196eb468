"""The exercises of lesson 03, one module for each."""

from vitcourse.checks.transformer.beam import beam
from vitcourse.checks.transformer.layer_norm import layer_norm
from vitcourse.checks.transformer.positions import positions
from vitcourse.checks.transformer.smoothed_loss import smoothed_loss
from vitcourse.checks.transformer.teacher_forcing import teacher_forcing

__all__ = ["beam", "layer_norm", "positions", "smoothed_loss", "teacher_forcing"]
