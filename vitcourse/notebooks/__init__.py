"""Notebooks derived from their one source: the learner's copy, the answer key, the page of the book.

The source of an exercise holds its solution between ``### BEGIN SOLUTION`` and ``### END SOLUTION``. Nothing that is
derived from it is edited by hand.
"""

from vitcourse.notebooks.derive import PROFILES, answer_key, is_exercises, learner_copy, page, with_setup
from vitcourse.notebooks.files import lesson_notebooks, source_exercises, write_derived

__all__ = [
    "PROFILES",
    "answer_key",
    "is_exercises",
    "learner_copy",
    "lesson_notebooks",
    "page",
    "source_exercises",
    "with_setup",
    "write_derived",
]
