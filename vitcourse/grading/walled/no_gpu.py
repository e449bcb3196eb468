"""A stand-in for the GPU that the grader does not have: what a student's code sends there stays on the CPU.

Runs inside the isolated kernel, from the first cell on that names a GPU.
"""

import re

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

NAMED = re.compile(r"\b(cuda|mps|xpu)\b")
DEVICE = re.compile(r"(cuda|mps|xpu)(:\d+)?")
# Moves to a GPU give a copy, so what is changed there does not change what was sent.
MOVES = (Tensor.to, Tensor.cuda, Tensor.xpu)


class _OnCpu(TorchFunctionMode):
    """Takes every GPU that a function of torch is asked for to be the CPU; ``used``: whether one was."""

    used = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        asked = func in MOVES[1:] or any(map(_is_gpu, (*args, *kwargs.values())))
        if not asked:
            return func(*args, **kwargs)
        self.used = True
        args, kwargs = tuple(map(on_cpu, args)), {name: on_cpu(value) for name, value in kwargs.items()}
        if func in MOVES[1:]:
            return args[0].clone()
        return func(*args, **kwargs, **({"copy": True} if func is Tensor.to and "copy" not in kwargs else {}))


MODE, SET_DEFAULT = _OnCpu(), torch.set_default_device


def prepare(source: str) -> None:
    """Sets the stand-in up, if it is not, before a cell that names a GPU."""
    if NAMED.search(source) and torch.set_default_device is SET_DEFAULT:
        torch.set_default_device = _set_default
        torch.cuda.synchronize = lambda *_device: None
        MODE.__enter__()


def used() -> bool:
    """Whether it has stood in for a GPU."""
    return MODE.used


def _set_default(device: object) -> None:
    MODE.used |= _is_gpu(device)
    SET_DEFAULT(on_cpu(device))


def on_cpu(value: object) -> object:
    """The CPU in place of a GPU, by name or as a device; anything else as it is."""
    return "cpu" if _is_gpu(value) else value


def _is_gpu(value: object) -> bool:
    if isinstance(value, torch.device):
        return value.type in ("cuda", "mps", "xpu")
    return type(value) is str and DEVICE.fullmatch(value) is not None
