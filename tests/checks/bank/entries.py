"""The form of a bank of answers."""

from vitcourse.checks.engine.bank import Bank

__all__ = ["Bank"]
