"""What a learner calls to check an exercise: ``checks.<topic>.<exercise>(my_function)``.

``CATALOGUE`` lists the exercises; ``run`` gives a grader the report that a learner is shown.
"""

from vitcourse.checks import asl_data, asl_finetuning, attention, bert, multi_head, transformer
from vitcourse.checks.check import CATALOGUE, Check, run
from vitcourse.checks.exercise import CheckFailed, Exercise, Report

__all__ = [
    "CATALOGUE",
    "Check",
    "CheckFailed",
    "Exercise",
    "Report",
    "asl_data",
    "asl_finetuning",
    "attention",
    "bert",
    "multi_head",
    "run",
    "transformer",
]
