"""Every test has a home of its own, and none reaches the network or the user's keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from command_line import Cli, Ran, in_this_process
from ftbridge import Bridge
from ftbridge.config import Config
from ftbridge.ledger import Ledger
from ftbridge.mock.vendors import MockVendors
from ftbridge.testing import ROWS
from postgres_server import PostgresServer, find_programs, running_server
from small_data import write_rows

# `make test` tries the same inputs on every machine; `make fuzz` sets FTBRIDGE_FUZZ and tries new ones.
_PROPERTIES = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
settings.register_profile("ci", _PROPERTIES, max_examples=30, derandomize=True)
settings.register_profile("fuzz", _PROPERTIES, max_examples=2000, derandomize=False, print_blob=True)
settings.load_profile("fuzz" if os.environ.get("FTBRIDGE_FUZZ") == "1" else "ci")

LIVE = os.environ.get("FTBRIDGE_LIVE") == "1"
os.environ["HF_HUB_OFFLINE"] = "1"
if not LIVE:
    # nothing on loopback has a certificate, and to read the machine's takes each HTTP client 40 ms
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = os.devnull


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder, and a working folder without ftbridge.toml."""
    folder = tmp_path / "home"
    monkeypatch.setenv("FTBRIDGE_HOME", str(folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.delenv("FTBRIDGE_LEDGER", raising=False)
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    return folder


@pytest.fixture(autouse=True)
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mocked vendors are looked at, and asked again, after hundredths of a second."""
    if not LIVE:
        monkeypatch.setattr("ftbridge.provider.retry.FIRST_WAIT", 0.01)
        monkeypatch.setattr("ftbridge.provider.hosted.HostedProvider.listing_lag_seconds", 0.1)
        monkeypatch.setattr("ftbridge.provider.hosted.HostedProvider.in_flight_seconds", 0.1)
        monkeypatch.setattr("ftbridge.provider.Provider.poll_seconds", 0.02)
        monkeypatch.setattr("ftbridge.provider.Provider.slowest_poll_seconds", 0.2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small dataset of chats."""
    return write_rows(tmp_path / "rows.jsonl")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server of these tests' own; they are skipped where none is installed."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    with running_server(programs) as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of an empty place for one ledger."""
    return postgres_server.new_schema()


@pytest.fixture(params=["a file", "PostgreSQL"])
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the ledgers of a test lie, which is made twice."""
    if request.param == "PostgreSQL":
        monkeypatch.setenv("FTBRIDGE_LEDGER", request.getfixturevalue("postgres_url"))
    return str(request.param)


@pytest.fixture(scope="session")
def tiny_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the tiny base is built; to be copied from, not written to."""
    from ftbridge_local.models.tiny.base import complete_folder

    base = tmp_path_factory.getbasetemp()  # each process that runs tests has its own, below that of all
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "tiny"
    complete_folder(folder)
    return folder


@pytest.fixture
def ledger(tmp_path: Path, database: str) -> Ledger:
    """In a file, and once more on a server."""
    return Ledger(tmp_path)


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Bridge() as made:
        yield made


@pytest.fixture
def vendors(ftbridge_mock: MockVendors) -> MockVendors:
    return ftbridge_mock


@pytest.fixture
def open_bridge(vendors: MockVendors, tmp_path: Path) -> Iterator[Callable[..., Bridge]]:
    """Opens bridges with a config, whose vendors are mocked, at one home."""
    opened: list[Bridge] = []

    def open_one(**config: object) -> Bridge:
        (tmp_path / "home").mkdir(exist_ok=True)
        opened.append(Bridge(tmp_path / "home", config=Config.model_validate(config)))
        return opened[-1]

    yield open_one
    for bridge in opened:
        bridge.close()


@pytest.fixture
def cli(home: Path) -> Cli:
    """Run `ftbridge` with these words in the working folder; no traceback may ever be seen."""

    def run(*words: str | Path, stdin: str = "", columns: int = 120) -> Ran:
        environment = {**os.environ, "FTBRIDGE_HOME": str(home), "COLUMNS": str(columns), "NO_COLOR": "1"}
        command = [sys.executable, "-m", "ftbridge", *map(str, words)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=environment, timeout=240)
        assert "Traceback" not in done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The same in this process, which spares its start."""
    return in_this_process(capsys, monkeypatch)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A small dataset that is right."""
    return write_rows(tmp_path / "work" / "rows.jsonl", ROWS)
