"""Lets nbgrader's own commands work in this folder, such as ``nbgrader generate_assignment 01_attention``.

Solutions stand in ``lessons/NN_topic/topic_exercises.ipynb``. To hand out and to grade, use ``vitcourse assign`` and
``vitcourse grade`` (see the instructor guide): nbgrader would run submissions with your rights, and is not let.
"""

from pathlib import Path

from vitcourse.grading.course import settings

c = get_config()  # noqa: F821 - nbgrader provides it
c.merge(settings(Path(__file__).parent, source="lessons"))
