"""Weights as a script: what a page reads back is what went in, to 8 bits."""

import json

import torch

from vitcourse.weights.script import as_script, pack, unpack


def test_a_script_gives_the_weights_back():
    torch.manual_seed(0)
    weights = {"w": torch.randn(31, 77), "b": torch.randn(31), "few": torch.randn(3, 5), "w2": torch.randn(50, 50)}
    weights["w"][3] = 0  # a row without a scale
    weights["w"][4] *= 1e-3
    script = as_script("small", weights, depth=2)
    found = unpack(json.loads(script.removeprefix('Explore.give("small", ').removesuffix(");\n")))
    assert list(found) == list(weights)
    for name in ("w", "w2"):
        step = weights[name].abs().amax(dim=1, keepdim=True) / 127
        assert ((found[name] - weights[name]).abs() <= 0.6 * step + 1e-6).all()
    for name in ("b", "few"):
        torch.testing.assert_close(found[name], weights[name], rtol=1e-3, atol=1e-6)


def test_a_table_takes_a_byte_for_a_number():
    packed = pack({"table": torch.randn(50, 96), "one": torch.tensor(2.5)})
    assert len(packed["bytes"]) == 4 * -(-(50 * 96 + 2 * 50 + 2) // 3)  # numbers, scales, and the one in half
    assert unpack(packed)["one"] == 2.5


def test_facts_stand_in_the_script():
    assert '"depth":2' in as_script("small", {"b": torch.zeros(1)}, depth=2)
