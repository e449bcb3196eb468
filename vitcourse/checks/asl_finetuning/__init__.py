"""The exercises of lesson 10, one module for each."""

from vitcourse.checks.asl_finetuning.balanced_loss import balanced_loss
from vitcourse.checks.asl_finetuning.choose import choose
from vitcourse.checks.asl_finetuning.giou import giou
from vitcourse.checks.asl_finetuning.plateau import plateau
from vitcourse.checks.asl_finetuning.trained import trained
from vitcourse.checks.asl_finetuning.two_heads import two_heads

__all__ = ["balanced_loss", "choose", "giou", "plateau", "trained", "two_heads"]
