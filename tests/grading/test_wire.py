"""The bytes between grader and kernel: everything comes back as it was, and nothing that comes is trusted."""

import json
import socket
import threading

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vitcourse.grading.walled import wire

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def there_and_back(message):
    here, there = socket.socketpair()
    with here, there:
        threading.Thread(target=wire.send, args=(here, wire.pack(message), 5)).start()
        return wire.receive(there, 5)


@settings(max_examples=80, deadline=None)
@given(PLAIN)
def test_plain_data_comes_back_as_it_was(message):
    again = there_and_back(message)
    assert again == message
    assert repr(again) == repr(message)  # 1 is not True, a list is no tuple


@pytest.mark.parametrize(
    "tensor",
    [
        torch.randn(3, 4).t(),
        torch.randn(2, 3, dtype=torch.float64).expand(5, 2, 3),
        torch.tensor(2.5, dtype=torch.bfloat16),
        torch.zeros(0, 3),
        torch.tensor([True, False]),
        torch.tensor([torch.nan, torch.inf]),
        torch.arange(4),
        torch.randn(2, dtype=torch.complex128).conj(),
    ],
    ids=["turned", "expanded", "one number", "empty", "truth values", "not finite", "whole", "complex"],
)
def test_tensors_come_back_as_they_were(tensor):
    again = there_and_back({"args": [tensor, (tensor, "x")]})
    assert again["args"][1][1] == "x"
    for value in (again["args"][0], again["args"][1][0]):
        assert value.dtype == tensor.dtype
        assert torch.equal(value.nan_to_num(7), tensor.nan_to_num(7))
        assert not value.requires_grad


@pytest.mark.parametrize(
    "value",
    [object(), {1: 2}, {"a": {3}}, torch.zeros(2).to_sparse(), torch.zeros(2, device="meta"), 10**5000],
    ids=["object", "number as key", "set", "sparse", "meta", "long number"],
)
def test_what_is_not_plain_is_not_sent(value):
    with pytest.raises(wire.NotPlainError):
        wire.pack({"value": value})


def test_a_list_that_holds_itself_is_not_sent():
    endless = []
    endless.append(endless)
    with pytest.raises(wire.NotPlainError):
        wire.pack(endless)


def test_a_message_that_is_too_large_is_not_sent(monkeypatch):
    monkeypatch.setattr(wire, "LIMIT", 1000)
    with pytest.raises(wire.NotPlainError, match="more than 1,000"):
        wire.pack(torch.zeros(1000))


@pytest.mark.parametrize(
    ("text", "block"),
    [
        (b"{", b""),
        (b'{"a": 1, "b": 2}', b""),
        (b'{"other": 1}', b""),
        (b'{"tensor": "0"}', b""),
        (b'{"tensor": ["0"]}', b""),
        (b'{"complex": 5}', b""),
        (b'{"dict": [1]}', b""),
        (b'{"dict": 7}', b""),
        (b"[" * 100_000, b""),
        (b"9" * 10_000, b""),
        (b"\xff", b""),
        (b"null", b"no safetensors"),
        (b"null", (2**60).to_bytes(8, "little") + b"{}"),
    ],
)
def test_bytes_that_are_no_message_are_refused(text, block):
    with pytest.raises(wire.WireError):
        wire.unpack(text, block)


@pytest.mark.parametrize("text", ["x" * 10**6, "é" * 10**6, "\ud800" * 2000, '"[' * 5000, "", "\0" * 3000])
def test_long_texts_come_back_beside_the_short_part(text):
    message = wire.pack({"outputs": [text, (text,)]})
    assert wire.HEADER.unpack(message[: wire.HEADER.size])[0] < 20_000
    assert there_and_back({"outputs": [text, (text,)]}) == {"outputs": [text, (text,)]}


FLOODS = {
    "pairs": b"[" + b"[]," * 400_000 + b"1]",
    "nesting": b"[" * 400 + b"]" * 400,
    "keys": b"[" + b'{"":1},' * 200_000 + b"1]",
}


@pytest.mark.parametrize("flood", FLOODS)
def test_a_text_that_would_grow_in_memory_is_refused_before_it_is_parsed(flood, monkeypatch):
    monkeypatch.setattr(json, "loads", None)  # calling it would be a TypeError
    here, there = socket.socketpair()
    with here, there:
        text = FLOODS[flood]
        here.setblocking(False)  # what does not fit into the socket is not read either
        here.send(wire.HEADER.pack(len(text), 0) + text)
        with pytest.raises(wire.WireError, match=r"bytes, more than 1,048,576|RecursionError"):
            wire.receive(there, 5)
    with pytest.raises(wire.NotPlainError, match="more than"):
        wire.pack([[]] * 600_000 if flood == "pairs" else nested(400) if flood == "nesting" else [{"": 1}] * 200_000)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def test_the_list_of_contents_of_a_block_is_bounded_too():
    block = safetensors.torch.save({str(index): torch.zeros(0) for index in range(30_000)})
    with pytest.raises(wire.WireError, match="bytes of contents, more than"):
        wire.unpack(b"null", block)
    with pytest.raises(wire.NotPlainError, match="more than 1,048,576"):
        wire.pack([torch.zeros(0)] * 30_000)


@pytest.mark.parametrize("kind", ["tensor", "string"])
def test_a_tensor_comes_once(kind):
    """A message of 1 MB could name one of 200 MB ten thousand times, for the grader to copy."""
    block = safetensors.torch.save({"0": torch.ones(4, dtype=torch.uint8)})
    wire.unpack(json.dumps([{kind: "0"}]).encode(), block)
    with pytest.raises(wire.WireError):
        wire.unpack(json.dumps([{kind: "0"}] * 2).encode(), block)


def test_a_truth_value_is_0_or_1():
    """A byte of 2 in a boolean tensor would compare in ways that no check expects."""
    block = bytearray(safetensors.torch.save({"0": torch.tensor([True, False])}))
    block[-2:] = b"\x02\x80"
    (value,) = wire.unpack(json.dumps([{"tensor": "0"}]).encode(), bytes(block))
    assert value.view(torch.uint8).tolist() == [1, 1]


def test_a_message_is_not_read_beyond_its_limit_or_its_time():
    here, there = socket.socketpair()
    with here, there:
        here.sendall(wire.HEADER.pack(10**12, 0))
        with pytest.raises(wire.WireError, match=r"1,000,000,000,000 bytes, more than 100"):
            wire.receive(there, 5, limit=100)
        here.sendall(wire.HEADER.pack(100, 0) + b"x" * 50)
        with pytest.raises(wire.WireTimeoutError):
            wire.receive(there, 0.2)
        here.close()
        with pytest.raises(wire.WireError, match="closed"):
            wire.receive(there, 5)
