"""A stub of Mistral, by its last OpenAPI document with fine-tuning jobs (until 2026-07) and its SDK 3.7.0 for files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from faults.stubs.kept import State, StubFile, StubJob
from faults.stubs.vendor import Handler, Vendor, new_uuid
from faults.stubs.wire import Answer, Call

_STATUS: dict[State, str] = {"succeeded": "SUCCESS"}
_MODELS = ("open-mistral-nemo", "mistral-small-latest")


class MistralStub(Vendor):
    """Mistral's files and fine-tuning jobs, which wait to be started once their files are validated.

    A job is validated when it is looked at. Only one that was started costs.
    """

    base: ClassVar[str] = "/v1"
    key_env: ClassVar[str] = "MISTRAL_API_KEY"
    url_env: ClassVar[str] = "MISTRAL_BASE_URL"
    cost_usd = 4.0

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Those of the document that a job's life needs."""
        job = "/fine_tuning/jobs/([^/]+)"
        return [
            ("POST", "/files", self._upload),
            ("GET", "/files", self._list_files),
            ("GET", "/files/([^/]+)", self._file),
            ("GET", "/models", lambda _call: Answer(body={"object": "list", "data": [*map(_model, _MODELS)]})),
            ("POST", "/fine_tuning/jobs", self._create),
            ("GET", "/fine_tuning/jobs", self._list_jobs),
            ("GET", job, self._job),
            ("POST", f"{job}/start", self._start),
            ("POST", f"{job}/cancel", self._cancel),
        ]

    def error(self, status: int, message: str = "", *, kind: str = "", param: str | None = None) -> Any:
        """The bodies vary: a list of findings, a message with an id, or a sentence in `detail`."""
        message = message or f"Answer {status}"
        if status == 422:
            return {"detail": [{"type": kind or "value_error", "loc": ["body", param or "suffix"], "msg": message}]}
        return {"message": message, "request_id": new_uuid()} if status == 401 else {"detail": message}

    def job_id(self) -> str:
        """The document wants a UUID."""
        return new_uuid()

    def file_id(self) -> str:
        """The document wants a UUID."""
        return new_uuid()

    def request_like_ours(self, suffix: str) -> dict[str, Any]:
        """On a file of theirs."""
        return {
            "model": _MODELS[0],
            "training_files": [{"file_id": "00000000-0000-4000-8000-000000000000", "weight": 1}],
            "hyperparameters": {"epochs": 1},
            "suffix": suffix,
            "auto_start": True,
        }

    def _upload(self, call: Call) -> Answer:
        sent, purpose = call.form["file"], call.form["purpose"].content.decode()
        for known in self.files.values():
            if (known.name, known.content) == (sent.file_name, sent.content):
                return Answer(body=_file(known))
        file = StubFile(self.file_id(), sent.file_name, sent.content, self.now(), purpose)
        self.files[file.id] = file
        return Answer(body=_file(file))

    def _list_files(self, call: Call) -> Answer:
        if refused := self.turn_page("files"):
            return refused
        found = [file for file in self.files.values() if call.query.get("search", "") in file.name]
        size, page = int(call.query.get("page_size", 100)), int(call.query.get("page", 0))
        data = [_file(file) for file in found[page * size : (page + 1) * size]]
        return Answer(body={"object": "list", "data": data, "total": len(found)})

    def _file(self, _call: Call, file_id: str) -> Answer:
        file = self.files.get(file_id)
        return Answer(body={**_file(file), "deleted": False}) if file else Answer(404, self.error(404, "No such file"))

    def _create(self, call: Call) -> Answer:
        request = call.body
        if any(one["file_id"] not in self.files for one in request["training_files"]):
            return Answer(422, self.error(422, "unknown file", param="training_files"))
        waits = {"started": bool(request.get("auto_start"))}
        instead = StubJob(self.job_id(), request, self.now())
        return self.change(
            self.conduct.creates, lambda: self._short(self.make(request, **waits)), lambda: self._short(instead)
        )

    def _list_jobs(self, call: Call) -> Answer:
        if refused := self.turn_page("jobs"):
            return refused
        suffix = call.query.get("suffix")
        rows = self.rows((lambda job: self.stripped(job)[1] == suffix) if suffix else None)
        size = int(call.query.get("page_size", 100))
        page = self.page(rows, int(call.query.get("page", 0)) * size, size)
        endless = self._listing.endless_total or self._listing.alternating
        data = None if page.rows is None else [self._short(job, listed=True) for job in page.rows]
        repeats = 3 if self._listing.cursor_ignored else 1
        return Answer(body={"object": "list", "data": data, "total": 10**9 if endless else repeats * len(rows)})

    def _job(self, _call: Call, job_id: str) -> Answer:
        job = self._find(job_id)
        return Answer(body=self._whole(job)) if job else self._unknown()

    def _find(self, job_id: str) -> StubJob | None:
        job = self.find(job_id)
        if job and not job.started and job.state == "queued":
            self.become(job, "validating")
            self.become(job, "validated")
        return job

    def _start(self, _call: Call, job_id: str) -> Answer:
        job = self._find(job_id)
        if job is None:
            return self._unknown()
        if job.state != "validated":
            return Answer(400, self.error(400, f"Job is {job.state}"))
        return self.change(self.conduct.starts, lambda: self._whole(self._run(job)), lambda: self._whole(job))

    def _run(self, job: StubJob) -> StubJob:
        job.started = True
        return self.become(job, "queued")

    def _cancel(self, _call: Call, job_id: str) -> Answer:
        job = self._find(job_id)
        if job is None:
            return self._unknown()
        if job.over:
            return Answer(400, self.error(400, f"Job is {job.state}"))
        return self.change(
            self.conduct.cancels, lambda: self._whole(self.become(job, "cancelled")), lambda: self._whole(job)
        )

    def _unknown(self) -> Answer:
        return Answer(404, self.error(404, "No fine tuning job matches the given query."))

    def _short(self, job: StubJob, *, listed: bool = False) -> dict[str, Any]:
        suffix = self.stripped(job)[1] if listed else job.suffix
        done, priced = job.state == "succeeded", any(state == "validated" for _at, state in job.history)
        model = f"ft:{job.request['model']}:stub:20261128:{job.id[:8]}"
        return {
            "id": job.id,
            "object": "job",
            "job_type": "completion",
            "auto_start": bool(job.request.get("auto_start")),
            "model": job.request["model"],
            "status": _STATUS.get(job.state, job.state.upper()),
            "created_at": int(job.created_at),
            "modified_at": int(job.history[-1][0] if job.history else job.created_at),
            "training_files": [one["file_id"] for one in job.request["training_files"]],
            "validation_files": job.request.get("validation_files") or [],
            "hyperparameters": {"learning_rate": 0.0001, **job.request["hyperparameters"]},
            "fine_tuned_model": model if done else None,
            "suffix": suffix,
            "integrations": [],
            "trained_tokens": 1200 if done else None,
            "metadata": {"cost": self.cost_usd, "cost_currency": "USD", "train_tokens": 1200} if priced else None,
            "repositories": [],
        }

    def _whole(self, job: StubJob) -> dict[str, Any]:
        changes = [
            {"name": "status-updated", "created_at": int(at), "data": {"status": _STATUS.get(state, state.upper())}}
            for at, state in job.history
        ]
        return {**self._short(job), "events": changes[::-1], "checkpoints": []}


def _file(file: StubFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content or b""),
        "created_at": int(file.created_at),
        "filename": file.name,
        "purpose": file.purpose,
        "sample_type": "instruct",
        "source": "upload",
        "num_lines": (file.content or b"").count(b"\n"),
    }


def _model(name: str) -> dict[str, Any]:
    able = {"completion_chat": True, "completion_fim": False, "function_calling": True, "fine_tuning": True}
    return {"id": name, "object": "model", "type": "base", "capabilities": {**able, "vision": False}}
