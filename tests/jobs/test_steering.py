"""A job is asked once to stop, and what has come of that is believed of the job and not of the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import FtbridgeError, InvalidRequest, NetworkError, RateLimited
from ftbridge.jobs.steering import steer
from ftbridge.model import Status
from ftbridge.provider import RemoteJob
from ftbridge.provider.answers import error_from
from ledger_rows import add
from scripted_provider import ScriptedProvider, vendor_error

OVER = [Status.CANCELLED, Status.SUCCEEDED, Status.FAILED]


class Obstinate(ScriptedProvider):
    """Answers cancel with each of `answers` in turn; `obeys` says at which of them it has cancelled the job."""

    poll_seconds = 0.0

    def __init__(self, home: Path, answers: list[FtbridgeError | None], obeys: int) -> None:
        super().__init__(home)
        self.answers = answers
        self.obeys = obeys
        self.stand(Status.RUNNING, "going")

    def stand(self, status: Status, word: str) -> None:
        self.polled["remote-1"] = RemoteJob(remote_id="remote-1", status=status, raw_status=word)

    def cancel(self, remote_id: str) -> None:
        super().cancel(remote_id)
        if len(self.cancelled) == self.obeys:
            self.stand(Status.CANCELLED, "cancelled")
        if answer := self.answers.pop(0):
            raise answer


STATUSES = (307, 400, 403, 404, 408, 409, 429, 499, 500, 501, 503)
ANSWERS = [*(error_from("scripted", status, "no") for status in STATUSES), vendor_error(NetworkError)]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: str(getattr(answer, "status", "cut")))
def test_a_job_that_is_cancelled_is_cancelled_whatever_is_answered(tmp_path: Path, answer: FtbridgeError) -> None:
    provider = Obstinate(tmp_path, [answer], obeys=1)
    steer(provider, "remote-1", provider.cancel, OVER)
    assert provider.cancelled == ["remote-1"]


def test_trouble_that_passes_is_met_by_asking_again(tmp_path: Path) -> None:
    provider = Obstinate(tmp_path, [error_from("scripted", 500, "no"), None], obeys=2)
    steer(provider, "remote-1", provider.cancel, OVER)
    assert len(provider.cancelled) == 2


def test_a_refusal_of_a_job_that_goes_on_is_told(tmp_path: Path) -> None:
    provider = Obstinate(tmp_path, [error_from("scripted", 400, "not now")], obeys=0)
    with pytest.raises(InvalidRequest, match="not now"):
        steer(provider, "remote-1", provider.cancel, OVER)


def test_a_job_that_is_said_to_be_about_to_stop_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Obstinate, "transitional_statuses", frozenset({"stopping"}))
    provider = Obstinate(tmp_path, [error_from("scripted", 500, "no")], obeys=0)
    provider.stand(Status.RUNNING, "stopping")
    steer(provider, "remote-1", provider.cancel, OVER)
    assert len(provider.cancelled) == 1


def test_a_vendor_that_wants_a_long_wait_is_not_waited_for(tmp_path: Path) -> None:
    slow = RateLimited("slow down", provider="scripted", status=429, retry_after=3600.0)
    provider = Obstinate(tmp_path, [slow], obeys=0)
    with pytest.raises(RateLimited):
        steer(provider, "remote-1", provider.cancel, OVER)


def test_a_job_that_needs_time_to_pause_is_still_running_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(ScriptedProvider):
        poll_seconds = 0.0

        def pause(self, remote_id: str) -> None:
            assert remote_id == "remote-1"

    with Bridge(tmp_path) as bridge:
        provider = Slow(bridge.home)
        provider.polled["remote-1"] = RemoteJob(remote_id="remote-1", status=Status.RUNNING, raw_status="running")
        monkeypatch.setattr(bridge, "provider_named", lambda _name: provider)
        record = bridge.ledger.change(add(bridge.ledger), status=Status.RUNNING, remote_id="remote-1")
        assert record
        assert bridge.pause(record.job).status is Status.RUNNING
        assert bridge.warnings == [
            f"scripted was asked to pause job {record.job.id}, and reports it as running so far:"
            f" `ftbridge watch {record.job.id}` shows when that is done"
        ]


def test_a_paused_job_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Bridge(tmp_path) as bridge:
        provider = ScriptedProvider(bridge.home)
        provider.polled["remote-1"] = RemoteJob(remote_id="remote-1", status=Status.PAUSED, raw_status="paused")
        monkeypatch.setattr(bridge, "provider_named", lambda _name: provider)
        record = bridge.ledger.change(add(bridge.ledger), status=Status.PAUSED, remote_id="remote-1")
        assert record
        assert bridge.pause(record.job).status is Status.PAUSED
        assert bridge.warnings == [f"job {record.job.id} is paused already"]
