"""A small HTTP server on this machine: requests and answers as plain data, and connections that can be cut."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.utils import formatdate
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Part:
    """One part of a form; `file_name` is "" where it is a plain field."""

    file_name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """A request; the names of `headers` are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes

    @cached_property
    def body(self) -> Any:
        """The JSON document that came, or `None`."""
        is_json = self.headers.get("content-type", "").startswith("application/json")
        return json.loads(self.content) if is_json and self.content else None

    @cached_property
    def form(self) -> dict[str, Part]:
        """The parts of a form, by name."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return {}
        message: Any = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + self.content)
        return {
            part.get_param("name", header="content-disposition"): Part(
                part.get_filename() or "", part.get_payload(decode=True) or b""
            )
            for part in message.get_payload()
        }


@dataclass(frozen=True)
class Answer:
    """`content` stands in place of `body` where the answer is no JSON; with `aborted` only half of it is sent."""

    status: int = 200
    body: Any = None
    content: bytes | None = None
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    aborted: bool = False


class Cut(Exception):  # noqa: N818 - not an error, but what is to happen
    """The connection is to end without an answer."""


class Answering(Protocol):
    """What the server needs of a vendor."""

    problems: list[str]

    def now(self) -> float:
        """Seconds since 1970 by the vendor's clock."""

    def answer(self, call: Call) -> Answer:
        """Raises `Cut` where there is to be none."""


class StubServer(ThreadingHTTPServer):
    """`vendor` may be exchanged for another one while the server runs."""

    daemon_threads = True
    request_queue_size = 128
    vendor: Answering

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(vendor: Answering) -> Iterator[StubServer]:
    """A server on a free port of this machine, until the block ends."""
    with StubServer(("127.0.0.1", 0), _Handler) as server:
        server.vendor = vendor
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave together
    server: StubServer

    def _serve(self) -> None:
        vendor = self.server.vendor
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            answer = vendor.answer(Call(self.command, parts.path, query, headers, self._read(headers)))
            self._send(answer, vendor.now())
        except Cut:
            self._cut()
        except OSError:  # whoever asked is gone
            self.close_connection = True
        except Exception as problem:  # a stub that is wrong must not pass for a vendor with trouble
            vendor.problems.append(f"{self.command} {self.path}: {type(problem).__name__}: {problem}")
            self._cut()

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names that http.server looks for

    def _read(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, answer: Answer, at: float) -> None:
        content = json.dumps(answer.body).encode() if answer.content is None else answer.content
        if answer.status in (204, 304):
            content = b""
        self.send_response_only(answer.status)
        self.send_header("Date", formatdate(at, usegmt=True))
        for name, value in {"Content-Type": answer.kind, **answer.headers}.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if answer.aborted else content)
        self.wfile.flush()
        if answer.aborted:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_said: Any) -> None:
        """Nothing is logged."""
