"""What every runner does: put a job folder in place, run a command on it, report, interrupt, and read it back.

A job folder (see `ftbridge_local.job_folder`) is all that a runner and the command share: its name is the job's tag,
under which the runner starts it once and finds it again. A runner on this machine works in the folder itself. One that
runs jobs elsewhere (another host by ssh, a batch system, a cluster) copies the folder there and mirrors it here
(`runners.mirror`), and the same command runs on the copy: `python -m MODULE FOLDER`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from ftbridge.model import Status
from ftbridge_local.job_documents import JobState
from ftbridge_local.job_folder import JobFolder, Request

if TYPE_CHECKING:
    from ftbridge.provider import Artifact

_AT_REST = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.PAUSED, Status.UNKNOWN)


class JobReport(NamedTuple):
    """A job as its runner sees it.

    `alive`: a process works on it, is about to, or waits for a machine; it was determined before `state` was read,
    because a worker writes its last state before it ends. `waiting` says for what, where the job has no machine yet.
    `log` is the end of worker.log, or what the engine says of its end, where the worker died.
    """

    tag: str
    state: JobState
    alive: bool
    log: str = ""
    waiting: str = ""

    @property
    def died(self) -> bool:
        """Whether the worker ended without writing a state that says so."""
        return not self.alive and (self.state.unreadable or self.state.status not in _AT_REST)


Resumed = Literal["resumed", "running", "over", "without data"]


class Runner(Protocol):
    """Runs one command on many job folders. All methods are safe to repeat."""

    def start(self, tag: str, prepare: Callable[[JobFolder], None]) -> None:
        """Run the command on a new job; of a job that exists already, do only what is missing.

        `prepare` writes everything into the folder but the state, which the runner writes last.
        """

    def resume(self, tag: str) -> Resumed:
        """Run the command on a stopped job again, unless it is still running, over, or without its data."""

    def tags(self) -> list[str]:
        """The tags of all jobs of this runner."""

    def report(self, tags: Sequence[str]) -> list[JobReport]:
        """The jobs with these tags, in one call where the far side allows it; unknown ones are left out."""

    def ask(self, tag: str, request: Request) -> None:
        """Leave a request for the command, which looks for one after each step."""

    def end(self, tag: str) -> bool:
        """Cancel the job: ask, and kill what does not stop in time. False where something still runs."""

    def read(self, tag: str, name: str, offset: int = 0) -> bytes:
        """The content of a file of the job folder from `offset` on: its spec, new events, its log."""

    def names(self, tag: str, folder: str) -> list[str]:
        """The names of the files and folders in a folder of the job folder, sorted; none where there is none."""

    def folder(self, tag: str) -> JobFolder:
        """Where the job's folder, or its mirror, is on this machine; the mirror may lack files."""

    def pull(self, tag: str, part: str = "result") -> JobFolder:
        """The same folder, with the whole folder `part` of it here: the result of a finished job, or a checkpoint."""

    def artifacts(self, tag: str) -> list[Artifact]:
        """What is kept of a job where it ran, each by its path there."""

    def delete(self, artifact: Artifact) -> None:
        """Remove it there. Raises `NotFound`, and `Conflict` while its job is not over."""

    def standby(self, *, preload: bool) -> AbstractContextManager[None]:
        """Within it a job is expected, and a runner may get a process ready for it."""
