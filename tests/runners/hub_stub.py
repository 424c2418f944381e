"""A stub of the Hugging Face hub's jobs and buckets, on the loopback interface.

It answers the requests that huggingface_hub 2.4 sends, with the fields that it reads, and really runs each job's
command in a process. Only the Xet protocol, by which the bytes of a bucket's files travel, is not served: `hub_buckets`
carries them instead, to the folder that the stub lists.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

USER = "alice"
TOKEN = "hf_" + "stub" * 8 + "ab"
PAGE = 3
_IMAGE_OWN = ("PYTHONPATH", "HF_HOME", "HF_TOKEN", "HF_TOKEN_PATH", "FTBRIDGE_HOME")  # which a container would not have


@dataclass
class Job:
    """One job, as it was asked for, and the process that is its container."""

    id: str
    body: dict[str, Any]
    created_at: datetime
    process: subprocess.Popen[bytes] | None = None
    stage: str = "SCHEDULING"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    log: Path | None = None

    def described(self) -> dict[str, Any]:
        """As the hub describes it (huggingface_hub 2.4.0, JobInfo)."""
        until = self.finished_at or datetime.now(UTC)
        running = (until - self.started_at).total_seconds() if self.started_at else None
        return {
            **{name: self.body.get(name) for name in ("dockerImage", "command", "flavor", "labels", "environment")},
            "id": self.id,
            "createdAt": _time(self.created_at),
            "startedAt": self.started_at and _time(self.started_at),
            "finishedAt": self.finished_at and _time(self.finished_at),
            "status": {"stage": self.stage, "message": None},
            "durations": {"schedulingSecs": 0, "runningSecs": running and int(running), "totalSecs": int(running or 0)},
            "owner": {"id": "1", "name": USER, "type": "user"},
            "arguments": [],
        }


@dataclass
class Fault:
    """What the hub does with the next request that fits: whether it carries it out, and what it answers."""

    method: str
    path: str
    done: bool = True
    status: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    seconds: float = 0.0
    times: int = 1

    def again(self) -> Fault:
        """The same, which has not happened yet."""
        return replace(self)


@dataclass
class HubStub:
    """The state of the hub; `folder` has a folder for each bucket."""

    folder: Path
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    public: set[str] = field(default_factory=set)
    machines: int = 100
    home: Path | None = None
    plan: dict[str, float] = field(default_factory=lambda: {"every": 0.3})
    """What the program of a job is told otherwise."""
    url: str = ""
    hides_seconds: float = 0.0
    lists_twice: bool = False
    breaks_off: bool = False
    odd_stage: str = ""
    at_request: Callable[[str], bool] | None = None
    """Gets what happens: "METHOD PATH arrives", or "… is carried out"; where that is False, the connection is cut."""
    lock: Any = field(default_factory=threading.RLock)

    @property
    def disks(self) -> Path:
        """Where jobs have their own folders."""
        return self.folder / "disks"

    def bucket(self, bucket_id: str) -> Path:
        """Where the files of a bucket are."""
        return self.folder / "buckets" / bucket_id

    def active(self, tag: str = "") -> list[Job]:
        """The jobs, perhaps of one tag, that are not over."""
        self.look()
        return [job for job in self.of(tag) if job.stage in ("SCHEDULING", "RUNNING")]

    def of(self, tag: str = "") -> list[Job]:
        """All jobs of a tag."""
        return [job for job in self.jobs.values() if tag in ("", job.body["labels"].get("ftbridge"))]

    def create(self, body: dict[str, Any]) -> Job:
        """Take a job, and begin it where a machine is free."""
        with self.lock:
            job = Job(f"{len(self.jobs) + 1:024x}", body, datetime.now(UTC))
            self.jobs[job.id] = job
            self.look()
            return job

    def look(self) -> None:
        """Bring the stages up to date."""
        with self.lock:
            for job in self.jobs.values():
                if job.stage == "RUNNING" and job.process and (code := job.process.poll()) is not None:
                    self._finish(job, "ERROR" if code else "COMPLETED")
                if job.stage == "RUNNING" and job.started_at:
                    passed = (datetime.now(UTC) - job.started_at).total_seconds()
                    if passed > job.body.get("timeoutSeconds", 1800):
                        self._stop(job)
                        self._finish(job, "ERROR")
            running = sum(job.stage == "RUNNING" for job in self.jobs.values())
            for job in self.jobs.values():
                if job.stage == "SCHEDULING" and running < self.machines:
                    self._run(job)
                    running += 1

    def cancel(self, job: Job) -> None:
        """End it as the hub does: SIGTERM, and soon SIGKILL."""
        with self.lock:
            if job.stage in ("SCHEDULING", "RUNNING"):
                self._stop(job)
                self._finish(job, "CANCELED")

    def stop(self) -> None:
        """End all processes."""
        for job in self.jobs.values():
            self._stop(job)

    def _run(self, job: Job) -> None:
        volume = job.body["volumes"][0]
        mount = self.bucket(volume["source"]) / volume["path"]

        def mounted(text: str) -> str:
            return text.replace(volume["mountPath"], str(mount)) if text.startswith(volume["mountPath"]) else text

        job.log = self.folder / f"{job.id}.log"
        own = {name: value for name, value in os.environ.items() if name not in _IMAGE_OWN}
        environment = {
            **own,
            **{name: mounted(value) for name, value in job.body.get("environment", {}).items()},
            **job.body.get("secrets", {}),
            "JOB_ID": job.id,
            "TMPDIR": str(self.disks),
            **({"FTBRIDGE_HOME": str(self.home)} if self.home else {}),
        }
        *begin, plan = [sys.executable if word == "python3" else mounted(word) for word in job.body["command"]]
        command = [*begin, json.dumps({**json.loads(plan), **self.plan})]
        with job.log.open("wb") as log:
            job.process = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=self.folder
            )
        job.stage, job.started_at = "RUNNING", datetime.now(UTC)

    def _stop(self, job: Job) -> None:
        if job.process and job.process.poll() is None:
            os.killpg(job.process.pid, signal.SIGKILL)
            job.process.wait(10)

    def _finish(self, job: Job, stage: str) -> None:
        job.stage, job.finished_at = stage, datetime.now(UTC)


@contextmanager
def running(folder: Path) -> Iterator[HubStub]:
    """The hub, for as long as the block lasts."""
    hub = HubStub(folder)
    hub.disks.mkdir(parents=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        hub.stop()


class _Handler(BaseHTTPRequestHandler):
    hub: HubStub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        url = urlsplit(self.path)
        body = json.loads(raw) if raw and "ndjson" not in self.headers.get("content-type", "") else raw
        with self.hub.lock:
            self.hub.requests.append((self.command, self.path, body))
        if not self._passes(f"{self.command} {url.path} arrives"):
            return
        fault = self._fault(url.path)
        time.sleep(fault.seconds if fault else 0.0)
        if fault and not fault.done:
            self._fail(fault)
            return
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._reply(401, {"error": "Invalid username or password."})
            return
        status, value, headers = _ANSWERS(self.hub, self.command, url.path.strip("/"), parse_qs(url.query), body)
        if not self._passes(f"{self.command} {url.path} is carried out"):
            return
        if fault:
            self._fail(fault, value)
        else:
            self._reply(status, value, headers)

    def _passes(self, what: str) -> bool:
        if self.hub.at_request is None or self.hub.at_request(what):
            return True
        self.close_connection = True
        return False

    def _fault(self, path: str) -> Fault | None:
        with self.hub.lock:
            for fault in self.hub.faults:
                if fault.method == self.command and path.startswith(fault.path):
                    fault.times -= 1
                    if not fault.times:
                        self.hub.faults.remove(fault)
                    return fault
        return None

    def _fail(self, fault: Fault, value: Any = None) -> None:
        if fault.cut:
            self.close_connection = True
            self.connection.close()
            return
        self._reply(fault.status or 200, value if fault.body is None else fault.body, fault.headers)

    def _reply(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _ANSWERS(  # noqa: N802 - the table of the hub's answers
    hub: HubStub, method: str, path: str, query: dict[str, list[str]], body: Any
) -> tuple[int, Any, dict[str, str]]:
    match method, path.split("/"):
        case "GET", ["api", "whoami-v2"]:
            return 200, {"name": USER, "type": "user"}, {}
        case "POST", ["api", "jobs", owner]:
            return (403, {"error": "not yours"}, {}) if owner != USER else (200, hub.create(body).described(), {})
        case "GET", ["api", "jobs", _owner]:
            return _listed(hub, path, query)
        case "GET", ["api", "jobs", _owner, job_id]:
            hub.look()
            return (200, hub.jobs[job_id].described(), {}) if job_id in hub.jobs else (404, {"error": "no job"}, {})
        case "POST", ["api", "jobs", _owner, job_id, "cancel"]:
            hub.cancel(hub.jobs[job_id])
            return 200, hub.jobs[job_id].described(), {}
        case "GET", ["api", "jobs", _owner, job_id, "logs"]:
            lines = _lines(hub.jobs[job_id])
            events = "".join(f"data: {json.dumps({'data': line, 'timestamp': ''})}\n\n" for line in lines)
            return 200, events.encode(), {"content-type": "text/event-stream"}
        case _, ["api", "buckets", owner, name, *rest]:
            return _bucket(hub, method, f"{owner}/{name}", rest, body)
    return 404, {"error": f"no {method} {path}"}, {}


def _listed(hub: HubStub, path: str, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
    hub.look()
    wanted = dict(label.split("=", 1) for label in query.get("label", []))
    found = [job for job in reversed(hub.jobs.values()) if wanted.items() <= job.body.get("labels", {}).items()]
    found = [job for job in found if job.stage in query.get("stage", [job.stage])]
    since = datetime.now(UTC).timestamp() - hub.hides_seconds
    found = [job for job in found if job.created_at.timestamp() <= since]
    begin = int(query.get("cursor", ["0"])[0])
    following = "".join(f"&label={label}" for label in query.get("label", []))
    following += "".join(f"&stage={stage}" for stage in query.get("stage", []))
    link = f'<{hub.url}/{path}?cursor={begin + PAGE}{following}>; rel="next"'
    page = [job.described() for job in found[begin : begin + PAGE]]
    if hub.odd_stage:
        page = [{**job, "status": {"stage": hub.odd_stage}} for job in page]
    if hub.breaks_off:
        return 200, [], {"link": link}
    return 200, page * (2 if hub.lists_twice else 1), {"link": link} if len(found) > begin + PAGE else {}


def _lines(job: Job) -> list[str]:
    return job.log.read_text("utf-8", "replace").splitlines() if job.log else []


def _bucket(hub: HubStub, method: str, bucket_id: str, rest: list[str], body: Any) -> tuple[int, Any, dict[str, str]]:
    folder = hub.bucket(bucket_id)
    if method == "POST" and not rest:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        return (200 if is_new else 409), {"url": f"{hub.url}/buckets/{bucket_id}"}, {}
    if not folder.exists():
        return 404, {"error": "Repository not found"}, {"x-error-code": "RepoNotFound"}
    match method, rest:
        case "GET", []:
            private = bucket_id not in hub.public
            created = _time(datetime.now(UTC))
            return 200, {"id": bucket_id, "private": private, "createdAt": created, "size": 0, "totalFiles": 0}, {}
        case "GET", ["tree", prefix]:
            return 200, [_file(folder, path) for path in _below(folder, unquote(prefix))], {}
        case "POST", ["paths-info"]:
            return 200, [_file(folder, path) for path in map(folder.joinpath, body["paths"]) if path.is_file()], {}
        case "POST", ["batch"]:
            for line in body.splitlines():
                operation = json.loads(line)
                assert operation["type"] == "deleteFile"
                (folder / operation["path"]).unlink(missing_ok=True)
            return 200, {"success": True}, {}
    return 404, {"error": "not found"}, {}


def _below(folder: Path, prefix: str) -> list[Path]:
    return sorted(path for path in (folder / prefix).rglob("*") if path.is_file())


def _file(folder: Path, path: Path) -> dict[str, Any]:
    name, known = path.relative_to(folder).as_posix(), path.stat()
    mtime = _time(datetime.fromtimestamp(known.st_mtime, UTC))
    return {"type": "file", "path": name, "size": known.st_size, "xetHash": "0" * 64, "mtime": mtime}


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for something."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)
