"""A server of ``vitcourse serve`` in a thread of its own, and requests to it."""

import asyncio
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

import torch
from PIL import Image

from vitcourse.commands import server
from vitcourse.commands.answering import Answering
from vitcourse.faces.runs import THRESHOLD
from vitcourse.training.description import Description, preprocessing

LABELS = ["dark", "bright"]


def answers(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A model that tells light from dark, and boxes the left half."""
    mean = images.float().mean((1, 2, 3)) / 255
    return torch.stack([10 - 20 * mean, 20 * mean - 10], 1), torch.tensor([[0.0, 0.0, 0.5, 1.0]]).expand(len(images), 4)


def answering(model: Callable = answers) -> Answering:
    """Of pictures in between it says that it does not know them."""
    metrics = {"accuracy": 1.0, "valid_accuracy": 0.75, THRESHOLD: 0.9}
    return Answering(Description("lights", LABELS, preprocessing(8), metrics, {}), model)


@contextmanager
def running(answering: Answering) -> Iterator[str]:
    """Serves on a free port; gives the address."""
    started, addresses = threading.Event(), []

    async def main() -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        served, address = server.start(answering, 0)
        addresses.extend([address, loop, ended])
        started.set()
        await ended.wait()
        served.stop()
        await served.close_all_connections()

    thread = threading.Thread(target=asyncio.run, args=[main()])
    thread.start()
    started.wait(60)
    try:
        yield addresses[0]
    finally:
        addresses[1].call_soon_threadsafe(addresses[2].set)
        thread.join()


def picture(value: int = 255, form: str = "PNG", size: tuple[int, int] = (40, 20)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, (value,) * 3).save(stream, form)
    return stream.getvalue()


def asked(address: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, object, dict]:
    """The status of an answer, what it holds, and its headers."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = HTTPConnection(urlsplit(address).netloc, timeout=900)
    connection.request(method, path, body, names)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    is_json = answer.headers.get_content_type() == "application/json"
    return answer.status, json.loads(content) if is_json else content, dict(answer.headers)


def sent(address: str, raw: bytes) -> bytes:
    """What comes back for bytes that are sent as they are."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=900) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received
