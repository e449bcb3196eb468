"""Data sets of the course: real ones that a folder holds, and rendered ones that need no download."""
