"""A key goes to its vendor and nowhere else: not into files, logs, tracebacks or reprs, whatever goes wrong."""

from __future__ import annotations

import gc
import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import pytest

from faults.harbour import TARGETS
from ftbridge import Bridge
from ftbridge.cli.app import run
from ftbridge.errors import ConfigError, FtbridgeError
from ftbridge.loopback import LoopbackServer
from ftbridge.mock import MockVendor
from ftbridge.mock.faults import CONDITIONS, Kind
from ftbridge.plugins import load_mock, load_provider
from ftbridge.target import parse_target

CANARY = "sk-canary-5cf1e9d0b7"
VENDORS = ["openai", "together", "mistral"]
FAULTS = [kind for kind in get_args(Kind) if kind not in CONDITIONS]
QUICK = {"429": "429:0.01", "slow": "slow:0.01"}


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


class Ear:
    """Hears all that could be read by somebody else."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def command(self, *words: str | Path) -> int:
        """Run a command as `--debug` does, and hear its traceback."""
        try:
            return run([str(word) for word in words], debug=True)
        except FtbridgeError as problem:
            self.problem(problem)
            return problem.exit_code

    def problem(self, problem: BaseException) -> None:
        self.heard += traceback.format_exception(problem)
        links: list[BaseException | None] = [problem, problem.__cause__, problem.__context__]
        self.heard += [f"{link!r} {link} {vars(link)}" for link in links if link is not None]
        if isinstance(problem, FtbridgeError):
            self.heard.append(str(problem.describe()))


def assert_silent(heard: list[str], *folders: Path) -> None:
    assert heard
    assert [text for text in heard if CANARY in text] == []
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


@pytest.mark.filterwarnings(
    # a command leaves its connections to the end of its process, and these commands share one
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)
def test_the_key_is_nowhere_after_a_run_with_every_fault(
    mock: MockVendor,
    rows: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    ear = Ear()
    codes = set()
    for fault in FAULTS:
        mock.faults.add(f"create_job={QUICK.get(fault, fault)}")
        codes.add(ear.command("submit", rows, "--to", TARGETS[mock.name], "--epochs", "1", "--again"))
    for fault in ("401", "html", "redirect", "truncate", "422"):
        for command, operation in {"show": "get_job", "events": "job_events", "chat": "chat"}.items():
            if operation in mock.operations():  # Mistral tells of events in the answer to get_job
                mock.faults.add(f"{operation}={fault}")
            codes.add(ear.command(command, "last", *(["q"] if command == "chat" else [])))
            mock.faults.clear()
    ear.command("recover")
    ear.command("jobs", "--json")
    assert codes >= {0, 3, 4}
    said = capfd.readouterr()
    ear.heard += [said.out, said.err, repr(mock.seen), *[record.getMessage() for record in caplog.records]]
    ear.heard += [repr(vars(record)) for record in caplog.records]
    with Bridge() as bridge:
        ear.heard += [f"{job!r} {bridge.events(job)!r}" for job in bridge.jobs()]
        assert bridge.jobs()
    gc.collect()
    assert_silent(ear.heard, tmp_path)


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
    ear = Ear()
    assert ear.command("submit", rows, "--to", TARGETS[mock.name]) == ConfigError.exit_code
    said = capfd.readouterr()
    assert_silent([*ear.heard, said.out, said.err], tmp_path)
    assert mock.seen == []
