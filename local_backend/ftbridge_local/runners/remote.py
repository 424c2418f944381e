"""The runner of another machine: each verb is one call of `runners.far` there, over a link such as ssh."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import IO, Any, NoReturn, Protocol, TypeVar

from ftbridge import errors
from ftbridge.errors import FtbridgeError, NetworkError, ProviderError, StateError
from ftbridge.provider import Artifact
from ftbridge.provider.retry import with_retries
from ftbridge_local.command import Command
from ftbridge_local.job_documents import EVENTS, STATUS, read_state
from ftbridge_local.job_folder import JobFolder, Request
from ftbridge_local.runners.carry import receive, send
from ftbridge_local.runners.mirror import LASTING, Mirror
from ftbridge_local.runners.runner import JobReport, Resumed

T = TypeVar("T")
_ATTEMPTS = 3


class Link(Protocol):
    """A way to the far side."""

    provider: str
    """By what provider it is, for errors."""

    def ready(self) -> None:
        """Make sure, once in a process, that calls can be made. Raises `NotReached` where nobody answers."""

    def call(
        self, request: Mapping[str, Any], write: Callable[[IO[bytes]], None] | None = None
    ) -> AbstractContextManager[tuple[dict[str, Any], IO[bytes]]]:
        """One call: the answer, and what follows it. `write` writes what follows the request.

        Raises `NetworkError` where the call may have been carried out, and `BadAnswer` for what cannot be read.
        """


class RemoteRunner:
    """Runs `command` over there; `engine` is what the far side needs to know to start it, such as a batch system."""

    def __init__(self, link: Link, mirror: Mirror, command: Command, engine: Mapping[str, Any]) -> None:
        self._link = link
        self.mirror = mirror
        self._secrets = command.secrets
        self._engine = engine

    def start(self, tag: str, prepare: Callable[[JobFolder], None]) -> None:
        """As every runner; the far side looks for the job before it begins it."""
        with self.mirror.prepared(tag, prepare) as folder:
            self._ask("start", tag, write=partial(send, folder), environment=self._environment())

    def resume(self, tag: str) -> Resumed:
        """As every runner."""
        resumed: Resumed = self._ask("resume", tag, environment=self._environment())
        return resumed

    def tags(self) -> list[str]:
        """The tags of all jobs there, whoever began them."""
        tags: list[str] = self._look("tags")
        return tags

    def report(self, tags: Sequence[str]) -> list[JobReport]:
        """In one call."""
        known = self._look("report", tags=list(tags)) if tags else []
        return [JobReport(**{**one, "state": read_state(one["state"].encode())}) for one in known]

    def ask(self, tag: str, request: Request) -> None:
        """Leave the request in the folder there."""
        self._ask("ask", tag, request=request)

    def end(self, tag: str) -> bool:
        """As every runner."""
        return bool(self._ask("end", tag))

    def read(self, tag: str, name: str, offset: int = 0) -> bytes:
        """From there; what never changes is read once."""
        if known := self.mirror.read(tag, name):
            return known[offset:]
        content = self._retried(partial(self._read, tag, name, offset))
        if name in LASTING and not offset:
            self.mirror.remember(tag, name, content)
        return content

    def names(self, tag: str, folder: str) -> list[str]:
        """Of the folder there."""
        names: list[str] = self._look("names", tag, folder=folder)
        return names

    def folder(self, tag: str) -> JobFolder:
        """The mirror."""
        return self.mirror.folder(tag)

    def pull(self, tag: str, part: str = "result") -> JobFolder:
        """The mirror with that part, which never changes once it is there."""
        folder = self.folder(tag)
        if not (folder.path / part).exists():
            for name in (STATUS, EVENTS):  # which do not change either, once there is a result
                self.mirror.remember(tag, name, self.read(tag, name))
            self._retried(partial(self._pull, tag, part))
        return folder

    def artifacts(self, tag: str) -> list[Artifact]:
        """What is kept there."""
        return [Artifact.model_validate(one) for one in self._look("artifacts", tag)]

    def delete(self, artifact: Artifact) -> None:
        """Remove it there."""
        self._ask("delete", kind=artifact.kind, name=artifact.name)

    def standby(self, *, preload: bool) -> AbstractContextManager[None]:
        """Nothing gets ready there before there is a job."""
        return nullcontext()

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in self._secrets if name in os.environ}

    def _look(self, verb: str, tag: str = "", **more: Any) -> Any:
        """What a verb that changes nothing gives."""
        return self._retried(partial(self._ask, verb, tag, **more))

    def _retried(self, look: Callable[[], T]) -> T:
        self._link.ready()
        return with_retries(look, attempts=_ATTEMPTS)

    def _ask(self, verb: str, tag: str = "", **more: Any) -> Any:
        with self._call(verb, tag, **more) as (value, _rest):
            return value

    def _read(self, tag: str, name: str, offset: int) -> bytes:
        with self._call("read", tag, name=name, offset=offset) as (size, stream):
            content = stream.read(size)
        if len(content) < size:
            self._broke_off(name)
        return content

    def _pull(self, tag: str, part: str) -> None:
        with self._call("pull", tag, part=part) as (_, stream):
            try:
                self.mirror.take(tag, part, partial(receive, stream))
            except ValueError as problem:
                self._broke_off(part, problem)

    @contextmanager
    def _call(
        self, verb: str, tag: str = "", *, write: Callable[[IO[bytes]], None] | None = None, **more: Any
    ) -> Iterator[tuple[Any, IO[bytes]]]:
        request = {"verb": verb, "tag": tag, **self._engine, **more}
        with self._link.call(request, write) as (answer, stream):
            if problem := answer.get("error"):
                raise _as_here(problem, self._link.provider)
            yield answer.get("value"), stream

    def _broke_off(self, what: str, problem: Exception | None = None) -> NoReturn:
        message = f"the connection of {self._link.provider} broke in the middle of {what}"
        raise NetworkError(message, hint="Try again.") from problem


def _as_here(problem: Mapping[str, Any], provider: str) -> FtbridgeError:
    """The far side's error, as the same one here."""
    known = getattr(errors, str(problem.get("type")), None)
    kind = known if isinstance(known, type) and issubclass(known, FtbridgeError) else StateError
    message, hint = str(problem.get("message")), str(problem.get("hint", ""))
    if issubclass(kind, ProviderError):
        return kind(message, hint=hint, provider=provider, status=problem.get("status"))
    return kind(message, hint=hint)
