"""The exercises of lesson 04, one module for each."""

from vitcourse.checks.bert.classify import classify
from vitcourse.checks.bert.hide import hide
from vitcourse.checks.bert.masked_loss import masked_loss
from vitcourse.checks.bert.pair import pair
from vitcourse.checks.bert.visible import visible
from vitcourse.checks.bert.wordpiece import wordpiece

__all__ = ["classify", "hide", "masked_loss", "pair", "visible", "wordpiece"]
