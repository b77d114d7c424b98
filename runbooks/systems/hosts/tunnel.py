"""Forwards connections at a port of this machine's loopback, for the time of a block.

Fabric's own ``forward_local`` wants a port that is known to be free, and looks every 10 ms.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

from runbooks.engine.errors import SystemFault

CHUNK = 64 * 1024


@contextlib.contextmanager
def forwarded(connect: Callable[[], socket.socket]) -> Iterator[str]:
    """The ``ADDRESS:PORT`` of which each connection goes on where ``connect`` leads; it is closed where that fails."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(SystemFault), contextlib.closing(connect()) as there:
                there.settimeout(None)
                back = threading.Thread(target=_pump, args=(there, self.request), name="tunnel", daemon=True)
                back.start()
                _pump(self.request, there)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """A connection that was cut is its own client's error."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="tunnel", daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Everything that comes, then the end of it."""
    with contextlib.suppress(OSError, EOFError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
    with contextlib.suppress(OSError, EOFError):
        if isinstance(sink, socket.socket):
            sink.shutdown(socket.SHUT_WR)
        else:
            sink.shutdown_write()
