"""The same API for asyncio: each method of `Bridge`, run in a thread, with the same arguments.

What yields one thing after the other is an asynchronous iterator here, and everything else a coroutine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from ftbridge.bridge import Bridge
from ftbridge.config import Config
from ftbridge.model import Job

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(
    verb: Callable[Concatenate[Bridge, P], T],
) -> Callable[Concatenate[AsyncBridge, P], Coroutine[Any, Any, T]]:
    """A method of `Bridge` as a coroutine."""

    @wraps(verb)
    async def call(self: AsyncBridge, /, *given: P.args, **named: P.kwargs) -> T:
        return await self.run(partial(verb, self.bridge, *given, **named))

    return call


def step_by_step(
    verb: Callable[Concatenate[Bridge, P], Iterator[T]],
) -> Callable[Concatenate[AsyncBridge, P], AsyncIterator[T]]:
    """A method of `Bridge` that yields, as an asynchronous iterator; it stops when nobody iterates any more."""

    @wraps(verb)
    async def iterate(self: AsyncBridge, /, *given: P.args, **named: P.kwargs) -> AsyncIterator[T]:
        steps = _Steps(partial(verb, self.bridge, *given, **named))
        self.iterating.add(steps)
        try:
            while found := await self.run(steps.next):
                yield found[0]
        finally:
            if steps in self.iterating:
                self.iterating.discard(steps)
                await asyncio.shield(self.run(steps.stop))

    return iterate


class _Steps(Generic[T]):
    """An iterator that one thread may stop while another waits for its next item."""

    def __init__(self, begin: Callable[[], Iterator[T]]) -> None:
        self._begin = begin
        self._items: Iterator[T] | None = None
        self._over = False
        self._busy = Lock()

    def next(self) -> tuple[T, ...]:
        """The next item alone; nothing at the end."""
        with self._busy:
            if self._items is None:
                self._items = self._begin()
            return () if self._over else tuple(islice(self._items, 1))

    def stop(self) -> None:
        """Close the iterator, as soon as it is not at work."""
        with self._busy:
            self._over = True
            if close := getattr(self._items, "close", None):
                close()


class AsyncBridge:
    """`Bridge` for notebooks and servers that run on asyncio.

    >>> async with AsyncBridge() as bridge:                          # doctest: +SKIP
    ...     job = await bridge.submit("support.jsonl", to="local:tiny", epochs=3)
    ...     async for job, event in bridge.watch(job):
    ...         print(event or job.status)
    ...     print(await bridge.chat(job, "Where is my order?"))

    When a task is cancelled, its thread finishes what it has begun, such as a submission, and a watch stops; jobs keep
    running. The end of the `async with` waits for these threads. At most `threads` methods run at once, and the others
    wait; `warn` is called from their threads.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        config: Config | None = None,
        warn: Callable[[str], None] | None = None,
        threads: int = 32,
    ) -> None:
        self.bridge = Bridge(home, config=config, warn=warn)
        self.iterating: set[_Steps[Any]] = set()
        self._most_threads = threads
        self._threads = ThreadPoolExecutor(threads, "ftbridge")  # starts none before it is used

    # datasets, by the rules of a target
    check = in_thread(Bridge.check)
    convert = in_thread(Bridge.convert)
    count_tokens = in_thread(Bridge.count_tokens)
    render = step_by_step(Bridge.render)
    distill = in_thread(Bridge.distill)

    # jobs
    submit = in_thread(Bridge.submit)
    jobs = in_thread(Bridge.jobs)
    job = in_thread(Bridge.job)
    refresh = in_thread(Bridge.refresh)
    watch = step_by_step(Bridge.watch)
    events = in_thread(Bridge.events)
    report = in_thread(Bridge.report)
    cancel = in_thread(Bridge.cancel)
    pause = in_thread(Bridge.pause)
    resume = in_thread(Bridge.resume)
    recover = in_thread(Bridge.recover)
    adopt = in_thread(Bridge.adopt)
    recover_from_vendors = step_by_step(Bridge.recover_from_vendors)
    import_jobs = in_thread(Bridge.import_jobs)

    async def wait(self, job: Job | str, *, timeout: float | None = None) -> Job:
        """Return when the job is over. Raises `TimeoutError` after `timeout` seconds; the job goes on."""
        async with asyncio.timeout(timeout):  # a thread that waits could not be cancelled
            async for _job, _event in self.watch(job):
                pass
        return await self.job(job)

    # other trainers
    export_config = in_thread(Bridge.export_config)
    import_config = in_thread(Bridge.import_config)

    # results
    fetch = in_thread(Bridge.fetch)
    export = in_thread(Bridge.export)
    chat = in_thread(Bridge.chat)
    stream = step_by_step(Bridge.stream)
    evaluate = in_thread(Bridge.evaluate)
    improve = in_thread(Bridge.improve)
    write_report = in_thread(Bridge.write_report)
    verify = in_thread(Bridge.verify)
    sweep = in_thread(Bridge.sweep)
    resume_sweep = in_thread(Bridge.resume_sweep)
    deploy = in_thread(Bridge.deploy)
    undeploy = in_thread(Bridge.undeploy)
    deployments = in_thread(Bridge.deployments)
    past_deployments = in_thread(Bridge.past_deployments)
    checkpoints = in_thread(Bridge.checkpoints)
    prune = in_thread(Bridge.prune)
    delete = in_thread(Bridge.delete)
    jobs_with_max_hours = in_thread(Bridge.jobs_with_max_hours)

    # costs and moving
    compare = in_thread(Bridge.compare)
    costs = in_thread(Bridge.costs)
    plan_migration = in_thread(Bridge.plan_migration)
    migrate = in_thread(Bridge.migrate)
    plan_all = in_thread(Bridge.plan_all)
    migrate_all = step_by_step(Bridge.migrate_all)
    check_total = in_thread(Bridge.check_total)
    moves = in_thread(Bridge.moves)
    lifecycle = in_thread(Bridge.lifecycle)

    @property
    def warnings(self) -> list[str]:
        """The warnings so far, unless `warn` was given."""
        return self.bridge.warnings

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns, in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, work)

    async def close(self) -> None:
        """Stop all watches, wait for all threads, and close what they have opened, as `Bridge.close` does."""
        while self.iterating:
            await self.run(self.iterating.pop().stop)
        ended, self._threads = self._threads, ThreadPoolExecutor(self._most_threads, "ftbridge")
        await asyncio.to_thread(ended.shutdown)
        await asyncio.to_thread(self.bridge.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_problem: object) -> None:
        await asyncio.shield(self.close())

    def __repr__(self) -> str:
        return f"<AsyncBridge {self.bridge.home}>"
