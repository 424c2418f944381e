"""The wire of Ray's job server, as a real head of Ray 2.60.0 answered in November 2026; its one node is this machine.

Commands of jobs are run for real, in the folder of their package, with their output in the log folder, from which
files are given out. Jobs that ask for GPUs wait for ever, as there are none.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from starlette.requests import Request

from ftbridge.mock import Answer, Call, Fault, MockVendor, operation

NODE = "4ed6fb8d1841dcc5deb38da2a7b547c75ca5c3b827fb0ca136e6a199"
TOKEN = "canary-token-that-nobody-may-see"
_WAITS = (
    "Job has not started yet. It may be waiting for resources (CPUs, GPUs, memory, custom resources) to become"
    " available. It may be waiting for the runtime environment to be set up."
)
_FIELDS = (
    *("entrypoint", "submission_id", "job_id", "runtime_env", "metadata", "entrypoint_num_cpus"),
    *("entrypoint_num_gpus", "entrypoint_memory", "entrypoint_resources", "entrypoint_label_selector"),
)
_TRACEBACK = 'Traceback (most recent call last):\n  File "job_head.py", line 419, in submit_job\n{}\n'


class RayStub(MockVendor):
    """A head with one node; `token` is the one that it wants, where it wants any."""

    name: ClassVar[str] = "ray"
    key_env: ClassVar[str] = "RAY_AUTH_TOKEN"
    url_env: ClassVar[str] = "RAY_ADDRESS"
    token = TOKEN

    def __init__(self, folder: Path, *, speed: float = 60.0, faults: Iterable[Fault] = ()) -> None:
        super().__init__(folder, speed=speed, faults=faults)
        self.logs = folder / "session" / "logs"
        self.logs.mkdir(parents=True)
        self.packages: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.has_node = True
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def error(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Any:
        return message

    def authorised(self, request: Request) -> bool:
        return not self.token or request.headers.get("authorization") == f"Bearer {self.token}"

    def forget(self) -> None:
        """What a restart of the head does: its list is lost, and its session's folder with it."""
        self.close()
        self.jobs.clear()
        self.packages.clear()
        self.logs = self.logs.parent.with_name(f"session-{time.time_ns()}") / "logs"
        self.logs.mkdir(parents=True)

    def close(self) -> None:
        """Kill all commands."""
        for process in self._processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @operation("GET", "/api/version")
    def get_version(self, call: Call) -> Answer:
        return Answer({"version": "4", "ray_version": "2.60.0", "session_name": self.logs.parent.name})

    @operation("GET", "/api/packages/gcs/{name}")
    def has_package(self, call: Call) -> Answer:
        if call.params["name"] in self.packages:
            return Answer()
        return _text(404, f"Package gcs://{call.params['name']} does not exist")

    @operation("PUT", "/api/packages/gcs/{name}")
    def put_package(self, call: Call) -> Answer:
        self.packages[call.params["name"]] = call.content
        return Answer()

    @operation("GET", "/api/jobs/")
    def list_jobs(self, call: Call) -> Answer:
        for name in self.jobs:
            self._look(name)
        return Answer([*reversed(self.jobs.values()), {"type": "DRIVER", "submission_id": None, "status": "RUNNING"}])

    @operation("POST", "/api/jobs/")
    def create_job(self, call: Call) -> Answer:
        if unknown := [name for name in call.body if name not in _FIELDS]:
            what = f"TypeError: JobSubmitRequest.__init__() got an unexpected keyword argument {unknown[0]!r}"
            return _text(400, _TRACEBACK.format(what))
        name = call.body["submission_id"]
        if name in self.jobs:
            what = f"ValueError: Job with submission_id {name} already exists. Please use a different submission_id."
            return _text(500, _TRACEBACK.format(f"{what}\n."))
        self.jobs[name] = {
            "type": "SUBMISSION",
            "job_id": None,
            "submission_id": name,
            "status": "PENDING",
            "entrypoint": call.body["entrypoint"],
            "message": _WAITS,
            "error_type": None,
            "start_time": time.time_ns() // 1_000_000,
            "metadata": call.body.get("metadata", {}),
            "runtime_env": call.body["runtime_env"],
            "driver_node_id": None,
            "driver_exit_code": None,
        }
        selected = call.body.get("entrypoint_label_selector", {}).get("ray.io/node-id", NODE)
        if selected != NODE or not self.has_node:
            what = "Job supervisor actor could not be scheduled: the node doesn't exist any more."
            self.jobs[name] |= {"status": "FAILED", "message": what, "error_type": "JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE"}
        elif not call.body.get("entrypoint_num_gpus"):
            self._run(name, call.body["runtime_env"])
        return Answer({"job_id": name, "submission_id": name})

    @operation("POST", "/api/jobs/{name}/stop")
    def stop_job(self, call: Call) -> Answer:
        name = call.params["name"]
        if name not in self.jobs:
            return _text(404, f"Job {name} does not exist")
        is_running = self.jobs[name]["status"] in ("PENDING", "RUNNING")  # one that waits stays PENDING
        if name in self._processes and self._processes[name].poll() is None:
            self._processes[name].terminate()
        return Answer({"stopped": is_running})

    @operation("GET", "/api/v0/logs")
    def list_logs(self, call: Call) -> Answer:
        if call.query["node_id"] != NODE or not self.has_node:
            return _text(500, "500 Internal Server Error\n\nServer got itself in trouble")
        found = self.logs.glob(call.query["glob"])
        names = [f"{path.relative_to(self.logs)}{'/' if path.is_dir() else ''}" for path in found]
        return Answer({"result": True, "msg": "", "data": {"result": {"internal": names} if names else {}}})

    @operation("GET", "/api/v0/logs/file")
    def log_file(self, call: Call) -> Answer:
        if call.query["node_id"] != NODE or not self.has_node:
            return _text(500, f"Agent for node id: {call.query['node_id']} doesn't exist.")
        file = self.logs / call.query["filename"]
        if not file.is_file():
            return _text(500, f"A file is not found at: {file}")
        return _text(200, file.read_bytes())

    def _run(self, name: str, environment: dict[str, Any]) -> None:
        modules = [self._unpacked(uri) for uri in environment.get("py_modules", ())]
        folder = self._unpacked(environment["working_dir"]) if "working_dir" in environment else self.logs
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "FTBRIDGE_COVERAGE") if key in os.environ}
        with (self.logs / f"job-driver-{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self.jobs[name]["entrypoint"],
                shell=True,
                start_new_session=True,
                cwd=folder,
                stdout=log,
                stderr=log,
                env={
                    **kept,
                    "PYTHONPATH": ":".join(map(str, modules)),
                    "OMP_NUM_THREADS": "1",
                    "PYTHONUNBUFFERED": "1",
                },
            )
        self.jobs[name] |= {"status": "RUNNING", "message": "Job is currently running.", "driver_node_id": NODE}

    def _unpacked(self, uri: str) -> Path:
        name = uri.removeprefix("gcs://")
        folder = self.store.folder / "unpacked" / name
        if not folder.exists():
            with zipfile.ZipFile(io.BytesIO(self.packages[name])) as archive:
                archive.extractall(folder)
        return folder

    def _look(self, name: str) -> None:
        job = self.jobs[name]
        if job["status"] != "RUNNING" or (code := self._processes[name].poll()) is None:
            return
        job["driver_exit_code"] = code
        if code == -signal.SIGTERM:
            job |= {"status": "STOPPED", "message": "Job was intentionally stopped."}
        elif code:
            log = (self.logs / f"job-driver-{name}.log").read_text("utf-8", "replace")
            what = (
                f"Job entrypoint command failed with exit code {code}, last available logs (truncated to 20,000 chars):"
            )
            job |= {"status": "FAILED", "message": f"{what}\n{log}", "error_type": "JOB_ENTRYPOINT_COMMAND_ERROR"}
        else:
            job |= {"status": "SUCCEEDED", "message": "Job finished successfully."}


def _text(status: int, text: str | bytes) -> Answer:
    content = text if isinstance(text, bytes) else text.encode()
    return Answer(status=status, content=content, headers={"content-type": "text/plain"})
