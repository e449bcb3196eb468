"""The modes that a check brings with it: what a session has switched on or off says nothing about an answer.

All of it is set here and given back here: gradients, number types, devices, what raises an error, random numbers.
"""

import contextlib
import itertools
import random
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

DEVICES = ("cpu", "cuda", "mps", "xpu")  # where numbers may be rounded by autocast
MATMUL = torch.backends.mkldnn.matmul
SEEDS = itertools.count()


@contextlib.contextmanager
def own() -> Iterator[None]:
    """Runs what is in it as in a fresh session, and leaves the session as it was, its random state too.

    The random numbers are others each time: a function that draws some gives another result at the next call.
    """
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        enter(_random_state())
        enter(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        enter(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        enter(torch.inference_mode(False))
        enter(torch.enable_grad())
        enter(torch.autograd.set_detect_anomaly(False))
        for device in DEVICES:
            if torch.is_autocast_enabled(device):
                enter(torch.autocast(device, enabled=False))
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float32)
        if (precision := MATMUL.fp32_precision) not in ("none", "ieee"):
            stack.callback(setattr, MATMUL, "fp32_precision", precision)
            MATMUL.fp32_precision = "ieee"
        if torch.are_deterministic_algorithms_enabled():  # to set it takes torch's compiler, which loads for seconds
            warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
            stack.callback(torch.use_deterministic_algorithms, True, warn_only=warn_only)
            torch.use_deterministic_algorithms(False)
        enter(torch.device("cpu"))  # the inputs are there, so what a function makes must be there too
        yield


@contextlib.contextmanager
def _random_state() -> Iterator[None]:
    """New random numbers from each of the usual sources; afterwards all go on as if nothing had been drawn."""
    python, numpy, seed = random.getstate(), np.random.get_state(), next(SEEDS)
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(gpus, device_type="cuda"):
        try:
            random.seed(seed)
            np.random.seed(seed)
            torch.default_generator.manual_seed(seed)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


class NormalTensors(TorchFunctionMode):
    """Takes a copy of every tensor that was made in inference mode: autograd refuses the tensor itself."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = {name: _normal(value) for name, value in (kwargs or {}).items()}
        return func(*map(_normal, args), **kwargs)


def _normal(value: object) -> object:
    if isinstance(value, Tensor):
        return value.clone() if value.is_inference() else value
    if type(value) in (list, tuple):
        return type(value)(map(_normal, value))
    return value
