"""The runner of Hugging Face Jobs: a job folder in a bucket, which the job mounts, and a job with the tag as label.

The folder is the truth; the hub only says whether the job waits, runs or is over, and for how long it ran. No tag is
begun twice: its label is looked up before the one request, and a second job of a tag leaves the work to the first.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from ftbridge.errors import Conflict, JobNotFound, NotFound
from ftbridge.files import write
from ftbridge.model import Status, now
from ftbridge.provider import Artifact
from ftbridge_local.hugging_face import mounted
from ftbridge_local.hugging_face.bucket import Bucket
from ftbridge_local.hugging_face.jobs_api import ACTIVE, HubJob, JobsApi
from ftbridge_local.hugging_face.table import PROVIDER, RUNNER, TAG, HfTable
from ftbridge_local.job_documents import EVENTS, STATUS, TRAINING, VALIDATION, JobState, read_state
from ftbridge_local.job_folder import LOG, JobFolder, Request
from ftbridge_local.runners.look import NEEDED
from ftbridge_local.runners.mirror import LASTING, Mirror
from ftbridge_local.runners.runner import JobReport, Resumed
from ftbridge_local.runners.ship import trainer

_MOUNT, _TRAINER = "/job", "trainer.zip"
_AT_REST = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.PAUSED)
_SYNC_SECONDS = 5.0  # after which a job brings back what has changed
_STOP_SECONDS = 60.0  # in which a job that was cancelled, or has paused, is over
_LOOK_SECONDS = 1.0
_WRITING_SECONDS = 120.0  # in which the bucket shows what a job wrote at its end


class HfRunner:
    """Jobs of the runner `name` on the machines that `table` names; the command is that of `mounted`."""

    def __init__(self, name: str, table: HfTable, mirror: Mirror, api: JobsApi) -> None:
        self.mirror = mirror
        self._name = name
        self._table = table
        self._api = api

    @cached_property
    def bucket(self) -> Bucket:
        """Where the job folders are."""
        return Bucket(self._api.account, f"{self._api.namespace}/{self._table.bucket}")

    def start(self, tag: str, prepare: Callable[[JobFolder], None]) -> None:
        """As every runner; where the hub has a job of the tag, that is it."""
        if self._jobs(tag):
            return
        with self.mirror.prepared(tag, prepare) as folder:
            JobFolder(folder).set_status(Status.SUBMITTING)
            files = {path.relative_to(folder).as_posix(): path.resolve() for path in folder.rglob("*")}
            status = (folder / STATUS).read_bytes()
            self._put(tag, {name: path for name, path in files.items() if path.is_file() and name != STATUS})
        self._put(tag, {STATUS: status})
        self._begin(tag)

    def resume(self, tag: str) -> Resumed:
        """As every runner; a job that has paused is given time to end."""
        if not self._gone(tag, while_at_rest=True):
            return "running"
        state = self._states([tag]).get(tag)
        if state and state.status in (Status.SUCCEEDED, Status.CANCELLED):
            return "over"
        if not self.bucket.sizes([f"{tag}/{TRAINING}"]):
            return "without data"
        self.bucket.drop([f"{tag}/{mounted.REQUEST}"])
        self._put(tag, {STATUS: JobState(status=Status.SUBMITTING).model_dump_json(exclude_none=True).encode()})
        self._begin(tag)
        return "resumed"

    def tags(self) -> list[str]:
        """Of all jobs that a runner of this name began, from wherever."""
        return list(dict.fromkeys(job.labels[TAG] for job in self._jobs()))

    def report(self, tags: Sequence[str]) -> list[JobReport]:
        """By one list of the hub's, and the states in the bucket after it."""
        jobs = defaultdict[str, list[HubJob]](list)
        for job in self._jobs(*tags[: len(tags) == 1]) if tags else []:
            jobs[job.labels[TAG]].append(job)
        states = self._states([tag for tag in tags if tag in jobs or self.mirror.has(tag)])
        return [self._report(tag, jobs[tag], states.get(tag)) for tag in tags if tag in jobs or tag in states]

    def ask(self, tag: str, request: Request) -> None:
        """Leave the request in the bucket, where the job looks for it every few seconds."""
        self._put(tag, {mounted.REQUEST: request.encode()})

    def end(self, tag: str) -> bool:
        """As every runner: the hub is asked to stop the job, which from then on costs nothing."""
        for job in self._jobs(tag):
            if not job.is_over:
                with suppress(NotFound, Conflict):  # it is over by now
                    self._api.cancel(job.id)
        if not self._gone(tag):
            return False
        state = self._states([tag]).get(tag)
        if state is None:
            raise JobNotFound(f"there is no job {tag} in {self.bucket.bucket_id}", hint="It never began.")
        if not state.status.final:
            self._mark_cancelled(tag)
        if state.status in (Status.SUCCEEDED, Status.CANCELLED) or not state.status.final:
            self.bucket.drop([f"{tag}/{name}" for name in self.bucket.tree(tag) if name in (TRAINING, VALIDATION)])
        return True

    def read(self, tag: str, name: str, offset: int = 0) -> bytes:
        """From the bucket; what never changes is read once."""
        if known := self.mirror.read(tag, name):
            return known[offset:]
        path = f"{tag}/{name}"
        if self.bucket.sizes([path]).get(path, 0) <= offset:
            return b""
        content = self.bucket.read([path]).get(path, b"")
        if name in LASTING and content:
            self.mirror.remember(tag, name, content)
        return content[offset:]

    def names(self, tag: str, folder: str) -> list[str]:
        """Of the folder in the bucket."""
        return sorted({path.partition("/")[0] for path in self.bucket.tree(f"{tag}/{folder}")})

    def folder(self, tag: str) -> JobFolder:
        """The mirror."""
        return self.mirror.folder(tag)

    def pull(self, tag: str, part: str = "result") -> JobFolder:
        """The mirror with that part, which never changes once it is there."""
        folder = self.folder(tag)
        if not (folder.path / part).exists():
            for name in (STATUS, EVENTS):  # which do not change either, once there is a result
                self.mirror.remember(tag, name, self.read(tag, name))
            self.mirror.take(tag, part, partial(self.bucket.download, f"{tag}/{part}"))
        return folder

    def artifacts(self, tag: str) -> list[Artifact]:
        """What the bucket has of a job beside its description."""
        names = list(self.bucket.tree(tag))
        parts = [name.split("/") for name in names]
        folders = sorted({"/".join(part[:2]) for part in parts if part[0] == mounted.CHECKPOINTS and len(part) > 2})
        data = [name for name in (TRAINING, VALIDATION, _TRAINER) if name in names]
        logs = [name for name in (LOG,) if name in names]
        results = ["result"] if any(name.startswith("result/") for name in names) else []
        kinds = {"data": data, "checkpoint": folders, "log": logs, "model": results}
        return [Artifact(kind=kind, name=f"{tag}/{name}") for kind, known in kinds.items() for name in known]

    def delete(self, artifact: Artifact) -> None:
        """Remove it from the bucket. Raises `Conflict` while a job of the tag is not over."""
        tag, _, name = artifact.name.partition("/")
        state = self._states([tag]).get(tag)
        if (state and state.status in (Status.SUBMITTING, Status.PAUSED)) or not self._gone(tag, while_at_rest=True):
            hint = f"`ftbridge cancel {tag}` ends it."
            raise Conflict(f"job {tag} is not over, and needs {name}", provider=PROVIDER, hint=hint)
        files = self.bucket.tree(tag)
        paths = [f"{tag}/{path}" for path in files if path == name or path.startswith(f"{name}/")]
        if not paths:
            raise NotFound(f"there is no {artifact.name}", provider=PROVIDER, hint="It is deleted already.")
        self.bucket.drop(paths)

    def standby(self, *, preload: bool) -> AbstractContextManager[None]:
        """Nothing gets ready there before there is a job."""
        return nullcontext()

    def _begin(self, tag: str) -> None:
        """The one request that begins a job, and from which on it costs."""
        self._put(tag, {_TRAINER: trainer()[1]})
        plan = mounted.Plan(self._table.seconds, _SYNC_SECONDS, self._api.namespace, _packages())
        endpoint = {"HF_ENDPOINT": value} if (value := os.environ.get("HF_ENDPOINT")) else {}
        self._api.create(
            {
                "command": ["python3", "-P", "-m", mounted.__name__, _MOUNT, tag, json.dumps(plan._asdict())],
                "arguments": [],
                "environment": {"PYTHONPATH": f"{_MOUNT}/{_TRAINER}", "PYTHONUTF8": "1", **endpoint},
                "flavor": self._table.flavor or self._name,
                "secrets": {"HF_TOKEN": self._api.account.token},
                "timeoutSeconds": self._table.seconds,
                "attempts": 1,
                "labels": {TAG: tag, RUNNER: self._name, "name": tag},
                "volumes": [
                    {
                        "type": "bucket",
                        "source": self.bucket.bucket_id,
                        "mountPath": _MOUNT,
                        "readOnly": False,
                        "path": tag,
                    }
                ],
                "dockerImage": self._table.image,
            }
        )

    def _jobs(self, tag: str = "") -> list[HubJob]:
        """The hub's jobs of this runner, or of a tag, newest first; each has a tag."""
        labels = {RUNNER: self._name, **({TAG: tag} if tag else {})}
        return [job for job in self._api.listed(labels) if job.labels.get(TAG)]

    def _states(self, tags: Sequence[str]) -> dict[str, JobState]:
        states = {}
        for path, content in self.bucket.read([f"{tag}/{STATUS}" for tag in tags]).items() if tags else ():
            try:
                state = read_state(content)
            except ValueError as problem:
                why = f"{path} cannot be read: {problem}"
                state = JobState(status=Status.UNKNOWN, error=why, unreadable=True)
            states[path.partition("/")[0]] = state
        return states

    def _report(self, tag: str, jobs: Sequence[HubJob], state: JobState | None) -> JobReport:
        state = state or JobState(status=Status.SUBMITTING)
        seconds = sum(job.running_seconds for job in jobs)
        job = next((job for job in jobs if not job.is_over), jobs[0] if jobs else None)
        if job is None:
            return JobReport(tag, state, alive=False)
        if not job.is_over and job.stage not in ACTIVE:
            unknown = JobState(status=Status.UNKNOWN, at=state.at)
            return JobReport(tag, unknown, alive=True, raw=job.stage, seconds=seconds)
        if state.status in _AT_REST:
            return JobReport(tag, state, alive=not job.is_over, seconds=seconds)
        if not job.is_over or _is_writing(job):
            waiting = "" if state.status is Status.RUNNING else "starting"
            waiting = "waiting for a machine" if job.stage == "SCHEDULING" else waiting
            return JobReport(tag, state, alive=True, waiting=waiting, seconds=seconds)
        ended = self._ended(job, tag)
        return JobReport(tag, ended, alive=False, raw=job.stage, seconds=seconds)

    def _ended(self, job: HubJob, tag: str) -> JobState:
        """The state of a job that is over without having written one."""
        at = job.finished_at or now()
        if job.stage == "CANCELED":
            return JobState(status=Status.CANCELLED, at=at)
        said = job.message or self._api.end_of_log(job.id)
        error = f"the job at Hugging Face ended as {job.stage}: {said or 'without a message'}"
        return JobState(status=Status.FAILED, error=f"{error}; `ftbridge resume {tag}` begins it again", at=at)

    def _gone(self, tag: str, *, while_at_rest: bool = False) -> bool:
        """Whether no job of the tag is active, now or soon; one is waited for, with `while_at_rest` if its state is."""
        deadline = time.monotonic() + _STOP_SECONDS
        while not all(job.is_over for job in self._jobs(tag)):
            state = self._states([tag]).get(tag) if while_at_rest else None
            if time.monotonic() >= deadline or (while_at_rest and not (state and state.status in _AT_REST)):
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _mark_cancelled(self, tag: str) -> None:
        with tempfile.TemporaryDirectory() as path:
            folder = JobFolder(Path(path))
            write(folder.path / EVENTS, self.read(tag, EVENTS))
            folder.set_status(Status.CANCELLED)
            self._put(tag, {name: (folder.path / name).read_bytes() for name in (EVENTS, STATUS)})

    def _put(self, tag: str, files: Mapping[str, Path | bytes]) -> None:
        self.bucket.put({f"{tag}/{name}": content for name, content in files.items()})


def _is_writing(job: HubJob) -> bool:
    """Whether what the job wrote last may not be seen in the bucket yet."""
    seconds = (now() - job.finished_at).total_seconds() if job.finished_at else 0.0
    return job.stage == "COMPLETED" and seconds < _WRITING_SECONDS


def _packages() -> dict[str, str]:
    """What the trainer imports, and what to install for each: the versions that this ftbridge takes."""
    try:
        ranges = {one.name.lower(): str(one.specifier) for one in map(Requirement, requires("ftbridge") or ())}
    except PackageNotFoundError:  # run from its source
        ranges = {}
    return {name: f"{name}{ranges.get(name, '')}" for name in NEEDED}
