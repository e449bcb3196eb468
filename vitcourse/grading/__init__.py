"""Grading: submissions run behind walls, are judged outside of them, and are recorded by nbgrader.

What was handed in is found and read first (`students`, `pieces`, `reading`, `lessons`, `submissions`), and put back
into the form of its assignment (`identify`, `restore`). The grader (`run`, `jobs`, `grader`, `examine`, `course`) keeps
the seed, draws the inputs and judges the outputs. A student's code runs in `walled`.
"""
