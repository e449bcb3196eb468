"""The server of ``vitcourse serve``: one page and a JSON interface, for programs and browsers on this machine alone.

    GET /about          what the model is: kind, labels, size, metrics, limits
    POST /predict?top=3 an image file as the body, its type image/… or application/octet-stream; the answer of
                        `asl.answers.answer`, or {"error": …} with the status 4xx or 5xx

It listens on the loopback address, and answers to no name but its own and to no page of another site: a page from
elsewhere, open in the same browser, can neither ask it nor read what it says. One image is computed at a time; the
others wait, a limited number of them and for a limited time.
"""

import asyncio
import io
import logging
import re
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import responses
from pathlib import Path
from urllib.parse import urlsplit

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler, stream_request_body

from vitcourse.commands.answering import Answering
from vitcourse.commands.draining import Server
from vitcourse.data.images import decode
from vitcourse.errors import DataError, InputError

ADDRESS = "127.0.0.1"
PAGE = Path(__file__).with_name("page")
FILES = {"": "page.html", "page.css": "page.css", "page.js": "page.js"}
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
MOST_BYTES = 12 * 2**20  # of one image
TOO_LARGE = f"an image may have {MOST_BYTES:,} bytes"
MOST_WAITING = 64  # images that are here and not yet answered
PATIENCE = 30  # seconds that an image may take to arrive, and then wait for its turn
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob: data:; media-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RefusedError(HTTPError):
    """A request that gets no answer, and what its sender is told of it."""

    def __init__(self, status: int, told: str):
        super().__init__(status)
        self.told = told


@stream_request_body
class Handler(RequestHandler):
    """What all answers share. What is sent to them is dropped as it comes, and held by none but `Predict`."""

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        """Refuses what was meant for another host (a name that was made to point here), or comes from another site."""
        own = {f"{name}:{self.settings['port']}" for name in (ADDRESS, "localhost")}
        if self.request.host.lower() not in own:
            raise RefusedError(403, "this server answers to 127.0.0.1 and localhost alone")
        origin = self.request.headers.get("Origin")
        if origin is not None and (urlsplit(origin).scheme != "http" or urlsplit(origin).netloc not in own):
            raise RefusedError(403, "a page of another site asked")

    def data_received(self, chunk: bytes) -> None:
        """Nothing is done with it."""

    def write_error(self, status_code: int, exc_info: tuple = (None, None, None), **_) -> None:
        told = exc_info[1].told if isinstance(exc_info[1], RefusedError) else responses.get(status_code, "unknown")
        if status_code == 503:
            self.set_header("Retry-After", "1")
        self.finish({"error": told})


class Missing(Handler):
    """Whatever is not served."""

    def prepare(self) -> None:
        super().prepare()
        raise HTTPError(404)


class Page(Handler):
    """The page, its style and its script."""

    def get(self, name: str) -> None:
        file = PAGE / FILES[name]
        self.set_header("Content-Type", f"{TYPES[file.suffix]}; charset=utf-8")
        self.finish(file.read_bytes())


class About(Handler):
    """What the model is."""

    def get(self) -> None:
        description = self.settings["answering"].description
        limits = {"bytes": MOST_BYTES, "waiting": MOST_WAITING, "seconds": PATIENCE}
        told = {name: getattr(description, name) for name in ("kind", "labels", "preprocessing", "metrics")}
        self.finish(told | {"limits": limits})


class Predict(Handler):
    """The answer to one image. Its bytes are counted as they come: no more than the limit is ever held."""

    def initialize(self) -> None:
        self.body = bytearray()
        self.counted = False  # among those that wait
        self.late = None  # what ends the wait for the bytes

    def prepare(self) -> None:
        super().prepare()
        if self.request.method != "POST":
            raise HTTPError(405)
        kind = self.request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if not kind.startswith("image/") and kind != "application/octet-stream":
            raise RefusedError(415, "an image is expected, sent as image/... or application/octet-stream")
        length = self.request.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length) > MOST_BYTES:
            raise RefusedError(413, TOO_LARGE)
        if self.settings["waiting"] >= MOST_WAITING:
            raise RefusedError(503, "too many images wait already")
        self.settings["waiting"] += 1
        self.counted = True
        self.late = asyncio.get_running_loop().call_later(
            PATIENCE, self._refuse, RefusedError(408, f"the image did not come within {PATIENCE} seconds")
        )

    def data_received(self, chunk: bytes) -> None:
        self.body += chunk
        if len(self.body) > MOST_BYTES:  # of an image whose length was not told
            self._refuse(RefusedError(413, TOO_LARGE))

    def _refuse(self, error: RefusedError) -> None:
        """While the bytes still come."""
        self.body.clear()
        self.send_error(error.status_code, exc_info=(RefusedError, error, None))

    async def post(self) -> None:
        self.late.cancel()
        top = self.get_query_argument("top", "3")
        if not re.fullmatch("[1-9][0-9]{0,3}", top):
            raise RefusedError(400, "top must be a number from 1 to 9999")
        work = asyncio.get_running_loop().run_in_executor(
            self.settings["worker"], _answered, self.settings["answering"], bytes(self.body), int(top), time.monotonic()
        )
        try:
            self.finish(await work)
        except DataError as error:
            raise RefusedError(422, error.problem) from error
        except TimeoutError as error:
            raise RefusedError(503, f"its turn did not come within {PATIENCE} seconds") from error

    def on_finish(self) -> None:
        self._leave()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        self._leave()

    def _leave(self) -> None:
        if self.late is not None:
            self.late.cancel()
        self.settings["waiting"] -= self.counted
        self.counted = False


def _answered(answering: Answering, body: bytes, top: int, since: float) -> dict:
    """In the one thread that computes."""
    if time.monotonic() - since > PATIENCE:
        raise TimeoutError
    return answering(decode(io.BytesIO(body)), top)


def start(answering: Answering, port: int) -> tuple[HTTPServer, str]:
    """Listens, in the running event loop; gives the server and its address.

    Raises:
        InputError: the port is taken.
    """
    try:
        sockets = bind_sockets(port, address=ADDRESS)
    except OSError as error:
        raise InputError(f"port {port} of this machine cannot be used ({error.strerror})") from error
    port = sockets[0].getsockname()[1]
    routes = [(r"/about", About), (r"/predict", Predict), (rf"/({'|'.join(FILES)})", Page)]
    worker = ThreadPoolExecutor(1, thread_name_prefix="answers")
    settings = {"answering": answering, "worker": worker, "waiting": 0, "port": port, "default_handler_class": Missing}
    # Of a body nothing is held but by `Predict`, which counts and has a clock of its own.
    limits = {"max_body_size": sys.maxsize, "body_timeout": 2 * PATIENCE, "idle_connection_timeout": PATIENCE}
    server = Server(Application(routes, **settings), **limits)
    server.add_sockets(sockets)
    return server, f"http://{ADDRESS}:{port}/"


def serve(answering: Answering, port: int, on_start: Callable[[str], None]) -> None:
    """Answers until it is interrupted or told to end; ``on_start`` is called with the address."""

    async def answer_all() -> None:
        server, address = start(answering, port)
        ended = asyncio.Event()
        for sign in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(sign, ended.set)
        on_start(address)
        await ended.wait()
        server.stop()
        await server.close_all_connections()

    logging.getLogger("tornado").setLevel(logging.ERROR)  # a broken request is told to who sent it, and no concern here
    asyncio.run(answer_all())
