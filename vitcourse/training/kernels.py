"""Which of PyTorch's kernels computes the attention of a training."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def attention_kernel(device: torch.device, precision: str) -> Iterator[None]:
    """PyTorch's own choice, but for bf16 on a CPU: there attention is written out, with sums in bf16 as well.

    There, the fused kernel's backward pass is slow where tokens are few: `loop_speed` is the record of both. What comes
    out is the same up to rounding.
    """
    if device.type != "cpu" or precision != "bf16":
        yield
        return
    before = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)  # the switch of the CPU, too, whatever its name
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(before)
