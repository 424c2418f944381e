"""The stub of the hub as an HTTP server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from runners.hub_stub import PAGE, TOKEN, USER, Fault, HubStub, Job, hub_time


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
        status, value, headers = _answer_of(self.hub, self.command, url.path.strip("/"), parse_qs(url.query), body)
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


def _answer_of(
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
            created = hub_time(datetime.now(UTC))
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
    mtime = hub_time(datetime.fromtimestamp(known.st_mtime, UTC))
    return {"type": "file", "path": name, "size": known.st_size, "xetHash": "0" * 64, "mtime": mtime}
