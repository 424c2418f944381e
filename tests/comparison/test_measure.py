"""`compare --measure`: this machine is measured anew, and what was trained for that is no job of the user."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import JobNotFound
from ftbridge.ledger import MEASUREMENT
from ftbridge.model import Event, Status, now
from ledger_rows import add


def test_a_measurement_replaces_an_old_one_and_leaves_no_job_and_no_file(
    bridge: Bridge, data: Path, tiny_home: Path
) -> None:
    shutil.copytree(tiny_home / "local" / "bases", bridge.home / "local" / "bases")
    old = add(bridge.ledger)
    slow = Event(at=now(), kind="metric", step=1, tokens_per_second=0.001)
    bridge.ledger.change(old, [slow], status=Status.FAILED)
    [before] = bridge.compare(data, ["local:tiny"])
    [after] = bridge.compare(data, ["local:tiny"], measure=True)
    assert before.seconds
    assert after.seconds
    assert after.seconds < before.seconds / 1000
    assert any(f"by the speed of {now().astimezone().date()}" in warning for warning in after.warnings)

    assert [job.id for job in bridge.jobs()] == [old.job.id]
    with pytest.raises(JobNotFound):
        bridge.job("last")
    [measured] = bridge.jobs(group=MEASUREMENT)
    assert measured.status is Status.SUCCEEDED
    assert [path.name for path in (bridge.home / "local" / "jobs" / measured.id).rglob("*.safetensors")] == []
    assert list((bridge.home / "local" / "files").glob("*.jsonl")) == []
