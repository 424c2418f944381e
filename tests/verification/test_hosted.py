"""A job of a hosted vendor against a server: answers are compared, and it is said that prompts cannot be."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import UsageError
from ftbridge.model import Job
from ftbridge.testing import ROWS
from small_data import write_rows

ANSWER = "one"
"""What the mocked vendor's tuned models say to "Say one."."""


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server whose models always say the same: `request.param`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/v1/models": {"data": [{"id": "base"}, {"id": "tuned", "parent": "base"}]}}
            self._say(known.get(self.path))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            choice = {"message": {"content": f"{request.param}"}, "finish_reason": "stop"}
            known = {"/v1/chat/completions": {"model": asked["model"], "choices": [choice]}}
            self._say(known.get(self.path))

        def _say(self, reply: object) -> None:
            self.send_response(200 if reply else 404)
            self.end_headers()
            self.wfile.write(json.dumps(reply or {"detail": "Not Found"}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own word
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}/v1/"
    made.shutdown()
    made.server_close()


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    asked, said = {"role": "user", "content": "Say one."}, {"role": "assistant", "content": ANSWER}
    file = tmp_path / "asked.jsonl"
    file.write_text(json.dumps({"messages": [asked, said]}) + "\n", "utf-8")
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", ROWS)


@pytest.fixture
def tuned(open_bridge: Callable[..., Bridge], data: Path) -> tuple[Bridge, Job]:
    bridge = open_bridge()
    return bridge, bridge.wait(bridge.submit(data, to="openai:gpt-4.1-mini-2025-04-14"), timeout=60)


@pytest.mark.parametrize(("server", "codes"), [(ANSWER, []), ("two", ["unexplained"])], indirect=["server"])
def test_answers_alone_are_compared(tuned: tuple[Bridge, Job], server: str, rows: Path, codes: list[str]) -> None:
    bridge, job = tuned
    found = bridge.verify(job, at=server, rows=rows)
    assert [cause.code for cause in found.causes] == codes
    assert found.same == (not codes)
    assert found.served.model == "tuned"  # of a base and its only adapter
    assert [row.prompt for row in found.rows] == ["unknown"]
    assert found.not_compared == (
        "Prompts: openai does not tell which tokens its models read, so only answers are compared.",
    )


@pytest.mark.parametrize("server", [ANSWER], indirect=True)
def test_a_model_that_the_server_does_not_have_is_named_with_those_it_has(
    tuned: tuple[Bridge, Job], server: str, rows: Path
) -> None:
    bridge, job = tuned
    assert bridge.verify(job, at=server, rows=rows, model="base").served.model == "base"
    with pytest.raises(UsageError, match="no model tuned-2") as problem:
        bridge.verify(job, at=server, rows=rows, model="tuned-2")
    assert problem.value.hint == "Did you mean 'tuned'? It serves: base, tuned."


def test_rows_that_are_not_here_any_more_are_asked_for(tuned: tuple[Bridge, Job], data: Path) -> None:
    bridge, job = tuned
    data.unlink()
    with pytest.raises(UsageError, match="not on this machine any more") as problem:
        bridge.verify(job, at="http://127.0.0.1:9")
    assert problem.value.hint == "Give chats to ask about: --rows FILE."
