"""What strangers send to the webhook listener costs next to nothing, and does not keep webhooks out for long."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from ftbridge.context import Context
from ftbridge.loopback import Limits, LoopbackServer
from ftbridge.watching.webhook_listener import LARGEST, LIMITS, webhook_app

MIB = 2**20


@pytest.fixture
def woken() -> list[str]:
    return []


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with Context(tmp_path / "home") as context:
        yield context


@pytest.fixture
def listener(context: Context, woken: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """A listener for openai, where every signature is valid; a connection may last half a second."""
    monkeypatch.setattr("ftbridge_providers.openai.adapter.OpenAIProvider.check_webhook", lambda *_: None)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    app = webhook_app(context, woken.append, {"openai"})
    with LoopbackServer(app, limits=Limits(LIMITS.connections, 0.5)) as server:
        yield server


def connect(server: LoopbackServer) -> socket.socket:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=5)


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def zeros(parts: int) -> Iterator[bytes]:
    for _part in range(parts):
        yield bytes(MIB)


def test_a_webhook_wakes_its_provider_and_ends_the_connection(listener: LoopbackServer, woken: list[str]) -> None:
    answer = httpx.post(f"{listener.url}/openai", content=bytes(LARGEST))
    assert (answer.status_code, answer.headers["connection"]) == (204, "close")
    assert woken == ["openai"]


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_a_body_that_is_too_large_is_refused_and_not_read(
    listener: LoopbackServer, woken: list[str], announced: bool
) -> None:
    before = peak()
    with connect(listener) as sending:
        length = b"content-length: 400000000" if announced else b"transfer-encoding: chunked"
        sending.sendall(b"POST /openai HTTP/1.1\r\nhost: me\r\n" + length + b"\r\n\r\n")
        sent = 0
        with suppress(OSError):
            for part in zeros(400):
                sending.sendall(part if announced else b"%x\r\n" % len(part) + part + b"\r\n")
                sent += len(part)
        assert sent < 50 * MIB
    content = bytes(LARGEST + 1)
    assert httpx.post(f"{listener.url}/openai", content=content if announced else iter([content])).status_code == 413
    assert peak() - before < 50
    assert woken == []


@pytest.mark.parametrize(
    "start",
    [b"", b"POST /openai HT", b"POST /openai HTTP/1.1\r\nhost: me\r\ncontent-length: 100\r\n\r\nhalf"],
    ids=["silent", "in the headers", "in the body"],
)
def test_who_stalls_holds_few_connections_and_not_for_long(
    listener: LoopbackServer, woken: list[str], start: bytes
) -> None:
    before = peak()
    with ExitStack() as stalled:
        held = [stalled.enter_context(connect(listener)) for _number in range(300)]
        for one in held:
            with suppress(OSError):  # it was one too many
                one.sendall(start)
        time.sleep(1.0)
        assert httpx.post(f"{listener.url}/openai", content=b"{}").status_code == 204
        for one in held:
            with suppress(ConnectionResetError):
                assert one.recv(1000) == b""
    assert woken == ["openai"]
    assert peak() - before < 50


@pytest.mark.parametrize("name", ["together", "mock+openai", "nobody", "..", "%2e%2e"])
def test_no_provider_is_opened_that_is_not_watched(
    listener: LoopbackServer, context: Context, woken: list[str], name: str
) -> None:
    assert httpx.post(f"{listener.url}/{name}", content=b"{}").status_code in (404, 405)
    assert woken == []
    assert not (context.home / "mock").exists()
