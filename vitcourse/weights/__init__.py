"""Weights of other libraries: names and shapes, the one reader of checkpoints, and ``convert``.

Whoever only reads a checkpoint needs none of the models whose names are converted: the converter, which does, is loaded
when it is asked for.
"""

from importlib import import_module


def __getattr__(name: str) -> object:
    if name == "convert":
        return import_module(f"{__name__}.conversion").convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
