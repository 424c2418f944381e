"""The API for asyncio: the same methods, many at once; what is cancelled is neither lost nor goes on for ever."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

from ftbridge import AsyncBridge, Bridge
from ftbridge.context import Context
from ftbridge.errors import JobNotFound
from ftbridge.jobs.exactly_once import find_or_create
from ftbridge.model import Status

MOCK = "mock+openai:gpt-4.1-mini-2025-04-14"
VERBS = {name for name, _verb in inspect.getmembers(Bridge, inspect.isfunction)} - set(vars(Context))


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*given: Any, **named: Any) -> None:
        asyncio.run(test(*given, **named))

    return run


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_method_of_bridge_is_there_with_its_arguments(name: str) -> None:
    verb, own = getattr(Bridge, name), getattr(AsyncBridge, name)
    assert inspect.signature(own).parameters.keys() == inspect.signature(verb).parameters.keys()
    yields = str(inspect.signature(verb).return_annotation).startswith("Iterator")
    assert inspect.isasyncgenfunction(own) if yields else inspect.iscoroutinefunction(own)
    assert inspect.getdoc(own)


@on_a_loop
async def test_the_main_job(data: Path) -> None:
    async with AsyncBridge() as bridge:
        job = await bridge.submit(data, MOCK, epochs=2)
        events = [event async for _job, event in bridge.watch(job) if event]
        assert events[-1].status is Status.SUCCEEDED
        assert (await bridge.chat(job, "q1")).text == "a1"
        assert "".join([piece async for piece in bridge.stream(job, "q1")]) == "a1"
        assert await bridge.jobs() == [await bridge.job(job)]
        assert bridge.warnings == bridge.bridge.warnings != []


@on_a_loop
async def test_many_at_once_are_one_job_each_and_the_same_request_is_one(data: Path) -> None:
    async with AsyncBridge() as bridge:
        jobs = await asyncio.gather(*(bridge.submit(data, MOCK, seed=number % 8) for number in range(16)))
        assert len({job.remote_id for job in jobs}) == 8
        over = await asyncio.gather(*map(bridge.wait, jobs))
        assert {job.status for job in over} == {Status.SUCCEEDED}


@on_a_loop
async def test_more_watches_than_threads_all_go_on(data: Path) -> None:
    async with AsyncBridge(threads=2) as bridge:
        job = await bridge.submit(data, MOCK)
        over = await asyncio.wait_for(asyncio.gather(*(bridge.wait(job) for _ in range(6))), 60)
        assert {one.status for one in over} == {Status.SUCCEEDED}


@on_a_loop
async def test_errors_are_those_of_bridge() -> None:
    async with AsyncBridge() as bridge:
        with pytest.raises(JobNotFound):
            await bridge.job("ftb_nothing")
        with pytest.raises(JobNotFound):
            await anext(aiter(bridge.watch("ftb_nothing")))


@on_a_loop
async def test_a_submission_whose_task_is_cancelled_is_finished(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()
    write = find_or_create.write_intent

    def slow(*given: Any, **named: Any) -> Any:
        begun.set()
        go_on.wait(30)
        return write(*given, **named)

    monkeypatch.setattr("ftbridge.jobs.submit.write_intent", slow)
    async with AsyncBridge() as bridge:
        task = asyncio.create_task(bridge.submit(data, MOCK))
        await asyncio.to_thread(begun.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await bridge.jobs() == []
        go_on.set()
    with Bridge() as after:
        [job] = after.jobs()
        assert job.remote_id


@on_a_loop
async def test_a_watch_whose_task_is_cancelled_stops_and_the_job_goes_on(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "1")  # minutes, in which nobody waits
    async with AsyncBridge() as bridge:
        job = await bridge.submit(data, MOCK)
        for follow in (bridge.wait(job), _watch(bridge, job.id)):
            task = asyncio.create_task(follow)
            await asyncio.sleep(0.3)
            assert bridge.iterating
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not bridge.iterating
        with pytest.raises(TimeoutError):
            await bridge.wait(job, timeout=0.2)
        assert not (await bridge.job(job)).status.final


@on_a_loop
async def test_a_watch_that_is_left_open_ends_with_the_bridge(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "1")
    bridge = AsyncBridge()
    job = await bridge.submit(data, MOCK)
    left_open = bridge.watch(job)
    await anext(aiter(left_open))
    assert len(bridge.iterating) == 1
    await bridge.close()
    assert not bridge.iterating
    with pytest.raises(StopAsyncIteration):
        await anext(aiter(left_open))
    assert (await bridge.job(job)).id == job.id  # what is used after that is opened anew
    await bridge.close()


async def _watch(bridge: AsyncBridge, job: str) -> None:
    async for _job, _event in bridge.watch(job):
        pass


def test_no_other_method_is_there() -> None:
    own = {name for name in vars(AsyncBridge) if not name.startswith("_")}
    assert own - VERBS == {"close", "run", "warnings"}
