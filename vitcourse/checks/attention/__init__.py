"""The exercises of lesson 01, one module for each."""

from vitcourse.checks.attention.attention import attention
from vitcourse.checks.attention.causal_mask import causal_mask
from vitcourse.checks.attention.cost import cost
from vitcourse.checks.attention.repair import repair
from vitcourse.checks.attention.scores import scores
from vitcourse.checks.attention.softmax import softmax

__all__ = ["attention", "causal_mask", "cost", "repair", "scores", "softmax"]
