"""Every change is told to every hook, at least once, signed, and through crashes."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ftbridge import Bridge
from ftbridge.config import Hook
from ftbridge.errors import ConfigError
from ftbridge.ledger import due
from ftbridge.loopback import LoopbackServer
from ftbridge.model import now
from ftbridge.watching import hooks
from openai import OpenAI
from watching_helpers import OPENAI

Open = Callable[..., Bridge]
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


class Receiver:
    """A web server that keeps what it is told; the next `refusals` requests are answered with 503."""

    def __init__(self) -> None:
        self.refusals = 0
        self.reported: list[tuple[dict[str, str], bytes]] = []

    def app(self) -> Starlette:
        async def hear(request: Request) -> Response:
            body = await request.body()
            if self.refusals:
                self.refusals -= 1
                return Response(status_code=503)
            self.reported.append((dict(request.headers), body))
            return Response()

        return Starlette(routes=[Route("/hook", hear, methods=["POST"])])

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.reported]


def deliver(bridge: Bridge) -> int:
    return hooks.HookDelivery(bridge.ledger, bridge.hooks, bridge.warn).deliver()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def url(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("FTBRIDGE_HOOK_SECRET", SECRET)
    monkeypatch.setattr(hooks, "WAITS", (0,))
    with LoopbackServer(receiver.app()) as server:
        yield f"{server.url}/hook"


def test_each_change_of_status_is_told_with_a_signature_that_others_can_check(
    open_bridge: Open, data: Path, receiver: Receiver, url: str
) -> None:
    bridge = open_bridge(hooks={"team": {"url": url}})
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    expected = [event for event in bridge.events(job) if event.kind in ("status", "message")]
    assert [message["data"]["event"]["kind"] for message in receiver.messages] == [event.kind for event in expected]
    assert receiver.messages[-1]["type"] == "job.succeeded"
    assert receiver.messages[-1]["data"]["job"]["id"] == job.id
    reader = OpenAI(api_key="none", webhook_secret=SECRET)  # OpenAI's SDK checks the same standard
    for headers, body in receiver.reported:
        reader.webhooks.verify_signature(body, headers)
    assert len({headers["webhook-id"] for headers, _body in receiver.reported}) == len(receiver.reported)


def test_a_hook_that_does_not_answer_is_told_again_under_the_same_id(
    open_bridge: Open, data: Path, receiver: Receiver, url: str
) -> None:
    receiver.refusals = 3
    bridge = open_bridge(hooks={"team": {"url": url}})
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    while len(receiver.reported) < sum(event.kind != "metric" for event in bridge.events(job)):
        deliver(bridge)
    ids = [headers["webhook-id"] for headers, _body in receiver.reported]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith(f"{job.id}.") for name in ids)
    assert any("it answered 503" in warning for warning in bridge.warnings)


def test_what_was_owed_before_a_crash_is_told_by_the_next_watch(
    open_bridge: Open, data: Path, receiver: Receiver, url: str
) -> None:
    bridge = open_bridge(hooks={"team": {"url": url}})
    job = bridge.submit(data, to=OPENAI)
    assert receiver.reported == []  # nobody has watched yet: this is as if the process had died
    bridge.close()
    later = open_bridge(hooks={"team": {"url": url}})
    later.wait(job)
    assert receiver.messages[0]["data"]["event"]["status"] in ("validating", "queued")


def test_what_is_owed_is_told_also_when_no_job_is_left_to_watch(
    open_bridge: Open, data: Path, receiver: Receiver, url: str
) -> None:
    bridge = open_bridge(hooks={"team": {"url": url}})
    job = bridge.submit(data, to=OPENAI)
    while not bridge.refresh(job)[0].status.final:
        pass
    assert receiver.reported == []
    for _told in bridge.watch():
        pass
    assert receiver.messages[-1]["type"] == "job.succeeded"


def test_a_command_gets_the_change_on_its_standard_input(open_bridge: Open, data: Path, tmp_path: Path) -> None:
    received = tmp_path / "heard.jsonl"
    script = f"import sys; open({str(received)!r}, 'a').write(sys.stdin.read() + '\\n')"
    bridge = open_bridge(hooks={"file": {"command": [sys.executable, "-c", script]}})
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    types = [json.loads(line)["type"] for line in received.read_text("utf-8").splitlines()]
    assert types[-1] == "job.succeeded"
    assert len(types) == sum(event.kind in ("status", "message") for event in bridge.events(job))


def test_a_command_that_fails_is_named_and_owed_still(open_bridge: Open, data: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such channel')"]
    bridge = open_bridge(hooks={"broken": {"command": command}})
    bridge.wait(bridge.submit(data, to=OPENAI))
    assert any("hook broken" in warning and "no such channel" in warning for warning in bridge.warnings)


@pytest.mark.parametrize(
    ("hook", "secret", "why"),
    [
        ({"url": "http://me:hunter2@example.com/services/secret-path"}, SECRET, "neither https nor this machine"),
        ({"url": "https://example.com/hook"}, "", "no secret to sign with"),
        ({"url": "https://example.com/hook"}, "whsec_c2hvcnQ=", "no secret to sign with"),
    ],
)
def test_a_hook_that_cannot_be_called_safely_is_named_with_its_job_by_who_would_call_it_and_stays_due(
    open_bridge: Open, monkeypatch: pytest.MonkeyPatch, data: Path, hook: dict[str, str], secret: str, why: str
) -> None:
    monkeypatch.setenv("FTBRIDGE_HOOK_SECRET", secret)
    bridge = open_bridge(hooks={"team": hook})
    job = bridge.submit(data, to=OPENAI)
    bridge.refresh(job)
    assert not any("hook" in warning for warning in bridge.warnings)
    bridge.warnings.clear()
    job = bridge.wait(job)
    [warning, still_due] = bridge.warnings  # however many events are due
    assert "hunter2" not in warning
    assert "secret-path" not in warning
    assert "still due" in still_due
    assert warning.startswith("hook team")
    assert why in warning
    assert job.id in warning
    shown = [event for event in bridge.events(job) if event.kind in ("status", "message")]
    assert len(due(bridge.ledger, now(), bridge.hooks.callable)) == len(shown)


def test_a_hooks_address_is_not_shown_when_it_is_refused() -> None:
    with pytest.raises(ConfigError) as problem:
        Hook(url="http://me:hunter2@example.com/services/T0/B0/secret-path").check("team")
    assert "hunter2" not in str(problem.value.describe())
    assert "secret-path" not in str(problem.value.describe())


@pytest.mark.parametrize("hook", [{}, {"url": "https://example.com", "command": ["true"]}])
def test_a_hook_is_a_command_or_a_url(hook: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a command"):
        Hook.model_validate(hook)
