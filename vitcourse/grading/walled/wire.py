"""Plain data over a socket: JSON for the structure, safetensors for the numbers. Nothing that is read is executed.

What can be sent: tensors, numbers, strings, truth values, None, and lists, tuples and dicts (with string keys) of
these. A message is two lengths of 8 bytes, the JSON text and the safetensors block. Long strings go into the block too:
the text, which takes many times its size once it is parsed, is short, and each part has a bound that is looked at
before the part is read, and another before it is parsed.
"""

import json
import socket
import struct
import time

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from vitcourse.grading import bounded_json

HEADER = struct.Struct("!QQ")
LIMIT = 256 * 2**20  # bytes of one message
TEXT_LIMIT = 2**20  # bytes of its text, and of the list of contents of its block
DEPTH = 300  # lists inside one another in the text
LONG = 1000  # characters of a string that goes into the block
# A dict stands for what JSON does not have; one key of a student's own dict cannot be mistaken for these.
TENSOR, COMPLEX, STRING, TUPLE, DICT = "tensor", "complex", "string", "tuple", "dict"


class WireError(Exception):
    """The other side has gone, or sent something that is no message."""


class WireTimeoutError(WireError):
    """No whole message came in time."""


class NotPlainError(TypeError):
    """A value that cannot be sent."""


def pack(message: object) -> bytes:
    """A message as bytes.

    Raises:
        NotPlainError: a value of another type, a message larger than `LIMIT` or `TEXT_LIMIT`, or one that holds itself.
    """
    tensors: dict[str, Tensor] = {}
    try:
        text = json.dumps(_encode(message, tensors))
        bounded_json.check(text, TEXT_LIMIT, DEPTH)
        block = safetensors.torch.save(tensors) if tensors else b""
    except NotPlainError:
        raise
    except (RecursionError, ValueError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
        raise NotPlainError(f"{type(error).__name__}: {error}") from error
    for size, most in ((len(text) + len(block), LIMIT), (len(text), TEXT_LIMIT), (_contents(block), TEXT_LIMIT)):
        if size > most:
            raise NotPlainError(f"{size:,} bytes, more than {most:,}")
    return HEADER.pack(len(text), len(block)) + text.encode() + block


def unpack(text: bytes, block: bytes) -> object:
    """The message again.

    Raises:
        WireError: the bytes are no message.
    """
    if _contents(block) > TEXT_LIMIT:
        raise WireError(f"a message of {_contents(block):,} bytes of contents, more than {TEXT_LIMIT:,}")
    try:
        tensors = safetensors.torch.load(block) if block else {}
        # A truth value must be 0 or 1: a byte of 2 would be equal to neither, or to both.
        tensors = {name: t.view(torch.uint8) != 0 if t.dtype == torch.bool else t for name, t in tensors.items()}
        return _decode(bounded_json.loads(text.decode(), TEXT_LIMIT, DEPTH), tensors)
    except (RecursionError, ValueError, KeyError, TypeError, RuntimeError, safetensors.SafetensorError) as error:
        raise WireError(f"not a message ({type(error).__name__})") from error


def _contents(block: bytes) -> int:
    """Bytes of the list of contents that safetensors has put before the numbers."""
    return int.from_bytes(block[:8], "little")


def _encode(value: object, tensors: dict[str, Tensor]) -> object:
    if isinstance(value, Tensor) and value.is_complex():
        # Not all complex types are safetensors'.
        return {COMPLEX: _encode(torch.view_as_real(value.detach().as_subclass(Tensor).resolve_conj()), tensors)}
    if isinstance(value, Tensor):
        name = str(len(tensors))
        # A copy of its own: safetensors refuses tensors that share memory.
        tensors[name] = torch.clone(value.detach().as_subclass(Tensor), memory_format=torch.contiguous_format)
        return {TENSOR: name}
    if type(value) is str and len(value) > LONG:
        data = bytearray(value.encode("utf-8", "surrogatepass"))
        return {STRING: _encode(torch.frombuffer(data, dtype=torch.uint8), tensors)[TENSOR]}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [_encode(entry, tensors) for entry in value]
    if isinstance(value, tuple):
        return {TUPLE: [_encode(entry, tensors) for entry in value]}
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {DICT: [[key, _encode(entry, tensors)] for key, entry in value.items()]}
    raise NotPlainError(f"a value of type {type(value).__name__}")


def _decode(value: object, tensors: dict[str, Tensor]) -> object:
    if isinstance(value, list):
        return [_decode(entry, tensors) for entry in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == TENSOR:
        # Once: whoever copies what came, and finds a tensor a thousand times in it, would copy it a thousand times.
        return tensors.pop(content)
    if kind == STRING:
        return tensors.pop(content).numpy().tobytes().decode("utf-8", "surrogatepass")
    if kind == COMPLEX:
        return torch.view_as_complex(_decode(content, tensors))
    if kind == TUPLE:
        return tuple(_decode(entry, tensors) for entry in content)
    if kind == DICT:
        return {str(key): _decode(entry, tensors) for key, entry in content}
    raise ValueError(kind)


def send(channel: socket.socket, data: bytes, seconds: float | None = None) -> None:
    """Sends packed bytes.

    Raises:
        WireTimeoutError: the other side does not read them in time.
        WireError: the other side has gone.
    """
    try:
        channel.settimeout(seconds)
        channel.sendall(data)
    except TimeoutError as error:
        raise WireTimeoutError("no answer") from error
    except OSError as error:
        raise WireError("closed") from error


def receive(channel: socket.socket, seconds: float | None = None, limit: int = LIMIT) -> object:
    """The next message.

    Args:
        channel: a connected stream socket.
        seconds: how long to wait for the whole of it; None waits forever.
        limit: bytes that it may have.

    Raises:
        WireTimeoutError: it did not come in time.
        WireError: the other side has gone, or sent something else.
    """
    end = None if seconds is None else time.monotonic() + seconds
    text_bytes, block_bytes = HEADER.unpack(_exactly(channel, HEADER.size, end))
    for size, most in ((text_bytes + block_bytes, limit), (text_bytes, TEXT_LIMIT)):
        if size > most:
            raise WireError(f"a message of {size:,} bytes, more than {most:,}")
    return unpack(_exactly(channel, text_bytes, end), _exactly(channel, block_bytes, end))


def _exactly(channel: socket.socket, count: int, end: float | None) -> bytes:
    data = bytearray()
    while len(data) < count:
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise WireTimeoutError("no answer in time")
        try:
            channel.settimeout(left)
            part = channel.recv(min(count - len(data), 2**20))
        except TimeoutError as error:
            raise WireTimeoutError("no answer in time") from error
        except OSError as error:
            raise WireError("closed") from error
        if not part:
            raise WireError("closed")
        data += part
    return bytes(data)
