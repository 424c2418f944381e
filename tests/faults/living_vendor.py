"""A vendor that lives in memory: its jobs go on when they are told to, and what is to go wrong is said beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.dataset import Converter, Diagnostics, FileLimits
from ftbridge.dataset.canonical.example import Example, Shape
from ftbridge.errors import FtbridgeError, InvalidRequest, NetworkError, RateLimited, ServerTrouble
from ftbridge.model import Event, Method, Result, Spec, Status, now
from ftbridge.provider import Capabilities, Files, Provider, RemoteJob
from scripted_provider import Died, vendor_error

LIFE = (Status.VALIDATING, Status.QUEUED, Status.RUNNING, Status.RUNNING, Status.SUCCEEDED)

TROUBLE: dict[str, Callable[[], BaseException]] = {
    "death": Died,
    "a broken connection": lambda: vendor_error(NetworkError),
    "a 500": lambda: vendor_error(ServerTrouble, provider="living", status=500),
}
REFUSAL: dict[str, Callable[[], FtbridgeError]] = {
    "a 400": lambda: vendor_error(InvalidRequest, provider="living", status=400),
    "a 429": lambda: vendor_error(RateLimited, provider="living", status=429),
}
"""What a vendor says that has certainly made nothing."""


@dataclass
class LivingJob:
    """One job that somebody pays for."""

    tag: str
    age: int = 0
    end: Status | None = None
    reported: list[Event] = field(default_factory=list)

    @property
    def status(self) -> Status:
        return self.end or LIFE[self.age]

    def live(self) -> None:
        """Go one step on, and tell it."""
        if not self.status.final:
            self.age += 1
            self.tell(kind="status", status=self.status)
            if self.status is Status.RUNNING:
                self.tell(kind="metric", step=self.age, train_loss=1 / self.age)

    def tell(self, **facts: Any) -> None:
        self.reported.append(Event(at=now(), cursor=f"c{len(self.reported) + 1}", **facts))


class LivingVendor:
    """`before` and `after` hold what the next verbs of those names raise, before or after they have done their work."""

    def __init__(self) -> None:
        self.jobs: dict[str, LivingJob] = {}
        self.before: dict[str, BaseException] = {}
        self.after: dict[str, BaseException] = {}
        self.hidden: set[str] = set()
        self.hides_new_jobs = False

    def make(self, tag: str) -> str:
        remote_id = f"remote-{len(self.jobs) + 1}"
        self.jobs[remote_id] = LivingJob(tag)
        if self.hides_new_jobs:
            self.hidden.add(remote_id)
        return remote_id


class LivingProvider(Provider):
    """Talks to `vendor`, which outlives every bridge."""

    name: ClassVar[str] = "living"
    capabilities: ClassVar[Capabilities] = Capabilities(methods=frozenset({Method.SFT}), hyperparameters={})
    vendor: ClassVar[LivingVendor]
    poll_seconds = 0.0
    concurrency_limit = 3

    def converter(self, spec: Spec, model: str) -> Converter:
        return LivingConverter()

    def upload(self, file: Path, *, key: str) -> str:
        self._go_wrong(self.vendor.before, "upload")
        self._go_wrong(self.vendor.after, "upload")
        return f"file-{key}"

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        self._go_wrong(self.vendor.before, "create")
        remote_id = self.vendor.make(tag)
        self._go_wrong(self.vendor.after, "create")
        return self._shown(remote_id)

    def find(self, tag: str) -> list[RemoteJob]:
        self._go_wrong(self.vendor.before, "find")
        visible = [name for name in self.vendor.jobs if name not in self.vendor.hidden]
        return [self._shown(name) for name in visible if self.vendor.jobs[name].tag == tag]

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        for remote_id in remote_ids:
            self._go_wrong(self.vendor.before, "poll")
            yield self._shown(remote_id)

    def events(self, remote_id: str, since: str) -> list[Event]:
        self._go_wrong(self.vendor.before, "events")
        return self.vendor.jobs[remote_id].reported[int(since.removeprefix("c") or 0) :]

    def cancel(self, remote_id: str) -> None:
        self._go_wrong(self.vendor.before, "cancel")
        job = self.vendor.jobs[remote_id]
        if not job.status.final:
            job.end = Status.CANCELLED
            job.tell(kind="status", status=Status.CANCELLED)
        self._go_wrong(self.vendor.after, "cancel")

    def _shown(self, remote_id: str) -> RemoteJob:
        status = self.vendor.jobs[remote_id].status
        result = Result(model=f"tuned-{remote_id}") if status is Status.SUCCEEDED else None
        return RemoteJob(remote_id=remote_id, status=status, raw_status=f"so-{status}", result=result)

    def _go_wrong(self, when: dict[str, BaseException], verb: str) -> None:
        if verb in when:
            raise when.pop(verb)


class LivingConverter(Converter):
    """Takes every chat as it stands."""

    target = "living"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Example:
        return example
