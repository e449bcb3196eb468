"""Weights as a script: what a page reads back is what went in, to 8 bits."""

import base64
import json

import numpy as np
import torch

from vitcourse.weights.script import as_script


def read_back(script: str) -> dict[str, torch.Tensor]:
    """As vit.js does it."""
    given = json.loads(script.removeprefix('Explore.give("small", ').removesuffix(");\n"))
    content, found = base64.b64decode(given["bytes"]), {}
    for name, shape, offset, kind in given["tensors"]:
        count = int(np.prod(shape))
        rows = shape[0] if kind == "rows" else count
        halves = np.frombuffer(content, "<f2", rows, offset).astype(np.float32)
        if kind == "rows":
            numbers = np.frombuffer(content, np.int8, count, offset + 2 * rows).reshape(shape)
            halves = halves[:, None] * numbers
        found[name] = torch.from_numpy(halves).reshape(shape)
    return found


def test_a_script_gives_the_weights_back():
    torch.manual_seed(0)
    weights = {"w": torch.randn(31, 77), "b": torch.randn(31), "few": torch.randn(3, 5), "w2": torch.randn(50, 50)}
    weights["w"][3] = 0  # a row without a scale
    weights["w"][4] *= 1e-3
    found = read_back(as_script("small", weights, depth=2))
    assert list(found) == list(weights)
    for name in ("w", "w2"):
        step = weights[name].abs().amax(dim=1, keepdim=True) / 127
        assert ((found[name] - weights[name]).abs() <= 0.6 * step + 1e-6).all()
    for name in ("b", "few"):
        torch.testing.assert_close(found[name], weights[name], rtol=1e-3, atol=1e-6)


def test_facts_stand_in_the_script():
    assert '"depth":2' in as_script("small", {"b": torch.zeros(1)}, depth=2)
