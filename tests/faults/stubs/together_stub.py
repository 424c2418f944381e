"""A stub of Together AI, by its OpenAPI document of 2026-04 and, where that is old, its SDK 3.1.1."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from faults.stubs.kept import State, StubFile, StubJob
from faults.stubs.vendor import Handler, Vendor, new_uuid
from faults.stubs.wire import Answer, Call

_STATUS: dict[State, str] = {
    "validating": "pending",
    "validated": "pending",
    "succeeded": "completed",
    "failed": "error",
}
_EVENTS: dict[State, str] = {
    "queued": "job_pending",
    "running": "training_start",
    "succeeded": "job_complete",
    "failed": "job_error",
    "cancelled": "job_stopped",
}
_PLAIN = (
    "model from_checkpoint training_file validation_file n_epochs n_evals n_checkpoints learning_rate warmup_ratio"
    " weight_decay max_seq_length random_seed training_type"
).split()
_MODELS = ("Qwen/Qwen3-8B", "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference")


class TogetherStub(Vendor):
    """Together's files, in the three steps of its SDK, and fine-tuning jobs, whose listing has no pages."""

    base: ClassVar[str] = "/v1"
    key_env: ClassVar[str] = "TOGETHER_API_KEY"
    url_env: ClassVar[str] = "TOGETHER_BASE_URL"
    price_usd = 4.0

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Those of the document that a job's life needs, those of the SDK's upload, and a storage to upload to."""
        job = "/fine-tunes/([^/]+)"
        return [
            ("POST", "/files", self._begin_upload),
            ("PUT", "/storage/([^/]+)", self._put),
            ("POST", "/files/([^/]+)/preprocess", self._file),
            ("GET", "/files", self._list_files),
            ("GET", "/files/([^/]+)", self._file),
            ("GET", "/models", lambda _call: Answer(body=[*map(_model, _MODELS)])),
            ("GET", "/fine-tunes/models/limits", self._limits),
            ("POST", "/fine-tunes/estimate-price", self._estimate),
            ("POST", "/fine-tunes", self._create),
            ("GET", "/fine-tunes", self._list_jobs),
            ("GET", job, self._job),
            ("POST", f"{job}/cancel", self._cancel),
            ("GET", f"{job}/events", self._events),
            ("GET", f"{job}/metrics", self._metrics),
            ("GET", f"{job}/checkpoints", self._checkpoints),
        ]

    def error(self, status: int, message: str = "", *, kind: str = "", param: str | None = None) -> Any:
        """Together's envelope."""
        kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
        return {"error": {"message": message or f"Answer {status}", "type": kind, "param": param, "code": None}}

    def job_id(self) -> str:
        """Of the form that the SDK shows."""
        return f"ft-{new_uuid()}"

    def file_id(self) -> str:
        """Of the form that the SDK shows."""
        return f"file-{new_uuid()}"

    def request_like_ours(self, suffix: str) -> dict[str, Any]:
        """An adapter on a file of theirs."""
        return {"model": _MODELS[0], "training_file": "file-of-a-colleague", "suffix": suffix, "n_epochs": 1}

    def _begin_upload(self, call: Call) -> Answer:
        fields = {name: part.content.decode() for name, part in call.form.items()}
        for known in self.files.values():
            if known.content is not None and known.checksum == fields["checksum"]:
                return Answer(409, {"file_id": known.id})
        file = StubFile(
            self.file_id(), fields["file_name"], None, self.now(), fields["purpose"], checksum=fields["checksum"]
        )
        self.files[file.id] = file
        place = f"http://{call.headers['host']}{self.base}/storage/{file.id}"
        return Answer(302, content=b"", headers={"Location": place, "X-Together-File-Id": file.id})

    def _put(self, call: Call, file_id: str) -> Answer:
        self.files[file_id].content = call.content
        return Answer(content=b"", headers={"ETag": f'"{secrets.token_hex(8)}"'})

    def _file(self, _call: Call, file_id: str) -> Answer:
        file = self.files.get(file_id)
        return Answer(body=_file(file)) if file else Answer(404, self.error(404, f"No file {file_id}"))

    def _list_files(self, _call: Call) -> Answer:
        if refused := self.turn_page("files"):
            return refused
        return Answer(body={"data": [_file(file) for file in self.files.values() if file.content is not None]})

    def _limits(self, call: Call) -> Answer:
        name = call.query["model_name"]
        if name not in _MODELS:
            return Answer(404, {"message": f"Model {name} is not available for fine-tuning"})
        batches = {"min_batch_size": 8, "max_batch_size": 64, "max_batch_size_dpo": 32}
        return Answer(
            body={
                "model_name": name,
                "default_gradient_accumulation_steps": 1,
                "lora_training": {**batches, "default_rank": 8, "max_rank": 64, "target_modules": ["q_proj", "v_proj"]},
                "full_training": batches,
                "max_learning_rate": 0.1,
                "min_learning_rate": 1e-7,
                "max_num_checkpoints": 20,
                "max_num_epochs": 20,
                "max_num_evals": 100,
                "max_seq_length_sft": 40960,
                "max_seq_length_dpo": 20480,
                "min_max_seq_length": 512,
                "merge_output_lora": True,
                "supports_full_training": True,
                "supports_reasoning": True,
                "supports_tools": True,
                "supports_vision": False,
            }
        )

    def _estimate(self, _call: Call) -> Answer:
        return Answer(
            body={
                "estimation_available": True,
                "allowed_to_proceed": True,
                "estimated_total_price": self.price_usd,
                "estimated_train_token_count": 1200,
                "estimated_eval_token_count": 0,
                "user_limit": 100,
            }
        )

    def _create(self, call: Call) -> Answer:
        request = call.body
        if request["training_file"] not in self.files:
            return Answer(400, self.error(400, "training file not found", param="training_file"))
        instead = StubJob(self.job_id(), request, self.now())
        return self.change(self.conduct.creates, lambda: self._short(self.make(request)), lambda: self._short(instead))

    def _list_jobs(self, _call: Call) -> Answer:
        if refused := self.turn_page("jobs"):
            return refused
        rows = self.rows()
        page = self.page(rows, 0, len(rows))
        return Answer(
            body={"data": None if page.rows is None else [self._short(job, listed=True) for job in page.rows]}
        )

    def _job(self, _call: Call, job_id: str) -> Answer:
        job = self.find(job_id)
        return Answer(body=self._whole(job)) if job else self._unknown(job_id)

    def _cancel(self, _call: Call, job_id: str) -> Answer:
        job = self.find(job_id)
        if job is None:
            return self._unknown(job_id)
        if job.over:
            return Answer(400, self.error(400, f"Job {job_id} is {job.state} and cannot be cancelled"))
        return self.change(
            self.conduct.cancels, lambda: self._short(self.become(job, "cancelled")), lambda: self._short(job)
        )

    def _unknown(self, job_id: str) -> Answer:
        return Answer(404, self.error(404, f"Fine-tune job {job_id} was not found"))

    def _events(self, _call: Call, job_id: str) -> Answer:
        job = self.find(job_id)
        if job is None:
            return self._unknown(job_id)
        return Answer(body={"data": [_event(at, state) for at, state in job.history]})

    def _metrics(self, _call: Call, job_id: str) -> Answer:
        return Answer(body={"metrics": []}) if self.find(job_id) else self._unknown(job_id)

    def _checkpoints(self, _call: Call, job_id: str) -> Answer:
        return Answer(body={"data": []}) if self.find(job_id) else self._unknown(job_id)

    def _short(self, job: StubJob, *, listed: bool = False) -> dict[str, Any]:
        suffix = self.stripped(job)[1] if listed else job.suffix
        changed = job.history[-1][0] if job.history else job.created_at
        echoed = {name: job.request[name] for name in _PLAIN if name in job.request}
        return {
            "id": job.id,
            "status": _STATUS.get(job.state, job.state),
            "user_id": "user-stub",
            "created_at": _time(job.created_at),
            "updated_at": _time(changed),
            "training_method": job.request.get("training_method", {"method": "sft", "train_on_inputs": "auto"}),
            **({"suffix": suffix} if suffix is not None else {}),
            **({"model_output_name": _output(job)} if job.state == "succeeded" else {}),
            **echoed,
        }

    def _whole(self, job: StubJob) -> dict[str, Any]:
        short = self._short(job)
        short.pop("random_seed", None)
        events = [_event(at, state) for at, state in job.history]
        return {**short, "job_id": job.id, "events": events, "token_count": 1200, "total_price": 0}


def _output(job: StubJob) -> str:
    return f"stub/{job.request['model'].split('/')[-1]}-{job.suffix}-{job.id[3:11]}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _event(at: float, state: State) -> dict[str, Any]:
    nothing = {"param_count": 0, "token_count": 0, "total_steps": 0, "step": 0, "training_offset": 0}
    unsaid = {"wandb_url": "", "checkpoint_path": "", "model_path": "", "hash": ""}
    return {
        "object": "fine-tune-event",
        "created_at": _time(at),
        "level": "info",
        "message": f"Job is {state}",
        "type": _EVENTS.get(state, "job_pending"),
        **nothing,
        **unsaid,
    }


def _file(file: StubFile) -> dict[str, Any]:
    lines = (file.content or b"").count(b"\n")
    return {
        "id": file.id,
        "object": "file",
        "bytes": len(file.content or b""),
        "created_at": int(file.created_at),
        "filename": file.name,
        "FileType": "jsonl",
        "purpose": file.purpose,
        "Processed": True,
        "processing_status": "COMPLETED",
        "validation_report": {"valid": True, "file_id": file.id, "nlines": lines, "dataset_format": "CONVERSATION"},
    }


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "type": "chat", "display_name": name}
