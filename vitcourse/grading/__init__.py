"""Grading: submissions run in isolated kernels, are judged outside of them, and are recorded by nbgrader.

Two sides. The grader (`run`, `examine`, `session`, `keeper`, `course`) keeps the seed, draws the inputs and judges the
outputs. The kernel (`nursery`, `jail`, `mounts`, `kernel`, `shell`) runs a student's cells and calls a student's
functions. Between them goes plain data (`wire`), and nothing that the kernel says is believed without a look.
"""
