"""Homes that share a ledger: a local job is over where its own home has lost it, and can be given up everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import JobNotFound
from ftbridge.home import address
from ftbridge.ledger import Ledger
from ftbridge.model import Status
from ledger_rows import add

JOB = "ftb_a"


@pytest.fixture
def homes(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Bridge, Bridge]:
    """The home from which a local job, whose folder is gone, was submitted, and another one."""
    monkeypatch.setenv("FTBRIDGE_LEDGER", postgres_url)
    own, other = (Bridge(tmp_path / name) for name in ("own", "other"))
    ledger = Ledger(tmp_path / "own")
    ledger.change(add(ledger, JOB), status=Status.RUNNING, remote_id=JOB)
    return own, other


def test_a_job_whose_folder_is_gone_has_failed_in_its_own_home(homes: tuple[Bridge, Bridge]) -> None:
    own, _other = homes
    [job] = own.refresh(JOB)
    assert (job.status, job.raw_status) == (Status.FAILED, "gone")
    assert job.home == address(own.home)


def test_another_home_cannot_tell_says_where_the_job_is_and_can_give_it_up(homes: tuple[Bridge, Bridge]) -> None:
    own, other = homes
    assert [job.status for job in other.refresh(JOB)] == [Status.RUNNING]
    for job, _event in other.watch(JOB):
        assert job.status is Status.RUNNING
        break
    [warning] = other.warnings
    assert f"job {JOB} is at " in warning
    assert f":{own.home}: " in warning
    assert f"`ftbridge cancel {JOB} --give-up`" in warning
    with pytest.raises(JobNotFound, match="is not below"):
        other.cancel(JOB)
    assert other.cancel(JOB, give_up=True).status is Status.CANCELLED
    assert own.job(JOB).status is Status.CANCELLED
    assert "given up: the folder of job ftb_a is not below" in (own.events(JOB)[-1].message or "")


def test_giving_up_a_job_that_is_over_changes_nothing(homes: tuple[Bridge, Bridge]) -> None:
    own, _other = homes
    assert own.cancel(JOB, give_up=True).status is Status.FAILED
