"""A ledger's file that is damaged is refused, with what to do; it is never taken for an empty one."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from ftbridge.errors import LedgerDamaged, StateError
from ftbridge.ledger import Ledger, set_aside_if_damaged
from ftbridge.model import Status
from ledger_rows import add, message

HINT = "ftbridge recover --from-vendors"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a ledger with jobs and events in it."""
    home = tmp_path_factory.mktemp("home")
    ledger = Ledger(home)
    for number in range(40):
        record = add(ledger, f"ftb_{number:04}")
        ledger.change(record, [message("something was said" * 20)], status=Status.RUNNING)
    ledger.close()
    return (home / "ledger.sqlite").read_bytes()


def opened_from(content: bytes, home: Path) -> Ledger:
    (home / "ledger.sqlite").write_bytes(content)
    return Ledger(home)


def test_a_sound_file_is_opened(sound: bytes, tmp_path: Path) -> None:
    assert len(opened_from(sound, tmp_path).jobs()) == 40
    assert set_aside_if_damaged(tmp_path) is None


@pytest.mark.parametrize("checked_whole", [0, 4_000_000])
def test_a_file_that_is_cut_off_anywhere_is_refused(
    checked_whole: int, sound: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbridge.ledger.sqlite._CHECKED_WHOLE", checked_whole)
    pages = range(4096, len(sound), 4096)
    lengths = {0, 1, 15, 16, 17, 40, 99, 100, 101, 511, 512, 1024, 4095, len(sound) // 2, len(sound) - 1}
    lengths |= {page + less for page in pages for less in (-1, 0, 1, 2000)}
    for length in sorted(lengths):
        with pytest.raises(LedgerDamaged) as problem:
            opened_from(sound[:length], tmp_path)
        assert str(tmp_path / "ledger.sqlite") in problem.value.message
        assert HINT in problem.value.hint
        assert (tmp_path / "ledger.sqlite").stat().st_size == length


def test_a_file_with_pages_overwritten_is_refused(sound: bytes, tmp_path: Path) -> None:
    for start in range(0, len(sound), 4096):
        for rubbish in (bytes(4096), b"\xff" * 4096, b"not a page at all " * 200):
            with pytest.raises(LedgerDamaged):
                opened_from(sound[:start] + rubbish + sound[start + len(rubbish) :], tmp_path).jobs()


def test_what_is_no_ledger_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LedgerDamaged, match="not a database"):
        opened_from(b"this is not a database, though long enough to look at" * 400, tmp_path)
    (tmp_path / "ledger.sqlite").unlink()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    with pytest.raises(LedgerDamaged, match="contains no ledger"):
        Ledger(tmp_path)


def test_a_damaged_file_is_moved_aside_with_what_belongs_to_it_and_never_deleted(sound: bytes, tmp_path: Path) -> None:
    for count in (1, 2):
        (tmp_path / "ledger.sqlite").write_bytes(sound[: 1000 * count])
        for ending in ("-journal", "-wal"):
            (tmp_path / f"ledger.sqlite{ending}").write_bytes(b"left behind")
        aside = set_aside_if_damaged(tmp_path)
        assert aside
        assert aside.read_bytes() == sound[: 1000 * count]
        assert not list(tmp_path.glob("ledger.sqlite-*"))  # which would be played into the new file
        ledger = Ledger(tmp_path)
        assert ledger.jobs() == []
        ledger.close()
    endings = [file.name.rpartition("-")[2] for file in tmp_path.glob("ledger.sqlite.damaged-*")]
    assert len([ending for ending in endings if ending not in ("journal", "wal")]) == 2


def test_what_a_killed_writer_left_half_done_is_no_damage(tmp_path: Path) -> None:
    """A file and its journal, copied in the middle of a transaction, are what a kill at that moment leaves."""
    ledger = Ledger(tmp_path)
    add(ledger)
    ledger.close()
    writer = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")  # so that pages are written before the commit
    writer.execute("BEGIN IMMEDIATE")
    for number in range(2, 400):
        event = ("ftb_aaaa", number, "x" * 500)
        writer.execute("INSERT INTO events VALUES (?, ?, ?)", event)
    killed = tmp_path / "killed"
    killed.mkdir()
    for file in tmp_path.glob("ledger.sqlite*"):
        shutil.copy(file, killed / file.name)
    writer.close()
    assert [record.job.id for record in Ledger(killed).jobs()] == ["ftb_aaaa"]
    assert Ledger(killed).events("ftb_aaaa") == []


def test_a_folder_where_the_file_should_be_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(StateError, match="cannot be used") as problem:
        Ledger(tmp_path)
    assert not isinstance(problem.value, LedgerDamaged)
    assert problem.value.hint


def test_a_journal_whose_ledger_is_gone_is_not_played_into_the_new_one(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(sound)
    writer = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")  # so that pages are written before the commit
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE events SET event = event || 'x'")
    killed = tmp_path / "killed"
    killed.mkdir()
    shutil.copy(tmp_path / "ledger.sqlite-journal", killed)
    writer.close()
    assert Ledger(killed).jobs() == []
    assert not (killed / "ledger.sqlite-journal").exists()
    assert len(list(killed.glob("ledger.sqlite.left-*-journal"))) == 1


def test_every_commit_is_on_the_disk_before_the_next_step(tmp_path: Path) -> None:
    """SQLite's number for EXTRA is 3, and FULL, which is 2, is as much as a WAL can use (sqlite.org/pragma.html)."""
    with Ledger(tmp_path).reading() as connection:
        [synchronous] = connection.exec_driver_sql("PRAGMA synchronous").one()
        assert synchronous == 3
