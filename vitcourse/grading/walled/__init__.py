"""Where a submission runs: behind walls, watched, and asked over a socket.

The grader's side (`launcher`, `handle`, `session`, `trial`) holds the seed. On the other side, one box by bubblewrap
(`sandbox`; what may be read in it says `readable`) holds a process with the libraries imported (`fork_server`), which
forks a kernel for each submission. Round each kernel stands an inner wall (`inner_wall`, `seccomp`), and a process that
counts its memory (`watch`). The kernel (`kernel`, `cells`) runs a student's cells and calls a student's functions.
Between the sides goes plain data (`wire`), and nothing that a kernel says is believed without a look.
"""
