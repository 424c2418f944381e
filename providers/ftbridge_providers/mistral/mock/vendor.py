"""Mistral, mocked: files, jobs, models and chat as its OpenAPI document had them until 2026-07.

Error bodies are as users have quoted them, others are `{"detail": "…"}`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from typing import Any, ClassVar, TypeVar

from msgspec.structs import replace

from ftbridge.mock import Answer, Call, MockVendor, Refusal, operation
from ftbridge.mock.model_answers import answer_of, completion
from ftbridge.model import Status
from ftbridge_providers.mistral.mock.bodies import (
    File,
    Job,
    base_card,
    detailed_body,
    file_body,
    job_body,
    tuned_card,
    updated_model,
)
from ftbridge_providers.mistral.mock.jobs import (
    file_ids,
    is_uuid,
    make_job,
    request_problems,
    started,
    uuid_problem,
    waits_for_start,
)
from ftbridge_providers.mistral.mock.training_file import UploadProblem, read_rows, sample_type

T = TypeVar("T")

BASES = ("open-mistral-7b", "open-mistral-nemo", "ministral-8b-latest", "mistral-small-latest", "codestral-latest")
"""Some of the models that were open for tuning when it ended (docs.mistral.ai, deprecated pages, 2026-08)."""
LARGEST_FILE, CANCEL_SECONDS = 512 * 1024 * 1024, 2.0
"""Bytes; and how long a job takes to be cancelled."""


class MistralMock(MockVendor):
    """One workspace at Mistral, before the end of its training API."""

    name: ClassVar[str] = "mistral"
    key_env: ClassVar[str] = "MISTRAL_API_KEY"
    url_env: ClassVar[str] = "MISTRAL_BASE_URL"

    def error(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Any:
        """`message` and a request id for a bad key, else `detail`."""
        if status == 401:
            return {"message": "Unauthorized", "request_id": secrets.token_hex(16)}
        return {"detail": message}

    @operation("POST", "/v1/files")
    def upload_file(self, call: Call) -> Answer:
        """Store a file; one of the same name and content is the same file."""
        if len(call.content) > LARGEST_FILE:
            raise self.refusal(413, "File too large.")
        if call.form.get("purpose") != "fine-tune":
            message = "Input should be 'fine-tune', the only purpose that is mocked"
            raise Refusal(422, {"detail": [{"type": "enum", "loc": ["body", "purpose"], "msg": message}]})
        if not call.file_name.endswith(".jsonl"):
            raise Refusal(422, {"detail": "Invalid file format.", "description": "Only .jsonl files.", "errors": []})
        try:
            rows = read_rows(call.content)
        except UploadProblem as problem:
            raise Refusal(422, problem.body) from None
        digest = hashlib.sha256(call.content).hexdigest()
        for known in self.store.all("files", File):
            if (known.filename, known.digest) == (call.file_name, digest):
                return Answer(file_body(known))
        file = File(
            id=str(uuid.uuid4()),
            filename=call.file_name,
            purpose=call.form["purpose"],
            bytes=len(call.content),
            created_at=self.now(),
            digest=digest,
            num_lines=len(rows),
            sample_type=sample_type(rows),
        )
        self.store.put_bytes("contents", file.id, call.content)
        self.store.put("files", file.id, file)
        return Answer(file_body(file))

    @operation("GET", "/v1/files")
    def list_files(self, call: Call) -> Answer:
        """One page of files, newest first."""
        files = [
            file
            for file in self.store.all("files", File)
            if call.query.get("search", "") in file.filename and call.query.get("purpose") in (None, file.purpose)
        ]
        files.sort(key=lambda file: file.created_at, reverse=True)
        return Answer({"object": "list", "data": list(map(file_body, _page(files, call))), "total": len(files)})

    @operation("GET", "/v1/files/{file_id}")
    def get_file(self, call: Call) -> Answer:
        """One file's description."""
        return Answer({**file_body(self.file(call)), "deleted": False})

    @operation("GET", "/v1/files/{file_id}/content")
    def get_file_content(self, call: Call) -> Answer:
        """One file's bytes."""
        return Answer(content=self.content(self.file(call).id))

    @operation("GET", "/v1/files/{file_id}/url")
    def get_file_url(self, call: Call) -> Answer:
        """The URL of the content; at the mock it needs the key like any other."""
        return Answer({"url": f"{call.base_url}/v1/files/{self.file(call).id}/content"})

    @operation("DELETE", "/v1/files/{file_id}")
    def delete_file(self, call: Call) -> Answer:
        """Delete a file, and its content; a model that was trained on it stays."""
        file = self.file(call)
        self.store.drop("files", file.id)
        self.store.drop_bytes("contents", file.id)
        return Answer({"id": file.id, "object": "file", "deleted": True})

    @operation("POST", "/v1/fine_tuning/jobs")
    def create_job(self, call: Call) -> Answer:
        """Create a job, which validates its files and, unless `auto_start` is true, waits for its start."""
        request = call.body
        if problems := list(request_problems(request)):
            raise Refusal(422, {"detail": problems})
        kind = request.get("job_type") or "completion"
        if request["model"] not in BASES or kind != "completion":
            message = (
                f"Model not available for this type of fine-tuning ({kind}). Available model(s): {', '.join(BASES)}"
            )
            raise self.refusal(422, message)
        if not all(self.store.get("files", file_id, File) for file_id in file_ids(request)):
            raise self.refusal(404, "No file matches the given query.")
        stall = self.faults.condition("stall")
        job = make_job(
            request,
            [self.content(file["file_id"]) for file in request["training_files"]],
            [self.content(file_id) for file_id in request.get("validation_files") or []],
            now=self.now(),
            speed=self.speed,
            end=self.ending(),
            stall=stall.value if stall else 0.0,
        )
        self.store.put("jobs", job.id, job)
        return Answer(job_body(job, self.now(), word=self.injected_word(job)))

    @operation("GET", "/v1/fine_tuning/jobs")
    def list_jobs(self, call: Call) -> Answer:
        """One page of jobs, newest first."""
        visible = self.listed_until()
        jobs = sorted(self.store.all("jobs", Job), key=lambda job: job.created_at, reverse=True)
        bodies = [job_body(job, self.now(), word=self.injected_word(job)) for job in jobs if job.created_at <= visible]
        wanted = {name: call.query[name] for name in ("model", "status", "suffix") if name in call.query}
        selected = [body for body in bodies if wanted.items() <= body.items()]
        return Answer({"object": "list", "data": _page(selected, call), "total": len(selected)})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}")
    def get_job(self, call: Call) -> Answer:
        """One job with its events and checkpoints."""
        return self.show(self.job(call))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/start")
    def start_job(self, call: Call) -> Answer:
        """Start a validated job."""
        job = self.job(call)
        if not waits_for_start(job.script, self.now()):
            raise self.refusal(409, "The job does not wait for its start.")
        return self.change(job, script=started(job.script, self.now()))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/cancel")
    def cancel_job(self, call: Call) -> Answer:
        """Cancel a job, which takes a moment."""
        job = self.job(call)
        if job.script.status(self.now()).final:
            raise self.refusal(409, "The job is over.")
        end = job.script.cut(self.now() + CANCEL_SECONDS / self.speed, Status.CANCELLED)
        return self.change(job, script=end, cancelled_at=self.now())

    @operation("GET", "/v1/models")
    def list_models(self, call: Call) -> Answer:
        """The bases and the tuned models."""
        tuned = [tuned_card(job) for job in self.store.all("jobs", Job) if self.has_model(job)]
        return Answer({"object": "list", "data": [*map(base_card, BASES), *tuned]})

    @operation("GET", "/v1/models/{model_id}")
    def get_model(self, call: Call) -> Answer:
        """One model."""
        name = call.params["model_id"]
        return Answer(base_card(name) if name in BASES else tuned_card(self.tuned(call)))

    @operation("DELETE", "/v1/models/{model_id}")
    def delete_model(self, call: Call) -> Answer:
        """Delete a tuned model; its job stays."""
        job = self.tuned(call)
        self.change(job, deleted=True)
        return Answer({"id": job.model, "object": "model", "deleted": True})

    @operation("PATCH", "/v1/fine_tuning/models/{model_id}")
    def update_model(self, call: Call) -> Answer:
        """Name or describe a tuned model."""
        job = replace(
            self.tuned(call), **{name: call.body[name] for name in ("name", "description") & call.body.keys()}
        )
        self.store.put("jobs", job.id, job)
        return Answer(updated_model(job))

    @operation("POST", "/v1/fine_tuning/models/{model_id}/archive")
    def archive_model(self, call: Call) -> Answer:
        """Archive a tuned model."""
        job = self.tuned(call)
        self.change(job, archived=True)
        return Answer({"id": job.model, "object": "model", "archived": True})

    @operation("DELETE", "/v1/fine_tuning/models/{model_id}/archive")
    def unarchive_model(self, call: Call) -> Answer:
        """Unarchive a tuned model."""
        job = self.tuned(call)
        self.change(job, archived=False)
        return Answer({"id": job.model, "object": "model", "archived": False})

    @operation("POST", "/v1/chat/completions")
    def chat(self, call: Call) -> Answer:
        """A chat completion; a tuned model repeats its training rows."""
        name, messages = call.body["model"], call.body["messages"]
        job = self.job_of(name)
        if job is None and name not in BASES:
            body = {"object": "error", "message": f"Invalid model: {name}", "type": "invalid_model"}
            raise Refusal(400, {**body, "param": None, "code": "1500"})
        answer = answer_of(self.rows(job) if job else [], messages)
        return Answer(completion(name, messages, answer, self.now(), message={"tool_calls": None, "prefix": False}))

    def file(self, call: Call) -> File:
        """The file that the path names. Raises the refusal if there is none."""
        return self.existing("file", self.store.get("files", self.uuid(call, "file_id"), File))

    def content(self, file_id: str) -> bytes:
        """The bytes of a file."""
        return self.store.get_bytes("contents", file_id) or b""

    def job(self, call: Call) -> Job:
        """The job that the path names. Raises the refusal if there is none."""
        return self.existing("fine tuning job", self.store.get("jobs", self.uuid(call, "job_id"), Job))

    def tuned(self, call: Call) -> Job:
        """The job of the tuned model that the path names. Raises the refusal if there is none."""
        return self.existing("model", self.job_of(call.params["model_id"]))

    def existing(self, what: str, document: T | None) -> T:
        """The document. Raises the refusal if it is `None`."""
        if document is None:
            raise self.refusal(404, f"No {what} matches the given query.")
        return document

    def uuid(self, call: Call, name: str) -> str:
        """An id from the path. Raises the refusal if it is not a UUID."""
        if not is_uuid(call.params[name]):
            raise Refusal(422, {"detail": [uuid_problem(["path", name])]})
        return call.params[name]

    def job_of(self, model: str) -> Job | None:
        """The job that made a model."""
        return next((job for job in self.store.all("jobs", Job) if job.model == model and self.has_model(job)), None)

    def has_model(self, job: Job) -> bool:
        """Whether the job's model exists by now."""
        return job.script.status(self.now()) is Status.SUCCEEDED and not job.deleted

    def rows(self, job: Job) -> list[dict[str, Any]]:
        """The rows a job was trained on."""
        contents = [self.content(file["file_id"]) for file in job.request["training_files"]]
        return [json.loads(line) for content in contents for line in content.splitlines()]

    def change(self, job: Job, **changes: Any) -> Answer:
        """Store the job with `changes`, and show it."""
        job = replace(job, **changes)
        self.store.put("jobs", job.id, job)
        return self.show(job)

    def show(self, job: Job) -> Answer:
        """The job as it is now, in full."""
        return Answer(detailed_body(job, self.now(), word=self.injected_word(job)))

    def injected_word(self, job: Job) -> str:
        """An unknown status where that is injected and the job is not over, else ""."""
        unknown = self.faults.condition("unknown-status") and not job.script.status(self.now()).final
        return "DEFRAGMENTING" if unknown else ""


def _page(items: list[T], call: Call) -> list[T]:
    """The requested page of `items`; pages are counted from 0."""
    size = int(call.query.get("page_size", 100))
    first = int(call.query.get("page", 0)) * size
    return items[first : first + size]
