"""A web server whose every answer can be read, one that refuses a request before all of it has come too.

A system resets a connection that is closed while bytes of the other side wait to be read, and the answer is lost with
it. So what still comes is read and dropped, for a while.

Source: https://www.rfc-editor.org/rfc/rfc9112, section 9.6.
"""

import asyncio
from contextlib import suppress
from socket import SHUT_WR, socket

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

PIECE = 2**18  # bytes that are read and dropped at once
PATIENCE = 30  # seconds in which the other side must come to an end
_draining: set[asyncio.Task] = set()  # or they would be collected while they wait


class Server(HTTPServer):
    """Tornado's, which closes its connections so."""

    def handle_stream(self, stream: IOStream, address: tuple) -> None:
        own = Stream(stream.socket, max_buffer_size=stream.max_buffer_size, read_chunk_size=stream.read_chunk_size)
        super().handle_stream(own, address)


class Stream(IOStream):
    """A connection that goes on reading when it is closed."""

    def close(self, *args) -> None:
        if not self.closed():
            with suppress(OSError):  # it is broken already
                _draining.add(task := asyncio.get_running_loop().create_task(_drain(self.socket.dup())))
                task.add_done_callback(_draining.discard)
        super().close(*args)


async def _drain(connection: socket) -> None:
    dropped = bytearray(PIECE)
    with connection, suppress(OSError, TimeoutError):
        connection.shutdown(SHUT_WR)
        async with asyncio.timeout(PATIENCE):
            while await asyncio.get_running_loop().sock_recv_into(connection, dropped):
                pass
