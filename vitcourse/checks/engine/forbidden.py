"""Sees whether a learner's function uses an answer that somebody else wrote, under whatever name it was saved.

Three nets, because each has a hole that another closes: Python calls (a profile function), torch functions (a function
mode), and the kernels that torch runs in the end (a dispatch mode). Compiled functions run uncompiled meanwhile.
"""

import contextlib
import sys
from types import FrameType

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

# What a name stands for besides itself: other functions and kernels, by the start of their names.
SAME_THING = {
    "torch.nn.functional.scaled_dot_product_attention": ("scaled_dot_product_", "_scaled_dot_product_"),
    "torch.nn.MultiheadAttention": (
        "multi_head_attention_forward",
        "_native_multi_head_attention",
        "_triton_multi_head_attention",
        "_transformer_encoder_layer_fwd",
    ),
}
OWN = tuple(f"vitcourse.checks.engine.{name}" for name in ("forbidden", "guard", "modes", "timer"))


class Watch:
    """``with Watch(names) as watch: function()``, then ``watch.seen``: the first forbidden name used, or None.

    Args:
        names: dotted names of packages, modules, classes and functions. A package stands for all that is in it.
    """

    def __init__(self, names: tuple[str, ...]):
        self.seen: str | None = None
        self.paths = [(path, name) for name in names for path in {name, _true_path(name)}]
        self.starts = [(start, name) for name in names for start in SAME_THING.get(name, ())]
        self.modes = (_FunctionMode(self), _DispatchMode(self))

    def __enter__(self) -> "Watch":
        with contextlib.ExitStack() as stack:
            if "torch._dynamo" in sys.modules:  # else nothing was compiled, and to import it would take a second
                stack.enter_context(torch.compiler.set_stance("force_eager"))
            for mode in self.modes:
                stack.enter_context(mode)
            self.entered = stack.pop_all()
        self.profile = sys.getprofile()
        sys.setprofile(self._on_call)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(self.profile)
        self.entered.__exit__(*error)

    def _on_call(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and self.seen is None:
            module = frame.f_globals.get("__name__", "")
            if module not in OWN:
                self.see_path(f"{module}.{frame.f_code.co_qualname}")

    def see_path(self, path: str) -> None:
        """Notes a call of ``path`` (module and qualified name) where it is, or lies in, a forbidden one."""
        for forbidden, name in self.paths:
            if self.seen is None and (path == forbidden or path.startswith(forbidden + ".")):
                self.seen = name

    def see_function(self, function: object) -> None:
        """Notes a call of a torch function, operator or kernel."""
        short = str(getattr(function, "__name__", ""))
        for start, name in self.starts:
            if self.seen is None and short.startswith(start):
                self.seen = name


class _FunctionMode(TorchFunctionMode):
    def __init__(self, watch: Watch):
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.watch.see_function(func)
        self.watch.see_path(_path_of(func))
        return func(*args, **(kwargs or {}))


class _DispatchMode(TorchDispatchMode):
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: to skip the compiler, torch would import it (a second or more) at the first operation of a session."""
        return False

    def __init__(self, watch: Watch):
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.watch.see_function(func)
        return func(*args, **(kwargs or {}))


def _path_of(function: object) -> str:
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"


def _true_path(name: str) -> str:
    """Where the thing called ``name`` is defined: torch.nn.MultiheadAttention lives in torch.nn.modules.activation."""
    thing: object = {"torch": torch}.get(name.partition(".")[0])
    for part in name.split(".")[1:]:
        thing = getattr(thing, part, None)
    return _path_of(thing) if getattr(thing, "__qualname__", None) and getattr(thing, "__module__", None) else name
