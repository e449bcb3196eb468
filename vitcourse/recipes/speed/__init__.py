"""The benchmarks: what is timed, and what was recorded of it."""
