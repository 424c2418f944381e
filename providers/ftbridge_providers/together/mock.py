"""Together, mocked: files, jobs, events, metrics, checkpoints, weights, models and chat.

As its OpenAPI document has them (2026-04), and for uploads as its SDK does them (3.1.1): the first
request leads to a storage, which is written without a key, and a last one has the file looked at.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import structs

from ftbridge.mock import Answer, Call, MockVendor, Refusal, operation, write_script
from ftbridge.mock.recall import answer_of, completion
from ftbridge.model import Status
from ftbridge_providers.together.mock_bodies import (
    NANODOLLARS_A_TOKEN,
    File,
    Job,
    checkpoint_body,
    event_bodies,
    file_body,
    job_body,
    metric_rows,
    output_name,
    saved,
    short_body,
)
from ftbridge_providers.together.mock_files import FileProblem, check_training_file
from ftbridge_providers.together.mock_request import BASES, find_fault, limits_body, with_defaults
from ftbridge_providers.together.mock_weights import weights_archive

CHECKING_SECONDS = 10.0
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class TogetherMock(MockVendor):
    """One account at Together."""

    name: ClassVar[str] = "together"
    key_env: ClassVar[str] = "TOGETHER_API_KEY"
    url_env: ClassVar[str] = "TOGETHER_BASE_URL"
    phases: ClassVar[Sequence[tuple[Status, float]]] = (
        (Status.VALIDATING, 10.0),
        (Status.QUEUED, 20.0),
        (Status.RUNNING, 150.0),
    )

    @operation("POST", "/v1/files")
    def upload_file(self, call: Call) -> Answer:
        """The first request of an upload: where to send the content, or the file of the same content."""
        given = call.form
        known = [file for file in self.store.all("files", File) if file.checksum == given["checksum"]]
        if known and known[0].checked_at:
            raise Refusal(409, {**self.error(409, "File already exists."), "file_id": known[0].id})
        file = known[0] if known else self.new_file(given["file_name"], given["purpose"], given["checksum"])
        self.store.put("files", file.id, file)
        place = f"{call.base_url}{call.path.removesuffix('/v1/files')}/storage/{file.id}"
        return Answer({}, 302, {"location": place, "x-together-file-id": file.id})

    @operation("PUT", "/storage/{id}", open_to_all=True)
    def store_file(self, call: Call) -> Answer:
        """The content of an upload; whoever has the address may write it."""
        self.store.put_bytes("contents", self.file(call).id, call.content)
        return Answer(content=b"")

    @operation("POST", "/v1/files/{id}/preprocess")
    def preprocess_file(self, call: Call) -> Answer:
        """The last request of an upload: the file is looked at."""
        return Answer(file_body(self.judged(self.file(call)), self.now()))

    @operation("POST", "/v1/files/upload")
    def upload_file_plainly(self, call: Call) -> Answer:
        """An upload in one request."""
        checksum = hashlib.sha256(call.content).hexdigest()
        file = self.new_file(call.form["file_name"], call.form["purpose"], checksum)
        self.store.put_bytes("contents", file.id, call.content)
        return Answer(file_body(self.judged(file), self.now()))

    @operation("GET", "/v1/files")
    def list_files(self, call: Call) -> Answer:
        """Every file that was sent to its end."""
        files = [file for file in self.store.all("files", File) if file.checked_at]
        return Answer({"data": [file_body(file, self.now()) for file in files]})

    @operation("GET", "/v1/files/{id}")
    def get_file(self, call: Call) -> Answer:
        """One file, with the verdict."""
        return Answer(file_body(self.file(call), self.now()))

    @operation("GET", "/v1/files/{id}/content")
    def get_file_content(self, call: Call) -> Answer:
        """One file's bytes."""
        return Answer(content=self.content(self.file(call).id))

    @operation("DELETE", "/v1/files/{id}")
    def delete_file(self, call: Call) -> Answer:
        """Forget a file."""
        file = self.file(call)
        self.store.drop("files", file.id)
        return Answer({"id": file.id, "deleted": True})

    @operation("GET", "/v1/fine-tunes/models/limits")
    def model_limits(self, call: Call) -> Answer:
        """What may be asked for a model."""
        name = call.query.get("model_name", "")
        if name not in BASES:
            raise Refusal(404, {"message": f"Model {name} is not available for fine-tuning."})
        return Answer(limits_body(name))

    @operation("GET", "/v1/fine-tunes/models/supported")
    def supported_models(self, call: Call) -> Answer:
        """The models open for tuning."""
        return Answer({"models": list(BASES)})

    @operation("POST", "/v1/fine-tunes/estimate-price")
    def estimate_price(self, call: Call) -> Answer:
        """What a job would cost, in dollars."""
        file = self.training_file(call.body["training_file"])
        tokens = file.bytes // 4 * call.body.get("n_epochs", 1)
        return Answer(
            {
                "estimation_available": True,
                "allowed_to_proceed": True,
                "estimated_total_price": self.estimated(tokens),
                "estimated_train_token_count": tokens,
                "estimated_eval_token_count": 0,
                "user_limit": 100.0,
            }
        )

    def estimated(self, tokens: int) -> float:
        """The price of so many tokens in dollars."""
        return tokens * NANODOLLARS_A_TOKEN / 1e9

    @operation("POST", "/v1/fine-tunes")
    def create_job(self, call: Call) -> Answer:
        """Make a job."""
        parent = None
        if call.body.get("from_checkpoint"):
            parent = self.store.get("jobs", call.body["from_checkpoint"].split(":")[0], Job)
        if fault := find_fault(call.body, parent):
            message, param = fault
            raise self.refusal(400, message, param=param)
        file = self.training_file(call.body["training_file"])
        job = self.make_job(with_defaults(call.body, parent, file.lines), parent, file)
        self.store.put("jobs", job.id, job)
        return Answer(self.show(job))

    @operation("GET", "/v1/fine-tunes")
    def list_jobs(self, call: Call) -> Answer:
        """Every job there ever was, newest first."""
        lag = self.faults.standing("lag")
        visible = self.now() - lag.value if lag else self.now()
        jobs = [job for job in self.store.all("jobs", Job) if job.created_at <= visible]
        jobs.sort(key=lambda job: job.created_at, reverse=True)
        return Answer({"data": [self.show(job) for job in jobs]})

    @operation("GET", "/v1/fine-tunes/{id}")
    def get_job(self, call: Call) -> Answer:
        """One job."""
        job = self.job(call.params["id"])
        return Answer(job_body(job, self.now(), word=self.odd_word(job)))

    @operation("POST", "/v1/fine-tunes/{id}/cancel")
    def cancel_job(self, call: Call) -> Answer:
        """Stop a job for good."""
        job = self.job(call.params["id"])
        if job.script.status(self.now()).final:
            raise self.refusal(400, f"Job {job.id} can not be cancelled.")
        job = structs.replace(job, script=job.script.cut(self.now(), Status.CANCELLED))
        self.store.put("jobs", job.id, job)
        return Answer(self.show(job))

    @operation("DELETE", "/v1/fine-tunes/{id}")
    def delete_job(self, call: Call) -> Answer:
        """Delete a job, and the model that it made."""
        job = self.job(call.params["id"])
        self.store.drop("jobs", job.id)
        return Answer({"message": f"Fine-tune job {job.id} deleted"})

    @operation("GET", "/v1/fine-tunes/{id}/events")
    def job_events(self, call: Call) -> Answer:
        """All events of a job."""
        return Answer({"data": event_bodies(self.job(call.params["id"]), self.now())})

    @operation("GET", "/v1/fine-tunes/{id}/metrics")
    def job_metrics(self, call: Call) -> Answer:
        """All metrics of a job."""
        return Answer({"metrics": metric_rows(self.job(call.params["id"]), self.now())})

    @operation("GET", "/v1/fine-tunes/{id}/checkpoints")
    def job_checkpoints(self, call: Call) -> Answer:
        """The checkpoints that were saved, newest first."""
        job = self.job(call.params["id"])
        found = [moment for moment in saved(job) if moment.at <= self.now()]
        return Answer({"data": [checkpoint_body(job, moment) for moment in reversed(found)]})

    @operation("GET", "/v1/finetune/download")
    def download(self, call: Call) -> Answer:
        """The weights, or the range of them that is asked for."""
        job = self.job(call.query.get("ft_id", ""))
        if not self.is_done(job):
            raise self.refusal(400, f"Job {job.id} has not completed.")
        whole = weights_archive(job.model, job.request["training_type"], job.id)
        wanted = _RANGE.fullmatch(call.range)
        if not wanted:
            return Answer(content=whole, headers={"accept-ranges": "bytes"})
        start, end = int(wanted[1]), min(int(wanted[2] or len(whole)), len(whole) - 1)
        if start >= len(whole):
            raise Refusal(416, {}, {"content-range": f"bytes */{len(whole)}"})
        span = {"content-range": f"bytes {start}-{end}/{len(whole)}", "accept-ranges": "bytes"}
        return Answer(content=whole[start : end + 1], status=206, headers=span)

    @operation("GET", "/v1/models")
    def list_models(self, call: Call) -> Answer:
        """The bases and the tuned models."""
        tuned = [output_name(job) for job in self.store.all("jobs", Job) if self.is_done(job)]
        names = [*BASES, *tuned]
        return Answer([{"id": name, "object": "model", "created": 1_760_000_000, "type": "chat"} for name in names])

    @operation("POST", "/v1/chat/completions")
    def chat(self, call: Call) -> Answer:
        """A tuned model knows its training rows by heart."""
        name, messages = call.body["model"], call.body["messages"]
        jobs = [job for job in self.store.all("jobs", Job) if output_name(job) == name and self.is_done(job)]
        if not jobs and name not in BASES:
            raise self.refusal(404, f"Unable to access model {name}.", code="model_not_available")
        rows = check_training_file(self.content(jobs[0].request["training_file"]))[1] if jobs else []
        text = answer_of(rows, messages)
        return Answer({**completion(name, messages, text, self.now()), "prompt": []})

    @operation("GET", "/v3/whoami")
    def whoami(self, call: Call) -> Answer:
        """Whose key this is, which the command line asks before anything else (SDK 3.1.1, types/whoami_response)."""
        named = {"id": "mock", "name": "mock"}
        return Answer(
            {
                "type": "project_api_key",
                "api_key": named,
                "organization": named,
                "project": {**named, "slug": "mock"},
            }
        )

    def refusal(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> Refusal:
        """An error answer in Together's envelope."""
        return Refusal(status, self.error(status, message, code=code, param=param))

    def new_file(self, name: str, purpose: str, checksum: str) -> File:
        """A file that is to be sent."""
        return File(f"file-{secrets.token_hex(16)}", name, purpose, name.rsplit(".", 1)[-1], checksum, self.now())

    def judged(self, file: File) -> File:
        """A file that was sent to its end, kept with the verdict that will be known in a while."""
        content = self.content(file.id)
        file = structs.replace(file, bytes=len(content), checked_at=self.now() + CHECKING_SECONDS / self.speed)
        try:
            kind, rows = check_training_file(content)
            file = structs.replace(file, dataset_format=kind.upper(), lines=len(rows))
        except FileProblem as problem:
            file = structs.replace(file, problem=str(problem))
        self.store.put("files", file.id, file)
        return file

    def file(self, call: Call) -> File:
        """The file that the path names, or the refusal."""
        file = self.store.get("files", call.params["id"], File)
        if file is None:
            raise self.refusal(404, f"File {call.params['id']} not found.", param="id")
        return file

    def training_file(self, file_id: str) -> File:
        """A file that a job can be made of, or the refusal."""
        file = self.store.get("files", file_id, File)
        if file is None or file.checked_at is None:
            raise self.refusal(400, f"Training file {file_id} not found.", param="training_file")
        if file.problem:
            raise self.refusal(400, f"Training file {file_id} is invalid: {file.problem}", param="training_file")
        return file

    def content(self, file_id: str) -> bytes:
        """The bytes of a file."""
        return self.store.get_bytes("contents", file_id) or b""

    def job(self, job_id: str) -> Job:
        """A job that is there, or the refusal."""
        job = self.store.get("jobs", job_id, Job)
        if job is None:
            raise self.refusal(404, f"Fine-tune job {job_id} not found.", param="id")
        return job

    def is_done(self, job: Job) -> bool:
        """Whether the job has succeeded by now."""
        return job.script.status(self.now()) is Status.SUCCEEDED

    def odd_word(self, job: Job) -> str:
        """A status that nobody knows, if that is the fault of the day."""
        return "defragmenting" if self.faults.standing("unknown-status") and not self.is_done(job) else ""

    def show(self, job: Job) -> dict[str, Any]:
        """The job as the listing has it."""
        return short_body(job, self.now(), word=self.odd_word(job))

    def make_job(self, request: dict[str, Any], parent: Job | None, file: File) -> Job:
        """The job that a create request makes, with its whole life."""
        phases = list(self.phases)
        if stall := self.faults.standing("stall"):
            phases[-1] = (phases[-1][0], phases[-1][1] + stall.value * self.speed)
        end, epochs = self.ending(), request["n_epochs"]
        return Job(
            id=f"ft-{secrets.token_hex(4)}-{secrets.token_hex(2)}",
            created_at=self.now(),
            request=request,
            model=parent.model if parent else request["model"],
            script=write_script(
                phases,
                started=self.now(),
                speed=self.speed,
                steps=min(max(1, file.lines * epochs // request["batch_size"]), 200),
                epochs=epochs,
                seed=request.get("random_seed") or 42,
                end=end,
            ),
            token_count=file.bytes // 4 * epochs,
            problem="Training failed: the job ran out of memory." if end is Status.FAILED else "",
        )
