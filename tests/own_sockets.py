"""Kernels that tests start listen on files, not on TCP ports. Run as a program, this is pytest with such kernels.

The number of a free port is found by the test and taken later by the kernel: in between the kernel of another test, or
any other program, may get the same one.
"""

import itertools
import os
import sys
import tempfile

import pytest
from jupyter_client.manager import KernelManager

if os.name == "posix":
    FOLDER = tempfile.TemporaryDirectory(prefix="vitcourse-", ignore_cleanup_errors=True)  # until this program ends
    number = itertools.count()
    KernelManager.transport.default_value = "ipc"
    KernelManager._ip_default = lambda _: f"{FOLDER.name}/{next(number)}"

if __name__ == "__main__":
    sys.exit(pytest.main(sys.argv[1:]))
