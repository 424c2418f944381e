"""A hook that answers without end, or never, takes no memory and keeps no watch from ending."""

from __future__ import annotations

import resource
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.config import Hook
from ftbridge.ledger import due
from ftbridge.model import now
from ftbridge.watching import hooks
from watching_helpers import OPENAI

Open = Callable[..., Bridge]
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_HOOK_SECRET", SECRET)
    monkeypatch.setattr(hooks, "_PATIENCE", 0.5)


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that treats each connection by `answer`, and ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _address = listening.accept()
                    threading.Thread(target=treat, args=(connection,), daemon=True).start()

        def treat(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                connection.recv(65536)
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/hook"


def drip_head(connection: socket.socket) -> None:
    for byte in HEAD * 10:
        connection.send(bytes([byte]))
        time.sleep(0.1)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _count in range(200):
        connection.send(b".")
        time.sleep(0.1)


def flood(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _count in range(300):
        connection.sendall(b"." * 1_000_000)


def post(url: str) -> str | None:
    return hooks._post(Hook(url=url), "id.1", b"{}", b"0" * 32)


def test_an_answer_that_drips_is_given_up_as_a_whole() -> None:
    with answering(drip_head) as url:
        began = time.monotonic()
        assert post(url) == "it did not answer within 0 s"
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("answer", [drip_body, flood])
def test_what_follows_the_status_is_not_read(answer: Callable[[socket.socket], None]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with answering(answer) as url:
        began = time.monotonic()
        assert post(url) is None
        assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


def test_it_may_be_called_where_an_event_loop_runs() -> None:
    import asyncio

    async def main() -> str | None:
        return post(url)

    with answering(drip_body) as url:
        assert asyncio.run(main()) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import sys\nfor _ in range(300): sys.stdout.write('.' * 10**6)", None),
        ("import sys\nfor _ in range(50): sys.stderr.write('.' * 10**6)\nsys.exit('\\nthe last')", "the last"),
        ("import time; time.sleep(60)", "did not end within"),
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])", "was killed"),
        ("import subprocess, sys; subprocess.Popen(['sleep', '3']); sys.exit('left one')", "left one"),
    ],
)
def test_a_command_is_bounded_with_what_it_writes_and_starts(
    script: str, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "_PATIENCE", 2.0)
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    problem = hooks._run(Hook(command=(sys.executable, "-c", script)), b"x" * 1_000_000)
    assert time.monotonic() - began < 5
    assert (problem is None) if why is None else (problem and why in problem)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


@pytest.mark.parametrize("command", [("no-such-program",), ("a\0b",)])
def test_a_command_that_cannot_run_gets_a_sentence(command: tuple[str, ...]) -> None:
    assert hooks._run(Hook(command=command), b"{}")


def test_a_hook_that_never_answers_keeps_neither_another_hook_nor_the_watch(
    open_bridge: Open, data: Path, tmp_path: Path
) -> None:
    received = tmp_path / "heard"
    with answering(drip_head) as url:
        bridge = open_bridge(
            hooks={"a-slow": {"url": url}, "fine": {"command": ["sh", "-c", f"printf x >> {received}"]}}
        )
        began = time.monotonic()
        job = bridge.wait(bridge.submit(data, to=OPENAI))
        assert time.monotonic() - began < 20
    messages = [event for event in bridge.events(job) if event.kind in ("status", "message")]
    assert len(received.read_text()) == len(messages)
    slow = next(name for name in bridge.hooks.callable if name.startswith("a-slow"))
    assert len(due(bridge.ledger, now().replace(year=9999), [slow])) == len(messages)
