"""Weights as a script, for models that compute in a page: 8 bits a number, and nothing is fetched.

A browser that shows a page from a file may not fetch another file; a script it loads. So the numbers stand in one.
"""

import base64
import json
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

FEW = 2000  # numbers; a smaller tensor keeps half precision
LEAST = 2.0**-24  # above 0 in half precision: the scale of a row of zeros


def as_script(name: str, weights: Mapping[str, Tensor], **facts) -> str:
    """JavaScript that hands weights to the page's module: ``Explore.give(name, {tensors, bytes, …facts})``, as `pack`
    makes them."""
    return f"Explore.give({json.dumps(name)}, {json.dumps(facts | pack(weights), separators=(',', ':'))});\n"


def pack(weights: Mapping[str, Tensor]) -> dict:
    """Weights in a form that JSON can hold.

    A matrix (rows, columns) is kept as ``scale * q``, with q from -127 to 127 and a scale for each row, in half
    precision; biases, norms and small matrices are kept in half precision.

    Returns:
        ``tensors``: a list of (name, shape, offset in bytes, kind), and ``bytes``: their content in base64.
    """
    tensors, content = [], bytearray()
    for key, tensor in weights.items():
        values = tensor.detach().float()
        small = values.ndim != 2 or values.numel() < FEW
        tensors.append((key, list(values.shape), len(content), "half" if small else "rows"))
        content += _half(values) if small else _rows(values)
        content += bytes(len(content) % 2)  # halves begin at even places
    return {"tensors": tensors, "bytes": base64.b64encode(content).decode()}


def unpack(packed: Mapping) -> dict[str, Tensor]:
    """The weights that `pack` has kept, as the page computes with them."""
    content, weights = base64.b64decode(packed["bytes"]), {}
    for name, shape, offset, kind in packed["tensors"]:
        count = math.prod(shape)
        rows = shape[0] if kind == "rows" else count
        values = np.frombuffer(content, "<f2", rows, offset).astype(np.float32)
        if kind == "rows":
            values = values[:, None] * np.frombuffer(content, np.int8, count, offset + 2 * rows).reshape(rows, -1)
        weights[name] = torch.from_numpy(values.reshape(shape))
    return weights


def _half(values: Tensor) -> bytes:
    return values.half().numpy().tobytes()


def _rows(values: Tensor) -> bytes:
    """The scales of all rows, then their numbers."""
    scales = (values.abs().amax(dim=1, keepdim=True) / 127).clamp(min=LEAST).half().float()
    numbers = (values / scales).round().clamp(-127, 127)
    return _half(scales) + numbers.to(torch.int8).numpy().tobytes()
