"""The exercises of lesson 02, one module for each."""

from vitcourse.checks.multi_head.aim import aim
from vitcourse.checks.multi_head.cost import cost
from vitcourse.checks.multi_head.layer import layer
from vitcourse.checks.multi_head.merge import merge
from vitcourse.checks.multi_head.remove import remove
from vitcourse.checks.multi_head.split import split

__all__ = ["aim", "cost", "layer", "merge", "remove", "split"]
