"""Whatever the hub answers, and whenever the process that submits dies: one job is begun, and the ledger knows it.

No machine is free at the stub, so that nothing is trained. A killed process is one of its own, and dies at a request,
before the hub has it, or after the hub has carried it out. With FTBRIDGE_EVERY_CASE=1 all cases are played.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from every_case import EVERY_CASE
from ftbridge import Bridge
from ftbridge.errors import FtbridgeError
from ftbridge.model import Status
from ftbridge.testing import ROWS
from ftbridge_local.hugging_face.provider import HfProvider
from runners.hub_stub import Fault, HubStub

TARGET = "hf:cpu-basic/tiny"
CREATE, LISTS = "/api/jobs/alice", "/api/jobs/"
STATUSES = (301, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 451, 499, 500, 501, 502, 503, 504, 529)
SOME = ("500, made", "503, not made", "cut, made", "cut, not made")
FAULTS = {
    **{f"{status}, made": Fault("POST", CREATE, status=status, body=b"{}") for status in STATUSES},
    **{f"{status}, not made": Fault("POST", CREATE, done=False, status=status, body=b"{}") for status in STATUSES},
    "cut, made": Fault("POST", CREATE, cut=True),
    "cut, not made": Fault("POST", CREATE, done=False, cut=True),
    "two cuts, both made if both were sent": Fault("POST", CREATE, cut=True, times=2),
    "200 with a page, made": Fault("POST", CREATE, body=b"<html>"),
    "200 with half of the JSON, made": Fault("POST", CREATE, body=b'{"id": "1", "sta'),
    "200 with null, made": Fault("POST", CREATE, body=b"null"),
    "200 with [], made": Fault("POST", CREATE, body=b"[]"),
    "200 with nothing, made": Fault("POST", CREATE, body=b""),
    "200 with null, not made": Fault("POST", CREATE, done=False, body=b"null"),
    "list refused by 403": Fault("GET", LISTS, status=403, body=b"{}"),
    "list refused by 500 twice": Fault("GET", LISTS, status=500, body=b"{}", times=2),
    "list cut": Fault("GET", LISTS, cut=True),
    "list with a page": Fault("GET", LISTS, body=b"<html>"),
    "bucket refused by 403": Fault("POST", "/api/buckets/", done=False, status=403, body=b"{}"),
    "bucket cut": Fault("POST", "/api/buckets/", done=False, cut=True),
}
pytestmark = pytest.mark.timeout(1800 if EVERY_CASE else 300)


@pytest.fixture
def idle_hub(hub: HubStub, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStub]:
    """Without a free machine; what it has made shows in its list at once."""
    monkeypatch.setattr(hub, "machines", 0)
    monkeypatch.setattr(HfProvider, "listing_lag_seconds", 0.0)
    monkeypatch.setattr(HfProvider, "in_flight_seconds", 0.0)
    hub.jobs.clear()
    hub.faults.clear()
    yield hub
    hub.at_request = None


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    return file


def submit_until_it_is_clear(home: Path, rows: Path) -> str:
    """What people do: the same command, and `recover`, until there is a job. Its id at the hub."""
    for _time in range(4):
        with Bridge(home=home) as bridge, suppress(FtbridgeError):
            bridge.recover()
            if remote_id := bridge.submit(rows, to=TARGET).remote_id:
                return remote_id
    return ""


def verdict(hub: HubStub, home: Path, remote_id: str) -> str:
    """What is wrong; "" where there is one job, and it is known."""
    with Bridge(home=home) as bridge:
        known = [job.remote_id for job in bridge.jobs() if job.remote_id]
    made = [f"cpu-basic/{job.body['labels']['ftbridge']}" for job in hub.jobs.values()]
    return "" if known == made == [remote_id] else f"made {made}, known {known}, told {remote_id!r}"


@pytest.mark.parametrize("fault", FAULTS if EVERY_CASE else SOME)
def test_whatever_is_answered_it_is_one_job(idle_hub: HubStub, tmp_path: Path, rows: Path, fault: str) -> None:
    idle_hub.faults.append(FAULTS[fault].again())
    assert verdict(idle_hub, tmp_path / "home", submit_until_it_is_clear(tmp_path / "home", rows)) == ""


def test_whenever_the_submitter_is_killed_it_is_one_job(idle_hub: HubStub, tmp_path: Path, rows: Path) -> None:
    passed: list[str] = []

    def note(what: str) -> bool:
        passed.append(what)
        return True

    idle_hub.at_request = note
    child(idle_hub, tmp_path / "traced", rows).wait(60)
    create = passed.index(f"POST {CREATE} arrives")
    steps = range(len(passed)) if EVERY_CASE else (create, create + 1)
    wrong = {}
    for number in steps:
        home = tmp_path / str(number)
        idle_hub.jobs.clear()
        killed_at(idle_hub, home, rows, number)
        if problem := verdict(idle_hub, home, submit_until_it_is_clear(home, rows)):
            wrong[number, passed[number]] = problem
    assert wrong == {}
    assert len(steps) >= (10 if EVERY_CASE else 2)


def test_a_request_that_comes_to_life_later_is_one_job_that_works(
    idle_hub: HubStub, tmp_path: Path, rows: Path
) -> None:
    """It is begun again, because nothing was to be seen of it; both have the same label, and one folder."""
    idle_hub.faults.append(Fault("POST", CREATE, done=False, cut=True))
    remote_id = submit_until_it_is_clear(tmp_path / "home", rows)
    [job] = idle_hub.jobs.values()
    idle_hub.create(job.body)
    with Bridge(home=tmp_path / "home") as bridge:
        [known] = bridge.jobs()
        bridge.cancel(known)
    assert known.remote_id == remote_id
    assert idle_hub.active() == [], "cancelling ends both"


def test_an_orphan_is_adopted_by_an_empty_ledger_and_ended(idle_hub: HubStub, tmp_path: Path, rows: Path) -> None:
    remote_id = submit_until_it_is_clear(tmp_path / "lost", rows)
    with Bridge(home=tmp_path / "new") as bridge:
        list(bridge.recover_from_vendors(["hf"]))
        [job] = bridge.jobs()
        assert (job.remote_id, job.status) == (remote_id, Status.QUEUED)
        bridge.cancel(job)
        assert bridge.job(job.id).status is Status.CANCELLED
    assert idle_hub.active() == []


def killed_at(hub: HubStub, home: Path, rows: Path, number: int) -> None:
    """Submit in a process that is killed at its request number so much, half a step each."""
    count, process = iter(range(10_000)), threading.Event()

    def pass_or_kill(_what: str) -> bool:
        if next(count) < number:
            return True
        process.wait(30)
        submitter.send_signal(signal.SIGKILL)
        submitter.wait(10)
        hub.at_request = None
        return False

    hub.at_request = pass_or_kill
    submitter = child(hub, home, rows)
    process.set()
    submitter.wait(60)
    hub.at_request = None


def child(hub: HubStub, home: Path, rows: Path) -> subprocess.Popen[bytes]:
    """`ftbridge submit` in a process of its own."""
    tests = str(Path(__file__).parents[1])
    environment = {
        **{name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"},
        "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")]),
        "FTBRIDGE_HOME": str(home),
        "HUB_BUCKETS": str(hub.folder / "buckets"),
    }
    command = [sys.executable, "-m", "runners.hub_buckets", "submit", str(rows), "--to", TARGET]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
