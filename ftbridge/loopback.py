"""A small HTTP server on a loopback port, for mocked vendors and for the webhooks of real ones."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any, NamedTuple

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from ftbridge.errors import UsageError


class _Protocol(H11Protocol):
    """Passes the connection itself to the application, so that a mocked fault can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own type
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Limits(NamedTuple):
    """What strangers may take of a server: connections at a time, and the seconds that one may last."""

    connections: int
    seconds: float


def _limited(limits: Limits) -> type[_Protocol]:
    class Limited(_Protocol):
        """Closes a connection that is one too many, or lasts too long, whatever it is waiting for."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as above
            if len(self.connections) >= limits.connections:
                transport.abort()
                return
            super().connection_made(transport)
            self.end = self.loop.call_later(limits.seconds, transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            if self in self.connections:
                self.end.cancel()
                super().connection_lost(exc)

    return Limited


class LoopbackServer:
    """Serves an application from a thread for as long as the block lasts; port 0 is any free one.

    >>> with LoopbackServer(app) as server:                              # doctest: +SKIP
    ...     print(server.url)
    """

    def __init__(self, app: ASGIApp, port: int = 0, *, limits: Limits | None = None) -> None:
        self._socket = listen(port)
        self._server = _server(app, _limited(limits) if limits else _Protocol)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="ftbridge-loopback", daemon=True
        )
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> LoopbackServer:
        """Serve from now on; connections are accepted when this returns."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5)
        self._socket.close()

    def __enter__(self) -> LoopbackServer:
        return self.start()

    def __exit__(self, *_problem: Any) -> None:
        self.stop()


def serve(app: ASGIApp, listening: socket.socket) -> None:
    """Serve in the foreground until interrupted."""
    with listening:
        _server(app).run(sockets=[listening])


def listen(port: int) -> socket.socket:
    """A loopback socket that accepts connections even before they are served; port 0 is any free one.

    Raises `UsageError` for a port that cannot be opened.
    """
    try:
        listening = socket.create_server(("127.0.0.1", port), backlog=128)
    except OSError as problem:
        raise UsageError(
            f"port {port} of this machine cannot be used: {problem.strerror or problem}", hint="Give another one."
        ) from problem
    # inherited by each connection; without it a body waits 40 ms for the acknowledgement of the headers
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _server(app: ASGIApp, protocol: type[_Protocol] = _Protocol) -> uvicorn.Server:
    # uvicorn's own log_config would reset its loggers to INFO, also for another server that is just starting
    config = uvicorn.Config(
        app, http=protocol, loop="asyncio", lifespan="off", ws="none", log_config=None, log_level="critical"
    )
    return uvicorn.Server(config)
