"""The jobs of a cluster that are ours, by their tags, and how more are submitted.

Each job says in its metadata what tag it is for, and by what verb of `ray_node`.
"""

from __future__ import annotations

import secrets
import shlex
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ftbridge.errors import JobNotFound, ServerTrouble, UsageError
from ftbridge.provider.retry import with_retries
from ftbridge.provider.unreadable import reading
from ftbridge_local.runners.look import MARK, Look, look_program
from ftbridge_local.runners.ray_api import PROVIDER, RayApi, RayJob
from ftbridge_local.runners.ray_node import NOT_OVER, NOT_THERE, STILL_RUNS
from ftbridge_local.runners.ray_package import trainer_package
from ftbridge_local.runners.tables import RayTable

T = TypeVar("T")
_TAG, _VERB = "ftbridge_tag", "ftbridge_verb"
_WORKERS = ("start", "resume")
SHOWN = 600
"""Characters of a message of Ray's, which has the end of a log."""
_ATTEMPTS = 3
_STOP_SECONDS = 60  # from SIGTERM, which is "pause" to the worker, until Ray kills it; it gives three unless told
_VERB_SECONDS = 180.0  # a node may have to set up an environment for it
LOOK_SECONDS = 0.3


class History(NamedTuple):
    """All Ray jobs of one tag, the oldest first: those that trained, and those that asked something of them."""

    jobs: list[RayJob]

    @property
    def workers(self) -> list[RayJob]:
        """Those that trained, or are to."""
        return [job for job in self.jobs if job.metadata[_VERB] in _WORKERS]

    @property
    def worker(self) -> RayJob:
        """The last of them."""
        return self.workers[-1]

    @property
    def node(self) -> str:
        """Where the folder was seen last."""
        return next((job.node for job in reversed(self.jobs) if job.node), "")

    @property
    def last_change(self) -> str:
        """The last Ray job that may have written into the folder, and has ended."""
        return next((job.id for job in reversed(self.jobs) if job.has_ended), "")


class RayJobs:
    """The jobs at `api`, which are submitted as `table` says."""

    def __init__(self, api: RayApi, table: RayTable) -> None:
        self.api = api
        self._table = table
        self._last: dict[str, History] = {}

    def histories(self) -> dict[str, History]:
        """All jobs of the cluster that have a worker, by their tags."""
        by_tag = defaultdict[str, list[RayJob]](list)
        for job in retried(self.api.jobs):
            if _TAG in job.metadata and _VERB in job.metadata:
                by_tag[job.metadata[_TAG]].append(job)
        self._last = {tag: history for tag, jobs in by_tag.items() if (history := History(jobs)).workers}
        return self._last

    def seen_last(self, tag: str) -> History:
        """The history as it was when it was looked at last, if the job had a node then: that changes seldom."""
        seen = self._last.get(tag)
        return seen if seen and seen.node else self.history(tag)

    def history(self, tag: str) -> History:
        """Raises `JobNotFound` where the cluster does not know it."""
        if history := self.histories().get(tag):
            return history
        hint = "Its list of jobs is lost when its head restarts; without `folder` in [runners.NAME] its files are, too."
        raise JobNotFound(f"Ray at {self.api.url} knows no job {tag}", hint=hint)

    def submit(
        self,
        job: str,
        tag: str,
        verb: str,
        *words: str,
        package: str = "",
        node: str = "",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Have a job of that id run a verb of `ray_node`; the trainer is sent where Ray does not have it."""
        trainer, content = trainer_package()
        if not retried(partial(self.api.has_package, trainer)):
            retried(partial(self.api.put_package, trainer, content))
        python = ["env", "-u", "OMP_NUM_THREADS"] if not self._table.num_cpus else []  # which Ray then sets to 1
        python += [self._table.python, "-P", "-W", "ignore", "-m", "ftbridge_local.runners.ray_node"]
        environment = {
            **self._environment,
            "py_modules": [f"gcs://{trainer}"],
            "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(_STOP_SECONDS)},
        }
        if package:
            environment["working_dir"] = f"gcs://{package}"
        body: dict[str, Any] = {
            "submission_id": job,
            "entrypoint": f"exec {shlex.join([*python, verb, tag, self._table.folder, *words])}",
            "runtime_env": environment,
            "metadata": {_TAG: tag, _VERB: verb, **(metadata or {})},
        }
        if verb in _WORKERS:
            body |= self._room
        if node:
            body["entrypoint_label_selector"] = {"ray.io/node-id": node}
        self.api.create(body)

    def carry_out(self, tag: str, verb: str, history: History, *words: str, anywhere: bool = False) -> int:
        """Run a verb on the job's node, or have it run by whoever asked first; its exit code."""
        asked = [job for job in history.jobs if job.metadata[_VERB] == verb]
        job = f"{tag}-{verb}-{len(asked) + 1}"
        if asked and not asked[-1].has_ended and not words:
            job = asked[-1].id
        else:
            self.submit(job, tag, verb, *words, node="" if anywhere else history.node)
        done = self._done(job)
        if done.status == "SUCCEEDED":
            return 0
        if done.exit_code in (STILL_RUNS, NOT_OVER, NOT_THERE):
            return done.exit_code
        message = f"Ray could not run {job}: {done.message[-SHOWN:]}"
        raise ServerTrouble(message, provider=PROVIDER, status=500, hint="Try again; the message is Ray's.")

    def look(self) -> Look:
        """What there is where jobs run, by a small job. Raises `UsageError` where their Python cannot be run."""
        job = f"ftb-look-{secrets.token_hex(6)}"
        program = [self._table.python, "-c", look_program(self._table.folder or "/tmp")]  # noqa: S108 - of no use here
        body = {"submission_id": job, "entrypoint": f"exec {shlex.join(program)}", "runtime_env": self._environment}
        self.api.create({**body, **self._room})
        done = self._done(job)
        if done.status != "SUCCEEDED":
            raise UsageError(
                f"{self._table.python} cannot be run on the node: {done.message[-SHOWN:]}",
                hint='Set python = "PATH" in [runners.NAME] of ftbridge.toml to a Python of 3.11 or newer there.',
            )
        with self.api.open_file(done.node, f"job-driver-{job}.log") as chunks, reading(PROVIDER, "a log"):
            lines = b"".join(chunks).decode().splitlines()
            return Look.model_validate_json(next(one for one in lines if one.startswith(MARK)).removeprefix(MARK))

    @property
    def _environment(self) -> dict[str, Any]:
        return {"pip": list(self._table.pip)} if self._table.pip else {}

    @property
    def _room(self) -> dict[str, float]:
        return {"entrypoint_num_cpus": self._table.num_cpus, "entrypoint_num_gpus": self._table.num_gpus}

    def _done(self, job: str) -> RayJob:
        """A job that takes seconds, once it has ended. Raises `ServerTrouble` where Ray does not run it in time."""
        deadline = time.monotonic() + _VERB_SECONDS
        while True:
            done = next((one for one in retried(self.api.jobs) if one.id == job), None)
            if done and done.has_ended:
                return done
            if time.monotonic() > deadline:
                raise ServerTrouble(
                    f"Ray has not run {job} within {_VERB_SECONDS:.0f} s: {done.message if done else 'it is lost'}",
                    provider=PROVIDER,
                    status=503,
                    hint="Try again once the node has room for it.",
                )
            time.sleep(LOOK_SECONDS)


def retried(look: Callable[[], T]) -> T:
    """What a request gives that changes nothing, or may be repeated."""
    return with_retries(look, attempts=_ATTEMPTS)
