"""Several processes watch the same jobs at once, and one of them dies: each change is there, once."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faults.case_setup import TARGETS, HostedSetup
from faults.controlled_process import JobSpec
from ftbridge.ledger import Ledger
from ftbridge.model import Event, Status
from ftbridge.plugins import load_provider
from ftbridge.target import parse_target

JOBS = 5


def wait_until_one_runs(setup: HostedSetup) -> None:
    until = time.monotonic() + 60
    while not any(job.status is Status.RUNNING for job in setup.jobs()):
        assert time.monotonic() < until, f"no job runs: {setup.jobs()}"
        time.sleep(0.05)


def steps(events: list[Event]) -> list[int | None]:
    return [event.step for event in events if event.kind == "metric"]


def reported(outcome: str, job_id: str) -> list[dict[str, Any]]:
    return [json.loads(event) for job, event in json.loads(outcome) if job == job_id]


@pytest.mark.parametrize("vendor", ["openai", "together", "mistral"])
def test_no_change_is_lost_and_none_told_twice(tmp_path: Path, vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = HostedSetup(vendor, tmp_path)
    with setup.started():
        setup.speed = 60.0
        setup.begin()
        for number in range(JOBS):
            setup.rivals[0].give(replace(setup.submission(), key=str(number)))
            setup.rivals[0].end()
        watching = JobSpec("watch", setup.home, setup.environment)
        mortal = setup.processes.start()
        for watcher in (*setup.rivals, mortal):
            watcher.give(watching)
        wait_until_one_runs(setup)
        mortal.kill()
        outcomes = [watcher.end() for watcher in setup.rivals]

        for name, value in setup.environment.items():
            monkeypatch.setenv(name, value)
        provider = load_provider(parse_target(TARGETS[vendor]), tmp_path)
        ledger = Ledger(setup.home)
        assert len(setup.jobs()) == JOBS
        for job in setup.jobs():
            assert job.status is Status.SUCCEEDED
            numbered = ledger.events(job.id)
            events = [event for _number, event in numbered]
            assert [number for number, _event in numbered] == list(range(1, len(events) + 1))
            statuses = [event.status for event in events if event.kind == "status"]
            assert len(statuses) == len(set(statuses))
            assert statuses[-1] is Status.SUCCEEDED
            assert steps(events) == steps(list(provider.events(str(job.remote_id), "")))
            for outcome in outcomes:
                assert reported(outcome, job.id) == [event.model_dump(mode="json") for event in events]
        ledger.close()
        provider.close()
