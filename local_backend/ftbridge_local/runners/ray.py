"""The runner of a Ray cluster: a job of its job server for each job folder.

The tag is the id of the Ray job, which Ray takes once; the worker that resumes has TAG-2, TAG-3 and so on, and the lock
of the folder, so that no two train. What was asked for travels as the job's metadata, the job folder and the trainer as
packages. The folder's own files say what has become of it; Ray says whether the job waits, runs or has ended.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ftbridge.errors import Conflict, NotFound, ServerTrouble
from ftbridge.files import make_folder, open_private
from ftbridge.foreign.names import is_pickle, member_parts
from ftbridge.model import Status
from ftbridge.provider import Artifact
from ftbridge.provider.unreadable import reading
from ftbridge_local.job_documents import EVENTS, STATUS, TRAINING, JobState, read_state
from ftbridge_local.job_folder import JobFolder, Request
from ftbridge_local.runners.mirror import LASTING, Mirror
from ftbridge_local.runners.process import STOP_SECONDS
from ftbridge_local.runners.ray_api import PROVIDER, RayApi
from ftbridge_local.runners.ray_jobs import LOOK_SECONDS, SHOWN, History, RayJobs, retried
from ftbridge_local.runners.ray_node import NOT_OVER, NOT_THERE, PLACED, STILL_RUNS, linked_name
from ftbridge_local.runners.ray_package import is_too_large, job_package
from ftbridge_local.runners.runner import JobReport, Resumed
from ftbridge_local.runners.tables import RayTable

T = TypeVar("T")
_BEGUN, _TAKEN_BACK = "ray-begun", "ray-taken-back"  # in the mirror: Ray has had the job; it was cancelled as it waited
_BEFORE_RUNNING = (Status.SUBMITTING, Status.VALIDATING)
_OVER = (Status.SUCCEEDED, Status.CANCELLED)


class RayRunner:
    """Runs jobs on the cluster that `table` describes."""

    def __init__(self, api: RayApi, mirror: Mirror, table: RayTable) -> None:
        self._api = api
        self._jobs = RayJobs(api, table)
        self._table = table
        self.mirror = mirror
        self._training: set[str] = set()
        self._ended: dict[tuple[str, str], JobState] = {}

    def start(self, tag: str, prepare: Callable[[JobFolder], None]) -> None:
        """As every runner; Ray takes an id once, so that two processes that start the same job start one."""
        if tag in self._jobs.histories():
            return
        with self.mirror.prepared(tag, prepare) as folder:
            asked_for = {name: (folder / name).read_text("utf-8") for name in LASTING}
            package = self._sent(tag, folder)
            self._jobs.submit(tag, tag, "start", *(() if package else (PLACED,)), package=package, metadata=asked_for)
        self.mirror.remember(tag, _BEGUN, b"")

    def resume(self, tag: str) -> Resumed:
        """As every runner; on the same node, unless all nodes see the folder."""
        if self._is_here(tag, _TAKEN_BACK):
            return "over"
        history = self._until_ended(tag)
        if history is None:
            return self._resume_forgotten(tag)
        if not history.worker.has_ended:
            return "running"
        if self._state(tag, history).status in _OVER:
            return "over"
        if TRAINING not in self.names(tag, ""):
            return "without data"
        node = "" if self._table.folder else history.node
        self._jobs.submit(f"{tag}-{len(history.workers) + 1}", tag, "resume", node=node)
        return "resumed"

    def tags(self) -> list[str]:
        """The tags of all jobs that the cluster knows, whoever began them, and of those from here that it forgot."""
        return sorted({*self._jobs.histories(), *self._begun_here()})

    def report(self, tags: Sequence[str]) -> list[JobReport]:
        """By one list of all jobs; the state of one that has ended is read once."""
        if not tags:
            return []
        known = self._jobs.histories()
        begun_here = self._begun_here() if set(tags) - known.keys() else set()
        reports = [self._report(tag, known[tag]) for tag in tags if tag in known]
        return reports + [self._forgotten(tag) for tag in tags if tag not in known and tag in begun_here]

    def ask(self, tag: str, request: Request) -> None:
        """Have the request left in the folder, by a job on the same node."""
        history = self._jobs.history(tag)
        if history.worker.status == "PENDING":
            raise Conflict(
                f"job {tag} waits for a machine, and cannot be paused",
                provider=PROVIDER,
                hint=f"Pause it once it runs; `ftbridge cancel {tag}` ends it.",
            )
        if not history.worker.has_ended:
            self._jobs.carry_out(tag, "ask", history)

    def end(self, tag: str) -> bool:
        """As every runner; one that waits is taken back, and one that runs is ended by a job on the same node."""
        history = self._jobs.history(tag)
        if history.worker.status == "PENDING":
            self.mirror.remember(tag, _TAKEN_BACK, b"")
            self._api.stop(history.worker.id)
        return not history.node or self._jobs.carry_out(tag, "end", history) != STILL_RUNS

    def read(self, tag: str, name: str, offset: int = 0) -> bytes:
        """From where the job runs; empty where there is no such file. What was asked for is in Ray's list."""
        if known := self.mirror.read(tag, name):
            return known[offset:]
        history = self._jobs.seen_last(tag)
        if known := history.jobs[0].metadata.get(name, "").encode():
            return known[offset:]
        content: bytes = self._seen(tag, history, partial(self._content, name=self._path(tag, name)), b"")
        return content[offset:]

    def names(self, tag: str, folder: str) -> list[str]:
        """Of the folder there."""
        look = partial(self._api.list_files, pattern=self._path(tag, folder, "*"))
        found: list[str] = self._seen(tag, self._jobs.history(tag), look, [])
        return [path.rstrip("/").rpartition("/")[2] for path in found]

    def folder(self, tag: str) -> JobFolder:
        """The mirror."""
        return self.mirror.folder(tag)

    def pull(self, tag: str, part: str = "result") -> JobFolder:
        """The mirror with that part, which never changes once it is there."""
        folder = self.folder(tag)
        if not (folder.path / part).exists():
            for name in (STATUS, EVENTS):  # which do not change either, once there is a result
                self.mirror.remember(tag, name, self.read(tag, name))
            self._seen(tag, self._jobs.history(tag), partial(self._pull, tag, part), None)
        return folder

    def artifacts(self, tag: str) -> list[Artifact]:
        """What is kept there, by paths below the folder of all jobs."""
        names = self.names(tag, "")
        parts: list[tuple[Any, str]] = [("data", name) for name in names if name.endswith(".jsonl") and name != EVENTS]
        parts += [("data", name) for name in names if name.startswith("reference-")]
        parts += [("checkpoint", f"checkpoints/{name}") for name in self.names(tag, "checkpoints")]
        parts += [("model", name) for name in names if name == "result"]
        return [Artifact(kind=kind, name=f"/local/jobs/{tag}/{path}") for kind, path in parts]

    def delete(self, artifact: Artifact) -> None:
        """Remove it there."""
        tag = Path(artifact.name).parts[3]
        code = self._jobs.carry_out(tag, "delete", self._jobs.history(tag), artifact.name)
        if code == NOT_THERE:
            raise NotFound(f"there is no {artifact.name}", provider=PROVIDER, hint="It is deleted already.")
        if code == NOT_OVER:
            what = f"job {tag} is not over, and needs {artifact.name}"
            raise Conflict(what, provider=PROVIDER, hint=f"`ftbridge cancel {tag}` ends it.")

    def standby(self, *, preload: bool) -> AbstractContextManager[None]:
        """Nothing gets ready there before there is a job."""
        return nullcontext()

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        self._api.close()

    def _sent(self, tag: str, folder: Path) -> str:
        """The name of the package in which the folder was sent; "" where it was put in place, being too large."""
        shared = Path(self._table.folder)
        if self._table.folder and shared.is_dir() and is_too_large(folder):
            target = shared / "local" / "jobs" / tag
            make_folder(target.parent)
            shutil.copytree(folder, target, dirs_exist_ok=True)
            return ""
        with job_package(folder) as (name, content):
            retried(partial(self._api.put_package, name, content))
        return name

    def _report(self, tag: str, history: History) -> JobReport:
        if self._is_here(tag, ""):
            self.mirror.remember(tag, _BEGUN, b"")
        worker = history.worker
        if self._is_here(tag, _TAKEN_BACK):
            return JobReport(tag, JobState(status=Status.CANCELLED), alive=False)
        if worker.status == "PENDING":
            return JobReport(tag, JobState(status=Status.SUBMITTING), alive=True, waiting=worker.message or "PENDING")
        if not worker.has_ended:
            status = Status.RUNNING if self._trains(tag, history) else Status.VALIDATING
            return JobReport(tag, JobState(status=status), alive=True)
        report = JobReport(tag, self._state(tag, history), alive=False)
        return report._replace(log=worker.message[-SHOWN:]) if report.died else report

    def _trains(self, tag: str, history: History) -> bool:
        """Whether a worker that runs has got so far as to train, by its state, which is read until it has."""
        worker = history.worker.id
        if worker not in self._training:
            with suppress(ServerTrouble, ValueError):  # the next look asks again
                content = self._content(history.node, self._path(tag, STATUS))
                if content and read_state(content).status not in _BEFORE_RUNNING:
                    self._training.add(worker)
        return worker in self._training

    def _state(self, tag: str, history: History) -> JobState:
        """The state of a job that has ended, or of what Ray says of its end where the worker wrote none."""
        key = tag, history.last_change
        if key not in self._ended:
            try:
                content = self.read(tag, STATUS)
            except ServerTrouble:
                if history.worker.status != "FAILED":  # its node is gone, and may have had a result
                    raise
                return JobState(status=Status.RUNNING)
            if not content:
                return JobState(status=Status.CANCELLED if history.worker.status == "STOPPED" else Status.VALIDATING)
            with reading(PROVIDER, "a state"):
                self._ended[key] = read_state(content)
        return self._ended[key]

    def _forgotten(self, tag: str) -> JobReport:
        """A job that Ray took and knows no more: its list is kept in the memory of the head."""
        if self._is_here(tag, _TAKEN_BACK):
            return JobReport(tag, JobState(status=Status.CANCELLED), alive=False)
        folder = self.folder(tag)
        if folder.exists:  # with its result
            return JobReport(tag, folder.state(), alive=False)
        log = f"Ray at {self._api.url} does not know the job any more: its head was restarted"
        return JobReport(tag, JobState(status=Status.RUNNING), alive=False, log=log)

    def _resume_forgotten(self, tag: str) -> Resumed:
        if not (self._table.folder and self._is_here(tag, _BEGUN)):
            return "without data"
        self._jobs.submit(f"{tag}-again", tag, "resume")
        return "resumed"

    def _seen(self, tag: str, history: History, look: Callable[[str], T], nothing: T) -> T:
        """What is seen on the job's node; where that is gone, what another node sees in the shared folder."""
        if not history.node:
            return nothing
        try:
            return retried(partial(look, history.node))
        except ServerTrouble:
            if not self._table.folder:
                raise
        self._jobs.carry_out(tag, "look", history, anywhere=True)
        return retried(partial(look, self._jobs.history(tag).node))

    def _content(self, node: str, name: str) -> bytes:
        """Of a file; empty where there is none."""
        try:
            with self._api.open_file(node, name) as chunks:
                return b"".join(chunks)
        except ServerTrouble:  # also the answer where there is none
            if self._api.list_files(node, name):
                raise
            return b""

    def _pull(self, tag: str, part: str, node: str) -> None:
        root = self._path(tag, part)

        def fill(folder: Path) -> None:
            for name in self._api.list_files(node, f"{root}/**/*"):
                if name.endswith("/") or is_pickle(name):  # the state of a checkpoint, from which only its node goes on
                    continue
                path = folder.joinpath(*member_parts(name.removeprefix(f"{root}/")))
                make_folder(path.parent)
                with open_private(path, "wb") as file, self._api.open_file(node, name) as chunks:
                    file.writelines(chunks)

        self.mirror.take(tag, part, fill)

    def _until_ended(self, tag: str) -> History | None:
        """The history, after a worker that was asked to stop was given time to do so."""
        deadline = time.monotonic() + STOP_SECONDS
        while history := self._jobs.histories().get(tag):
            was_asked = len(history.jobs) > len(history.workers)
            if history.worker.has_ended or not was_asked or time.monotonic() > deadline:
                return history
            time.sleep(LOOK_SECONDS)
        return None

    def _begun_here(self) -> set[str]:
        return {path.parent.name for path in self.mirror.path.glob(f"jobs/*/{_BEGUN}")}

    def _is_here(self, tag: str, name: str) -> bool:
        return (self.folder(tag).path / name).exists()

    def _path(self, tag: str, *parts: str) -> str:
        return "/".join((linked_name(self._table.folder), "local", "jobs", tag, *filter(None, parts)))
