"""Grading: submissions run behind walls, are judged outside of them, and are recorded by nbgrader.

What was handed in is found and read first (`places`, `platforms`, `students`, `pieces`, `reading`, `lessons`, `roster`,
`submissions`), and put back into the form of its assignment (`identify`, `restore`). The grader (`run`, `choose`,
`jobs`, `grader`, `examine`, `course`) keeps the seed, draws the inputs and judges the outputs. What came of it is kept
(`ledger`), joined (`merge`) and given back (`grades`, `hand_back`). A student's code runs in `walled`.
"""
