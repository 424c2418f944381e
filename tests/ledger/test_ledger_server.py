"""A ledger on a PostgreSQL server: what differs from a file, and what must never be shown."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from sqlalchemy import text

from ftbridge.errors import ConfigError, FtbridgeError, StateError
from ftbridge.ledger import Ledger
from ftbridge.ledger.postgres import PostgresServer
from ledger_rows import add

CANARY = "canary-7c1f"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"postgresql+psycopg://me:{CANARY}@127.0.0.1:1/jobs", StateError),
        (f"postgresql://me@127.0.0.1:1/jobs?password={CANARY}", StateError),
        (f"postgresql+psycopg://me:{CANARY}@127.0.0.1:1/jobs?nonsense={CANARY}", StateError),
        (f"mysql://me:{CANARY}@127.0.0.1/jobs", ConfigError),
        (f"postgres//me:{CANARY}@127.0.0.1", ConfigError),
        (f"postgresql+psycopg://me:{CANARY}@127.0.0.1:port/jobs", ConfigError),
    ],
)
def test_a_url_that_leads_nowhere_gets_a_sentence_without_its_password(
    url: str, kind: type[FtbridgeError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", url)
    with pytest.raises(kind) as problem:
        Ledger(tmp_path)
    assert problem.value.hint
    assert CANARY not in str(problem.value.describe())
    assert CANARY not in "".join(traceback.format_exception(problem.value))
    assert not (tmp_path / "ledger.sqlite").exists()


@pytest.mark.parametrize("url", [f"postgresql://me:{CANARY}@h/jobs", f"postgresql://me@h/jobs?password={CANARY}"])
def test_the_password_is_in_no_repr(url: str) -> None:
    server = PostgresServer(url)
    assert server.engine.url.password == CANARY
    assert CANARY not in repr([server, server.engine, server.engine.url, vars(server)])


def test_a_server_that_refuses_is_quoted_without_the_password(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", postgres_url.replace("tester@", f"nobody:{CANARY}@"))
    with pytest.raises(StateError, match='role "nobody" does not exist') as problem:
        Ledger(tmp_path)
    assert CANARY not in str(problem.value.describe())


def test_a_database_that_only_reads_gets_a_sentence(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", postgres_url)
    add(Ledger(tmp_path))
    monkeypatch.setenv("FTBRIDGE_LEDGER", postgres_url + "%20-cdefault_transaction_read_only%3Don")
    ledger = Ledger(tmp_path)
    assert len(ledger.jobs()) == 1
    with pytest.raises(StateError, match="read-only") as problem:
        add(ledger, "ftb_bbbb")
    assert "stand-by" in problem.value.hint


def test_a_server_that_was_restarted_is_found_again(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", postgres_url)
    ledger, other = Ledger(tmp_path), Ledger(tmp_path)
    record = add(ledger)
    with other.writing() as connection:
        mine = "pid <> pg_backend_pid() AND application_name = 'ftbridge'"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}"))
    assert ledger.job("ftb_aaaa") == record


def test_a_lock_whose_server_is_gone_ends_quietly(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_LEDGER", postgres_url)
    ledger = Ledger(tmp_path)
    with ledger.lock("ftb_aaaa") as mine:
        assert mine
        with ledger.writing() as connection:
            holder = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            connection.execute(text(holder))
