"""Notebooks derived from their one source: the learner's copy, the answer key, the page of the book.

The source of an exercise holds its solution between ``### BEGIN SOLUTION`` and ``### END SOLUTION``. Nothing that is
derived from it is edited by hand.
"""

from vitcourse.notebooks.derive import PROFILES, answer_key, is_exercises, learner_copy, page, with_setup
from vitcourse.notebooks.files import answer_keys, learner_notebooks, lesson_notebooks, source_exercises
from vitcourse.notebooks.laying import lay_out
from vitcourse.notebooks.working import is_ours, learner_notebook, with_checks, work_copy

__all__ = [
    "PROFILES",
    "answer_key",
    "answer_keys",
    "is_exercises",
    "is_ours",
    "lay_out",
    "learner_copy",
    "learner_notebook",
    "learner_notebooks",
    "lesson_notebooks",
    "page",
    "source_exercises",
    "with_checks",
    "with_setup",
    "work_copy",
]
