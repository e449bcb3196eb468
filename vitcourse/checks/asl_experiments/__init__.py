"""The exercises of lesson 11, one module for each; loaded when they are asked for."""

import sys

from vitcourse.checks import Topic

sys.modules[__name__].__class__ = Topic
