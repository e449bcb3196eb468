"""Grading: submissions run in isolated kernels, are judged outside of them, and are recorded by nbgrader.

What was handed in is found and read first (`students`, `pieces`, `reading`, `lessons`, `submissions`), and put back
into the form of its assignment (`identify`, `restore`).

Then there are two sides. The grader (`run`, `examine`, `session`, `handle`, `keeper`, `course`) keeps the seed, draws
the inputs and judges the outputs. The kernel (`nursery`, `jail`, `mounts`, `kernel`, `shell`) runs a student's cells
and calls a student's functions. Between them goes plain data (`wire`), and nothing that the kernel says is believed
without a look.
"""
