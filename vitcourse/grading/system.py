"""Calls of the C library that Python 3.11 does not have, and their failures as missing limits."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

from vitcourse.grading.limits import MissingLimitError

libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def limit(name: str) -> Iterator[None]:
    """What fails inside is reported as the missing limit of that name.

    Raises:
        MissingLimitError: something failed.
    """
    try:
        yield
    except (OSError, ValueError, AttributeError) as error:
        raise MissingLimitError(name, str(error)) from error


def system_call(function: str, *arguments: object) -> None:
    """Calls a function of the C library that returns 0.

    Raises:
        OSError: it reports an error.
        AttributeError: the library has no such function.
    """
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    texts = (text.encode() for text in (source, target, kind))
    system_call("mount", *texts, ctypes.c_ulong(flags), options.encode())
