"""A disk that is full or only reads: a sentence before anything is paid for, and the same command goes on later."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from command_line import Cli, Ran
from ftbridge.ledger import Ledger
from ftbridge.mock.vendors import MockVendors
from ftbridge.model import Status
from hosted_helpers import asked

SUBMIT = ("--to", "openai:gpt-4.1-mini-2025-04-14", "--idempotency-key", "monday")


@pytest.fixture
def submit(rows: Path) -> Callable[..., Ran]:
    """Submit the rows under one key, with files of at most so many bytes."""

    def run(most: int = resource.RLIM_INFINITY) -> Ran:
        limit = (most, resource.RLIM_INFINITY)
        done = subprocess.run(
            [sys.executable, "-m", "ftbridge", "submit", str(rows), *SUBMIT],
            capture_output=True,
            text=True,
            timeout=240,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@contextmanager
def only_readable(path: Path) -> Iterator[None]:
    """Nobody can write to it: by its mode, or for root, whom that does not stop, by its immutable flag."""
    if os.geteuid() != 0:
        before = path.stat().st_mode
        path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield
        finally:
            path.chmod(before)
        return
    if subprocess.run(["chattr", "+i", path], capture_output=True, check=False).returncode:
        pytest.skip("root is stopped by no mode, and this file system has no immutable flag")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


def created(mock: MockVendors) -> int:
    return asked(mock["openai"], "create_job")


def refused(ran: Ran) -> None:
    assert ran.code == 2, ran.err
    assert "cannot be" in ran.err
    assert not ran.out


def test_a_disk_that_is_full_at_once_stops_before_the_vendor_is_asked(
    submit: Callable[..., Ran], home: Path, ftbridge_mock: MockVendors
) -> None:
    ran = submit(0)
    refused(ran)
    assert "FTBRIDGE_HOME" in ran.err or "Make room" in ran.err
    assert created(ftbridge_mock) == 0
    assert submit().code == 0
    assert created(ftbridge_mock) == 1


def test_a_disk_that_fills_up_at_any_moment_costs_one_job_at_most_and_loses_none(
    submit: Callable[..., Ran], cli: Cli, home: Path, ftbridge_mock: MockVendors
) -> None:
    Ledger(home).close()
    size = (home / "ledger.sqlite").stat().st_size
    for most in (4096, size - 4096, size - 1, size, size + 4096):
        before = created(ftbridge_mock)
        ran = submit(most)
        if ran.code:
            refused(ran)
            # room for the intent, and none for the answer: it is said how to find the job again
            assert created(ftbridge_mock) == before or "ftbridge recover" in ran.err
        known = [record.job.status for record in Ledger(home).jobs()]
        assert Status.FAILED not in known
    done = submit()
    assert done.code == 0
    assert cli("recover").code == 0
    assert created(ftbridge_mock) == 1
    [record] = Ledger(home).jobs()
    assert record.job.id == done.out.strip()


def test_a_ledger_that_only_reads_can_be_looked_at_and_stops_a_submit_before_the_vendor_is_asked(
    submit: Callable[..., Ran], cli: Cli, home: Path, ftbridge_mock: MockVendors
) -> None:
    first = cli("submit", "rows.jsonl", "--to", "mock+openai:gpt-4.1-mini-2025-04-14").out.strip()
    with only_readable(home / "ledger.sqlite"):
        ran = submit()
        refused(ran)
        assert "ledger.sqlite" in ran.err
        assert "writable" in ran.err
        assert [record.job.id for record in Ledger(home).jobs()] == [first]
    assert created(ftbridge_mock) == 0
    assert submit().code == 0
    assert created(ftbridge_mock) == 1


def test_a_home_that_only_reads_stops_a_submit_before_the_vendor_is_asked(
    submit: Callable[..., Ran], home: Path, ftbridge_mock: MockVendors
) -> None:
    home.mkdir()
    with only_readable(home):
        ran = submit()
        refused(ran)
        assert str(home) in ran.err
        assert "FTBRIDGE_HOME" in ran.err
    assert created(ftbridge_mock) == 0
    assert submit().code == 0
    assert created(ftbridge_mock) == 1
