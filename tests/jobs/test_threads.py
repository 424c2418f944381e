"""One bridge may be used from several threads, and leaves none behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.model import Job, Status

MOCK = "mock+openai:gpt-4.1-mini-2025-04-14"
THREADS = 6


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")


def serving() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "ftbridge-loopback"]


def test_several_threads_submit_wait_and_chat_on_one_bridge(home: Path, data: Path) -> None:
    before = serving()

    def work(number: int) -> Job:
        job = bridge.wait(bridge.submit(data, MOCK, seed=number))
        assert bridge.chat(job, f"Question {number}").text
        assert bridge.catalogue.entries()
        return job

    with Bridge(home) as bridge, ThreadPoolExecutor(THREADS) as pool:
        jobs = list(pool.map(work, range(THREADS)))
        assert len(serving()) == len(before) + 1
        assert len({job.remote_id for job in bridge.jobs()}) == THREADS
    assert [job.status for job in jobs] == [Status.SUCCEEDED] * THREADS


def test_several_threads_submit_the_same_request_and_get_one_job(home: Path, data: Path) -> None:
    with Bridge(home) as bridge, ThreadPoolExecutor(THREADS) as pool:
        jobs = list(pool.map(lambda _number: bridge.submit(data, MOCK), range(THREADS)))
        assert len({job.id for job in jobs}) == 1
        assert len({job.remote_id for job in jobs}) == 1


def test_no_server_is_left_after_close_and_a_closed_bridge_opens_anew(home: Path, data: Path) -> None:
    before = serving()
    bridge = Bridge(home)
    job = bridge.submit(data, MOCK)
    assert len(serving()) == len(before) + 1
    bridge.close()
    assert serving() == before
    assert bridge.wait(job).status is Status.SUCCEEDED
    bridge.close()
    assert serving() == before
