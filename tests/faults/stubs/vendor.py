"""What the stub vendors have in common: jobs and files in memory, and conduct that can be bad.

The stubs are written by the vendors' own documents and SDKs alone, and not by the adapters or the mocks of the
project, so that a guess in those is not found confirmed here.
"""

from __future__ import annotations

import re
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar, NamedTuple, TypeAlias

from faults.stubs.answers import worded
from faults.stubs.conduct import Conduct, Listing, Mishap, next_mishap
from faults.stubs.kept import State, StubFile, StubJob
from faults.stubs.wire import Answer, Call, Cut

Handler: TypeAlias = Callable[..., Answer]

_clock = time.time  # a test that moves ftbridge's clock does not move the vendor's


class Page(NamedTuple):
    """What is on a page, and whether the vendor says that another one follows."""

    rows: list[Any] | None
    more: bool


class Vendor(ABC):
    """The engine. `calls` counts the requests for pages; more than `storm` of a kind are a client that never ends.

    Every job that is made costs money, whatever becomes of it, so `made` is what was paid for. With
    `ends_after` a job succeeds when it has been read so many times. `at_create` is called with "before"
    and "after" around the making of each job, and `at_call` with each request before anything is done.
    """

    base: ClassVar[str] = "/v1"
    key_env: ClassVar[str]
    url_env: ClassVar[str]

    def __init__(self, *, storm: int = 400) -> None:
        self.conduct = Conduct()
        self.jobs: list[StubJob] = []
        self.files: dict[str, StubFile] = {}
        self.calls: Counter[str] = Counter()
        self.seen: list[tuple[Call, Answer]] = []
        self.problems: list[str] = []
        self.storm = storm
        self.stormed = False
        self.offset = 0.0
        self.ends_after: int | None = None
        self.hurry = threading.Event()
        self.at_create: Callable[[str], None] = lambda _when: None
        self.at_call: Callable[[Call], None] = lambda _call: None
        self.colleagues: list[StubJob] = []
        self._lock = threading.RLock()
        self._newest_first: list[StubJob] = []
        self._listing = Listing()

    @property
    def made(self) -> list[StubJob]:
        """The jobs that were made for us, in order."""
        return [job for job in self.jobs if not job.foreign]

    @property
    def running(self) -> list[StubJob]:
        """Those of them that were not cancelled, and cost, or have cost, all that they can."""
        return [job for job in self.made if job.state not in ("cancelled", "failed")]

    def now(self) -> float:
        """Seconds since 1970 by the vendor's clock."""
        return _clock() + self.offset

    @abstractmethod
    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Method, pattern of the path below `base`, and what answers, which is given the call and the groups."""

    @abstractmethod
    def error(self, status: int, message: str = "", *, kind: str = "", param: str | None = None) -> Any:
        """The body of an error answer, as the vendor writes it."""

    @abstractmethod
    def job_id(self) -> str:
        """An id as the vendor gives one to a new job."""

    @abstractmethod
    def file_id(self) -> str:
        """An id as the vendor gives one to a new file."""

    @abstractmethod
    def request_like_ours(self, suffix: str) -> dict[str, Any]:
        """The body of a create as a colleague might send it."""

    def answer(self, call: Call) -> Answer:
        """Find what answers; an unknown path is a 404."""
        self.at_call(call)
        path = call.path.removeprefix(self.base)
        for method, pattern, handler in self.routes():
            if method == call.method and (match := re.fullmatch(pattern, path)):
                # what takes its time must not hold up the rest, and only a change does
                with self._lock if method == "GET" else nullcontext():
                    answer = handler(call, *match.groups())
                self.seen.append((call, answer))
                return answer
        return Answer(404, self.error(404, f"Unknown request URL: {call.method} {call.path}"))

    def fill(self, number: int) -> None:
        """So many jobs of other people, made before."""
        request = self.request_like_ours("colleague")
        self.jobs = [StubJob(self.job_id(), request, self.now() - 1e5, True, "succeeded") for _ in range(number)]

    def change(self, mishaps: list[Mishap], act: Callable[[], Any], instead: Callable[[], Any]) -> Answer:
        """Do what was asked by `act`, or not, and answer with what it gives, or `instead`, or as badly as is due."""
        with self._lock:
            mishap = next_mishap(mishaps)
        if mishap.seconds:
            self.hurry.wait(mishap.seconds)
        with self._lock:
            body = act() if mishap.done else instead()
        if mishap.cut:
            raise Cut
        return worded(mishap, body if mishap.status < 300 else self.error(mishap.status))

    def make(self, request: dict[str, Any], **known: Any) -> StubJob:
        """A job of ours. It is made between the two calls of `at_create`."""
        self.at_create("before")
        job = StubJob(self.job_id(), request, self.now(), **known)
        job.history.append((self.now(), job.state))
        self.jobs.append(job)
        self.at_create("after")
        return job

    def become(self, job: StubJob, state: State) -> StubJob:
        """The job is in that state from now on."""
        job.state = state
        job.history.append((self.now(), state))
        return job

    def find(self, job_id: str) -> StubJob | None:
        """The job of that id, which has been read once more now."""
        job = next((job for job in reversed(self.jobs) if job.id == job_id), None)
        if job is None:
            return None
        job.reads += 1
        if self.ends_after is not None and job.reads >= self.ends_after and not job.over and job.started:
            self.become(job, "running")
            self.become(job, "succeeded")
        return job

    def turn_page(self, what: str) -> Answer | None:
        """To be called first where a page of `what` is asked for; the answer, if the page is refused."""
        self.calls[what] += 1
        if self.calls[what] > self.storm:
            self.stormed = True
            return Answer(400, self.error(400, "You have asked for too many pages."))
        if what != "jobs":
            return None
        listing = self.conduct.listing
        self._listing = listing if listing.calls > 0 else Listing()
        listing.calls -= 1
        if not self._listing.refused:
            return None
        headers = {"Retry-After": listing.retry_after} if listing.retry_after else {}
        return Answer(listing.refused, self.error(listing.refused), headers=headers)

    def rows(self, wanted: Callable[[StubJob], bool] | None = None) -> list[StubJob]:
        """The jobs that the listing shows of those that are `wanted`, newest first."""
        listing = self._listing
        if listing.lag_seconds or listing.lag_calls:
            shown = [job for job in reversed(self.jobs) if self._shows(job)]
        else:
            if len(self._newest_first) != len(self.jobs):
                self._newest_first = self.jobs[::-1]
            shown = self._newest_first
        if listing.shifted:
            shown = self._with_colleagues(shown)
        return shown if wanted is None or listing.filter_ignored else [job for job in shown if wanted(job)]

    def page(self, rows: list[StubJob], start: int, size: int) -> Page:
        """The rows from `start`, as well or badly as is due."""
        listing = self._listing
        if listing.null_data:
            return Page(None, False)
        if listing.empty_first and start == 0:
            return Page([], True)
        if listing.cursor_ignored:
            return Page(rows[:size], True)
        if listing.alternating:
            odd = self.calls["jobs"] % 2 == 1
            return Page(rows[: size - 1] if odd else self._with_colleagues([])[:1], True)
        if listing.shifted and start > 0:
            start -= 1
        found = rows[start : start + size]
        return Page([row for row in found for _ in range(1 + listing.twice)], start + size < len(rows))

    def stripped(self, job: StubJob) -> tuple[dict[str, str], str | None]:
        """The metadata and the suffix of a job, as far as the vendor has not lost them."""
        lost = self._listing.stripped
        return {} if lost else job.metadata, None if lost == "all" else job.suffix

    def _shows(self, job: StubJob) -> bool:
        listing = self._listing
        job.listings += 1
        late = time.monotonic() - job.born >= listing.lag_seconds and job.listings > listing.lag_calls
        return job.foreign or late

    def _with_colleagues(self, jobs: list[StubJob]) -> list[StubJob]:
        if not self.colleagues:
            request = self.request_like_ours("colleague")
            self.colleagues = [StubJob(self.job_id(), request, self.now(), True) for _ in range(99)]
        return [*self.colleagues, *jobs]


def new_uuid() -> str:
    """One that is like no other."""
    return str(uuid.uuid4())
