"""A key goes to its vendor and nowhere else: not into files, logs, tracebacks or reprs, whatever goes wrong."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from faults.case_setup import TARGETS
from ftbridge import Bridge
from ftbridge.cli.app import run
from ftbridge.config import Config, Hook
from ftbridge.errors import ConfigError
from ftbridge.foreign.redaction import MASK
from ftbridge.loopback import LoopbackServer
from ftbridge.mock import MockVendor
from ftbridge.model import Status
from ftbridge.plugins import load_mock, load_provider
from ftbridge.target import parse_target
from ftbridge.testing.secrets import reveals

CANARY = "sk-canary-5cf1e9d0b7"
CANARIES = ["sk-proj-Canary5cf1e9d0b7Canary5cf1", "5cf1e9d0b7a84e2f9d3c6b1a"]  # of a known shape, and of none
VENDORS = ["openai", "together", "mistral", "azure", "nebius"]
REFUSALS = ["400", "401", "403", "404", "409", "422", "429:0.01", "500", "redirect"]
SHAPES = pytest.mark.parametrize("secret", CANARIES, ids=["known", "unknown"])


CONNECTIONS_STAY_OPEN = pytest.mark.filterwarnings(
    # a command leaves its connections to the end of its process, and these commands share one
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(params=VENDORS)
def mock(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockVendor]:
    """A mocked vendor to which the canary is a good key."""
    kind = load_mock(request.param)
    vendor = kind(tmp_path / "vendor", speed=1e6)
    with LoopbackServer(vendor.app()) as server:
        monkeypatch.setenv(kind.key_env, CANARY)
        monkeypatch.setenv(kind.url_env, f"{server.url}{kind.base_path}")
        yield vendor


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "work" / "rows.jsonl"
    chat = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    file.write_text((json.dumps(chat) + "\n") * 12, "utf-8")
    return file


def command(*words: str | Path) -> int:
    """Run a command as `--debug` and `--log-file` do."""
    return run(["--log-file", "ftbridge.log", *map(str, words)], debug=True)


def assert_silent(received: list[str], *folders: Path, secret: str = CANARY) -> None:
    assert received
    assert [text for text in received if reveals(text, secret)] == []
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if reveals(file.read_text("latin-1"), secret)] == []


@CONNECTIONS_STAY_OPEN
@SHAPES
def test_the_key_is_nowhere_after_a_run_with_every_fault_and_a_vendor_that_repeats_it(
    mock: MockVendor,
    rows: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    secret: str,
) -> None:
    caplog.set_level(logging.DEBUG, "ftbridge")
    monkeypatch.setenv(mock.key_env, secret)
    codes = set()
    for fault in [*REFUSALS, "html", "500-after", "fail"]:
        mock.faults.clear()
        for rule in ("echo", fault):
            mock.faults.add(f"create_job={rule}")
        codes.add(command("submit", rows, "--to", TARGETS[mock.name], "--epochs", "1", "--again"))
    operations = {"show": "get_job", "events": "job_events", "chat": "chat"}
    for fault, (words, operation), form in zip(
        [*REFUSALS, "truncate"], cycle(operations.items()), cycle(([], ["--json"])), strict=False
    ):
        mock.faults.clear()
        mock.faults.add("create_job=echo")
        if operation in mock.operations():  # Mistral tells of events in the answer to get_job
            mock.faults.add(f"{operation}={fault}")
        codes.add(command(words, "last", *(["q"] if words == "chat" else []), *form))
    for last in (["recover"], ["watch"], ["jobs", "--json"]):
        command(*last)
    assert codes >= {0, 3}
    captured = capfd.readouterr()
    received = [captured.out, captured.err, *(f"{record.getMessage()} {vars(record)}" for record in caplog.records)]
    with Bridge() as bridge:
        received += [f"{job!r} {bridge.events(job)!r}" for job in bridge.jobs()]
        assert bridge.jobs()
    gc.collect()
    assert MASK in captured.err
    assert_silent(received, tmp_path / "home", tmp_path / "work", secret=secret)


@SHAPES
def test_a_hook_gets_the_key_neither_in_its_body_nor_in_its_environment(
    mock: MockVendor, rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv(mock.key_env, secret)
    monkeypatch.setenv("SLACK_TOKEN", "what-the-command-needs-1")
    received = tmp_path / "heard"
    script = f"import os, sys; open({str(received)!r}, 'a').write(sys.stdin.read() + str(dict(os.environ)))"
    hook = Hook(command=(sys.executable, "-c", script), secrets=("SLACK_TOKEN",))
    mock.faults.add("create_job=echo")
    mock.faults.add("create_job=fail")
    with Bridge(config=Config(hooks={"file": hook})) as bridge:
        job = bridge.wait(bridge.submit(rows, to=TARGETS[mock.name], epochs=1))
    assert job.status is Status.FAILED
    assert "job.failed" in received.read_text()
    assert "what-the-command-needs-1" in received.read_text()
    assert_silent([received.read_text()], tmp_path / "home", secret=secret)


@CONNECTIONS_STAY_OPEN
def test_the_password_of_a_base_url_is_nowhere(
    mock: MockVendor,
    rows: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.INFO)  # at which HTTP clients log their addresses
    url = os.environ[mock.url_env]
    monkeypatch.setenv(mock.url_env, url.replace("http://", "http://gateway:hunter2-5cf1@"))
    monkeypatch.setenv(mock.key_env, CANARY)
    command("submit", rows, "--to", TARGETS[mock.name], "--epochs", "1")
    monkeypatch.setenv(mock.url_env, "http://gateway:hunter2-5cf1@127.0.0.1:9/v1")
    for words in (["submit", rows, "--to", TARGETS[mock.name], "--again"], ["jobs"], ["providers", "--json"]):
        command(*words)
    captured = capfd.readouterr()
    received = [captured.out, captured.err, *(f"{record.getMessage()} {vars(record)}" for record in caplog.records)]
    gc.collect()
    assert "127.0.0.1:9" in captured.err
    assert_silent(received, tmp_path / "home", tmp_path / "work", secret="hunter2-5cf1")


def test_the_key_is_in_no_repr(mock: MockVendor, tmp_path: Path) -> None:
    provider: Any = load_provider(parse_target(TARGETS[mock.name]), tmp_path)
    with ExitStack() as after:
        after.callback(provider.close)
        shown = [
            provider,
            provider.connection,
            provider.client,
            provider.account,
            vars(provider),
            vars(provider.connection),
        ]
        shown += [provider.connection.model_dump(), provider.connection.model_dump_json()]
        assert [text for text in map(repr, shown) if CANARY in text] == []
        assert CANARY in provider.connection.key()


@pytest.mark.parametrize("bad", [f"{CANARY}\nx", f"{CANARY}\r\nset-cookie: x", f"{CANARY} x", f"{CANARY}é"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(
    mock: MockVendor,
    rows: Path,
    bad: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(mock.key_env, bad)
    assert command("submit", rows, "--to", TARGETS[mock.name]) == ConfigError.exit_code
    captured = capfd.readouterr()
    assert_silent([captured.out, captured.err], tmp_path)
    assert mock.seen == []
