"""A stub of OpenAI, by its OpenAPI document of 2026-08 and its SDK 3.54.0."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

from faults.stubs.kept import StubFile, StubJob
from faults.stubs.vendor import Handler, Vendor
from faults.stubs.wire import Answer, Call

_STATUS = {"validating": "validating_files", "validated": "validating_files"}
_KINDS = {401: "authentication_error", 403: "permission_error", 429: "requests"}
_MODELS = ("gpt-4.1-mini-2025-04-14", "gpt-4.1-2025-04-14", "gpt-4o-mini-2024-07-18")


class OpenAIStub(Vendor):
    """OpenAI's files, models and fine-tuning jobs."""

    base: ClassVar[str] = "/v1"
    key_env: ClassVar[str] = "OPENAI_API_KEY"
    url_env: ClassVar[str] = "OPENAI_BASE_URL"

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Those of the document that a job's life needs."""
        job = "/fine_tuning/jobs/([^/]+)"
        return [
            ("POST", "/files", self._upload),
            ("GET", "/files", self._list_files),
            ("GET", "/files/([^/]+)", self._file),
            ("GET", "/files/([^/]+)/content", self._content),
            ("GET", "/models", lambda _call: Answer(body={"object": "list", "data": [*map(_model, _MODELS)]})),
            ("GET", "/models/([^/]+)", lambda _call, name: Answer(body=_model(name))),
            ("POST", "/fine_tuning/jobs", self._create),
            ("GET", "/fine_tuning/jobs", self._list_jobs),
            ("GET", job, self._job),
            ("POST", f"{job}/cancel", self._cancel),
            ("GET", f"{job}/events", self._events),
            ("GET", f"{job}/checkpoints", self._checkpoints),
        ]

    def error(self, status: int, message: str = "", *, kind: str = "", param: str | None = None) -> Any:
        """OpenAI's envelope."""
        kind = kind or _KINDS.get(status, "server_error" if status >= 500 else "invalid_request_error")
        message = message or f"The server answers {status}."
        return {"error": {"message": message, "type": kind, "param": param, "code": None}}

    def job_id(self) -> str:
        """As in the document's examples."""
        return f"ftjob-{secrets.token_hex(12)}"

    def file_id(self) -> str:
        """As in the document's examples."""
        return f"file-{secrets.token_hex(12)}"

    def request_like_ours(self, suffix: str) -> dict[str, Any]:
        """Supervised, on a file of theirs."""
        return {"model": _MODELS[0], "training_file": "file-of-a-colleague", "suffix": suffix}

    def _upload(self, call: Call) -> Answer:
        sent, purpose = call.form["file"], call.form["purpose"].content.decode()
        file = StubFile(self.file_id(), sent.file_name, sent.content, self.now(), purpose)
        self.files[file.id] = file
        return Answer(body=_file(file))

    def _list_files(self, call: Call) -> Answer:
        if refused := self.turn_page("files"):
            return refused
        files = [_file(file) for file in reversed(self.files.values())]
        after = [place for place, file in enumerate(files, 1) if file["id"] == call.query.get("after")]
        limit = int(call.query.get("limit", 10_000))
        found = files[after[0] if after else 0 :][:limit]
        more = bool(found) and found[-1] is not files[-1]
        if self.conduct.files:
            turn = self.calls["files"] % 2 if self.conduct.files == "alternating" else 0
            found, more = [{**_file(_OTHER), "id": f"file-{turn}"}], True
        ends = {"first_id": found[0]["id"] if found else "", "last_id": found[-1]["id"] if found else ""}
        return Answer(body={"object": "list", "data": found, "has_more": more, **ends})

    def _file(self, _call: Call, file_id: str) -> Answer:
        file = self.files.get(file_id)
        return Answer(body=_file(file)) if file else self._missing(f"No such File object: {file_id}", "id")

    def _content(self, _call: Call, file_id: str) -> Answer:
        file = self.files.get(file_id)
        if file is None:
            return self._missing(f"No such File object: {file_id}", "id")
        return Answer(content=file.content or b"", kind="application/octet-stream")

    def _missing(self, message: str, param: str) -> Answer:
        return Answer(404, self.error(404, message, param=param))

    def _create(self, call: Call) -> Answer:
        request = call.body
        if request["training_file"] not in self.files:
            return Answer(400, self.error(400, "invalid training_file", param="training_file"))
        instead = StubJob(self.job_id(), request, self.now())
        return self.change(
            self.conduct.creates,
            lambda: self._whole(self.make(request, state="validating")),
            lambda: self._whole(instead),
        )

    def _list_jobs(self, call: Call) -> Answer:
        if refused := self.turn_page("jobs"):
            return refused
        asked = {name[9:-1]: value for name, value in call.query.items() if name.startswith("metadata[")}
        rows = self.rows((lambda job: asked.items() <= self.stripped(job)[0].items()) if asked else None)
        after = call.query.get("after")
        start = next((place for place, job in enumerate(rows, 1) if job.id == after), 0) if after else 0
        page = self.page(rows, start, int(call.query.get("limit", 20)))
        data = None if page.rows is None else [self._whole(job, listed=True) for job in page.rows]
        return Answer(body={"object": "list", "data": data, "has_more": page.more})

    def _job(self, _call: Call, job_id: str) -> Answer:
        job = self.find(job_id)
        return Answer(body=self._whole(job)) if job else self._unknown(job_id)

    def _cancel(self, _call: Call, job_id: str) -> Answer:
        job = self.find(job_id)
        if job is None:
            return self._unknown(job_id)
        if job.over:
            return Answer(400, self.error(400, f"Job has already completed: {job.state}", param="fine_tuning_job_id"))
        return self.change(
            self.conduct.cancels, lambda: self._whole(self.become(job, "cancelled")), lambda: self._whole(job)
        )

    def _unknown(self, job_id: str) -> Answer:
        return self._missing(f"Could not find fine tune: {job_id}", "fine_tune_id")

    def _events(self, call: Call, job_id: str) -> Answer:
        job = self.find(job_id)
        if job is None:
            return self._unknown(job_id)
        if refused := self.turn_page("events"):
            return refused
        events = [_event(job, number) for number in range(len(job.history))][::-1]
        after = [place for place, event in enumerate(events, 1) if event["id"] == call.query.get("after")]
        limit = int(call.query.get("limit", 20))
        found = events[after[0] if after else 0 :][:limit]
        more = bool(found) and found[-1] is not events[-1]
        if self.conduct.events:
            turn = self.calls["events"] % 2 if self.conduct.events == "alternating" else 0
            found, more = [{**events[-1], "id": f"ftevent-endless-{turn}"}], True
        return Answer(body={"object": "list", "data": found, "has_more": more})

    def _checkpoints(self, _call: Call, job_id: str) -> Answer:
        if self.find(job_id) is None:
            return self._unknown(job_id)
        return Answer(body={"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None})

    def _whole(self, job: StubJob, *, listed: bool = False) -> dict[str, Any]:
        metadata, suffix = self.stripped(job) if listed else (job.metadata, job.suffix)
        method = job.request.get("method") or {"type": "supervised", "supervised": {}}
        settings = (method.get(method["type"]) or {}).get("hyperparameters") or {}
        auto = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}
        done = job.state == "succeeded"
        return {
            "object": "fine_tuning.job",
            "id": job.id,
            "model": job.request["model"],
            "created_at": int(job.created_at),
            "finished_at": int(self.now()) if job.over else None,
            "estimated_finish": None,
            "fine_tuned_model": f"ft:{job.request['model']}:stub:{suffix or ''}:{job.id[-8:]}" if done else None,
            "organization_id": "org-stub",
            "result_files": [],
            "status": _STATUS.get(job.state, job.state),
            "validation_file": job.request.get("validation_file"),
            "training_file": job.request["training_file"],
            "hyperparameters": {**auto, **{name: settings[name] for name in auto if name in settings}},
            "method": {"type": method["type"], method["type"]: {"hyperparameters": {**auto, **settings}}},
            "trained_tokens": 1200 if done else None,
            "error": {"code": "", "message": "", "param": None} if job.state == "failed" else None,
            "seed": job.request.get("seed") or 42,
            "integrations": [],
            "metadata": metadata or None,
            "user_provided_suffix": suffix,  # in the vendor's answers, though neither the document nor the SDK has it
        }


_OTHER = StubFile("file-other", "other.jsonl", b"{}", 1.7e9)


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1744316542, "owned_by": "system", "shutdown_date": None}


def _file(file: StubFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content or b""),
        "created_at": int(file.created_at),
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
    }


def _event(job: StubJob, number: int) -> dict[str, Any]:
    at, state = job.history[number]
    return {
        "object": "fine_tuning.job.event",
        "id": f"ftevent-{job.id[6:]}-{number}",
        "created_at": int(at),
        "level": "info",
        "message": f"The job is {state}",
        "data": {},
        "type": "message",
    }
