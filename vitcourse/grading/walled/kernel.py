"""The student's side: one process that runs cells and calls functions, as the grader asks for it.

It knows neither the seed nor what is right. Its own parts (this module, the guard, the shell) are a copy that a
student's ``import vitcourse`` does not reach; what it answers is judged by the grader as anybody's word.

The fork server calls `serve`. ``python -m vitcourse.grading.walled.kernel DESCRIPTOR LIMITS`` is a kernel without
walls.
"""

import contextlib
import functools
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from vitcourse.checks.engine import guard
from vitcourse.grading.walled import cells, inner_wall, no_gpu, wire
from vitcourse.grading.walled.cells import Outputs, Shell
from vitcourse.grading.walled.limits import Limits


def serve(channel: socket.socket) -> None:
    """Answers requests until the grader closes the channel.

    Requests are dicts with ``do``: ``"cell"`` (``source``, ``seconds``), ``"look"`` (``name``: what it is, and its
    value where it is plain), ``"call"`` (``name``, ``args``, ``kwargs``, ``rules``).
    """
    process = os.getpid()
    # The guard takes every call into the package for a forbidden one; printing, which ends in the shell, is none, nor
    # is what stands in for a GPU.
    for module in (cells, no_gpu):
        vars(module)["__name__"] = "own"
    shell = Shell.start()
    actions = {"cell": _cell, "look": _look, "call": _call}
    wire.send(channel, wire.pack({"ready": True}))
    while True:
        try:
            request = wire.receive(channel)
        except wire.WireError:
            os._exit(0)
        answer = _packed(actions[request.pop("do")], shell, request)
        if os.getpid() != process:
            # A child that the student's code has forked, and that came back here.
            os._exit(0)
        try:
            wire.send(channel, answer)
        except wire.WireError:
            os._exit(0)


def _packed(action: Callable[..., dict], shell: Shell, request: dict) -> bytes:
    try:
        return wire.pack(action(shell, **request))
    except wire.NotPlainError as error:
        return wire.pack({"failure": "wrong-type", "detail": f"it cannot be sent to the grader ({error})"})
    except BaseException as error:
        return wire.pack({"failure": "raises", "detail": guard.describe(error)})


def _cell(shell: Shell, source: str, seconds: float) -> dict:
    no_gpu.prepare(source)
    return {"outputs": shell.run(source, seconds), "stopped": shell.stopped, "no_gpu": no_gpu.used()}


def _look(shell: Shell, name: str) -> dict:
    if name not in shell.user_ns:
        return {"kind": "missing"}
    value = shell.user_ns[name]
    if callable(value):
        return {"kind": "callable"}
    try:
        return {"kind": "value", "value": guard.plain_copy(value)}
    except guard.NotPlainError as error:
        return {"kind": "foreign", "type": str(error)}


def _call(shell: Shell, name: str, args: list, kwargs: dict, rules: dict) -> dict:
    shell.outputs = Outputs()
    # `partial` hides a ``guarded_call`` that the student's object may have: the guard must run here.
    function = functools.partial(shell.user_ns[name])
    outcome = guard.call(function, tuple(args), kwargs, guard.Rules.from_plain(rules))
    return outcome.to_plain() | {"no_gpu": no_gpu.used()}


def _without_walls(descriptor: str, limits: str) -> None:
    os.environ["HOME"] = str(Path.cwd())
    # Outside Linux some of these are refused or not kept.
    with contextlib.suppress(OSError, ValueError):
        inner_wall.set_resources(Limits(**json.loads(limits)), processes=False)
    serve(socket.socket(fileno=int(descriptor)))


if __name__ == "__main__":
    _without_walls(*sys.argv[1:])
