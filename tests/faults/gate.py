"""A gate before a mocked vendor: it writes down each point that a request passes, and holds one of them."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID = re.compile(r"(?<=/)(?:[a-z]+-)?[0-9a-f]{4,}[0-9a-f-]*")
_CHANGES = ("POST", "PUT")
"""A request of another kind leaves nothing behind, so its answer is no point of its own."""


class Point(NamedTuple):
    """`at` is the machine's own clock, the same in every process."""

    at: float
    name: str


class Gate:
    """An ASGI application that passes everything on to `app`, which is set, and set anew, from outside.

    The points of a request: `… arrives`, before the vendor knows of it; `… is half sent`, for a file, of which the
    vendor has seen the first bytes; `… is carried out`, before the answer leaves.
    """

    app: ASGIApp

    def __init__(self) -> None:
        self.passed: list[Point] = []
        self.reached = threading.Event()
        self._opened = threading.Event()
        self._held = ""
        self._drops = False

    def watch(self, held: str = "") -> None:
        """Begin a new list of points, and hold the first request that comes to the point `held`."""
        self.passed = []
        self.reached.clear()
        self._opened.clear()
        self._held = held

    def open(self, *, drop: bool) -> None:
        """Let go of what is held; with `drop` a request that was not carried out never will be."""
        self._drops = drop
        self._opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        asked = f"{scope['method']} {_ID.sub('ID', scope['path'])}"
        carries_file = scope["method"] in _CHANGES and (b"content-type", b"application/json") not in scope["headers"]
        first = None if carries_file else await receive()  # a short request has come whole, whoever dies from now on

        async def take() -> Message:
            nonlocal first
            if first is not None:
                message, first = first, None
                return message
            message = await receive()
            if carries_file and message.get("body") and await self._pass(f"{asked} is half sent"):
                return {"type": "http.disconnect"}
            return message

        async def answer(message: Message) -> None:
            hung_up = scope["state"]["transport"].is_closing()
            if message["type"] == "http.response.start" and scope["method"] in _CHANGES and not hung_up:
                await self._pass(f"{asked} is carried out")
            await send(message)

        if await self._pass(f"{asked} arrives"):
            scope["state"]["transport"].abort()
        else:
            await self.app(scope, take, answer)

    async def _pass(self, name: str) -> bool:
        """Whether the request is to be dropped here."""
        self.passed.append(Point(time.monotonic(), name))
        if name != self._held:
            return False
        self._held = ""
        self.reached.set()
        while not self._opened.is_set():
            await asyncio.sleep(0.002)
        return self._drops
