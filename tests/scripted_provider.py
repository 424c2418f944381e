"""A provider whose vendor is a list in memory, with faults on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.errors import FtbridgeError
from ftbridge.model import Event, Method, Spec, Status
from ftbridge.provider import Capabilities, Files, Listed, Provider, RemoteJob


class ScriptedProvider(Provider):
    """`made` is what the vendor has: tag by remote id.

    `before` and `after` are raised once by the next create, and `listing` by every look; `during` is called while a
    create is under way. What is made is not found while it is `hidden`; `listed` is what the list of all jobs has.
    """

    name: ClassVar[str] = "scripted"
    capabilities: ClassVar[Capabilities] = Capabilities(methods=frozenset({Method.SFT}), hyperparameters={})

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.made: dict[str, str] = {}
        self.uploads: list[str] = []
        self.before: list[BaseException] = []
        self.after: list[BaseException] = []
        self.during: Callable[[], None] | None = None
        self.listing: BaseException | None = None
        self.hidden = False
        self.listed: list[Listed] = []
        self.cancelled: list[str] = []
        self.polled: dict[str, RemoteJob] = {}
        self.reported: list[Event] = []

    def upload(self, file: Path, *, key: str) -> str:
        assert file.exists()
        self.uploads.append(key)
        return f"file-{key}"

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        if self.before:
            raise self.before.pop()
        remote_id = f"remote-{len(self.made) + 1}"
        if self.during:
            self.during()
        self.made[remote_id] = tag
        if self.after:
            raise self.after.pop()
        return RemoteJob(remote_id=remote_id, status=Status.QUEUED, raw_status="waiting")

    def find(self, tag: str) -> list[RemoteJob]:
        if self.listing:
            raise self.listing
        if self.hidden:
            return []
        found = [remote_id for remote_id, of in self.made.items() if of == tag]
        return [RemoteJob(remote_id=remote_id, status=Status.RUNNING, raw_status="going") for remote_id in found]

    def jobs(self) -> list[Listed]:
        return self.listed

    def cancel(self, remote_id: str) -> None:
        self.cancelled.append(remote_id)

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        return [self.polled[remote_id] for remote_id in remote_ids if remote_id in self.polled]

    def events(self, remote_id: str, since: str) -> Iterator[Event]:
        places = [place for place, event in enumerate(self.reported) if event.cursor == since]
        yield from self.reported[places[0] + 1 if places else 0 :]


class Died(BaseException):
    """Stands for a process that is killed: nothing catches it."""


def vendor_error(kind: type[FtbridgeError], **known: Any) -> FtbridgeError:
    return kind("the vendor's words", hint="a way out.", **known)
