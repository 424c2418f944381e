"""Together, mocked: files, jobs, events, metrics, checkpoints, weights, models and chat.

As its OpenAPI document has them (2026-04).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec import structs

from ftbridge.mock import Answer, Call, Refusal, operation, write_script
from ftbridge.mock.model_answers import answer_of, completion
from ftbridge.model import Status
from ftbridge_providers.together.mock.bodies import (
    NANODOLLARS_PER_TOKEN,
    File,
    Job,
    checkpoint_body,
    event_bodies,
    job_body,
    metric_rows,
    output_name,
    saved,
    short_body,
)
from ftbridge_providers.together.mock.request import BASES, find_fault, limits_body, with_defaults
from ftbridge_providers.together.mock.training_file import check_training_file
from ftbridge_providers.together.mock.uploads import TogetherFiles
from ftbridge_providers.together.mock.weights import weights_archive

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class TogetherMock(TogetherFiles):
    """One account at Together."""

    name: ClassVar[str] = "together"
    key_env: ClassVar[str] = "TOGETHER_API_KEY"
    url_env: ClassVar[str] = "TOGETHER_BASE_URL"
    phases: ClassVar[Sequence[tuple[Status, float]]] = (
        (Status.VALIDATING, 10.0),
        (Status.QUEUED, 20.0),
        (Status.RUNNING, 150.0),
    )

    @operation("GET", "/v1/fine-tunes/models/limits")
    def model_limits(self, call: Call) -> Answer:
        """The limits of a model."""
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
        """The price of a job, in US dollars."""
        file = self.training_file(call.body["training_file"])
        tokens = file.bytes // 4 * call.body.get("n_epochs", 1)
        return Answer(
            {
                "estimation_available": True,
                "allowed_to_proceed": True,
                "estimated_total_price": self.price_usd(tokens),
                "estimated_train_token_count": tokens,
                "estimated_eval_token_count": 0,
                "user_limit": 100.0,
            }
        )

    def price_usd(self, tokens: int) -> float:
        """The price of so many tokens in US dollars."""
        return tokens * NANODOLLARS_PER_TOKEN / 1e9

    @operation("POST", "/v1/fine-tunes")
    def create_job(self, call: Call) -> Answer:
        """Create a job."""
        parent = None
        if call.body.get("from_checkpoint"):
            parent = self.store.get("jobs", call.body["from_checkpoint"].split(":")[0], Job)
        if fault := find_fault(call.body, parent):
            message, param = fault
            raise self.refusal(400, message, param=param)
        file = self.training_file(call.body["training_file"])
        job = self.make_job(with_defaults(call.body, parent, file.lines), parent, file)
        answer = Answer(self.show(job))
        self.store.put("jobs", job.id, job)
        return answer

    @operation("GET", "/v1/fine-tunes")
    def list_jobs(self, call: Call) -> Answer:
        """Every job of the account, newest first."""
        visible = self.listed_until()
        jobs = [job for job in self.store.all("jobs", Job) if job.created_at <= visible]
        jobs.sort(key=lambda job: job.created_at, reverse=True)
        return Answer({"data": [self.show(job) for job in jobs]})

    @operation("GET", "/v1/fine-tunes/{id}")
    def get_job(self, call: Call) -> Answer:
        """One job."""
        job = self.job(call.params["id"])
        return Answer(job_body(job, self.now(), word=self.injected_word(job)))

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
        """Delete a job and its model."""
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
        past = [moment for moment in saved(job) if moment.at <= self.now()]
        return Answer({"data": [checkpoint_body(job, moment) for moment in reversed(past)]})

    @operation("GET", "/v1/finetune/download")
    def download(self, call: Call) -> Answer:
        """The weights, or the requested range of them."""
        job = self.job(call.query.get("ft_id", ""))
        if not self.is_done(job):
            raise self.refusal(400, f"Job {job.id} has not completed.")
        archive = weights_archive(job.model, job.request["training_type"], job.id)
        requested = _RANGE.fullmatch(call.range)
        if not requested:
            return Answer(content=archive, headers={"accept-ranges": "bytes"})
        start, end = int(requested[1]), min(int(requested[2] or len(archive)), len(archive) - 1)
        if start >= len(archive):
            raise Refusal(416, {}, {"content-range": f"bytes */{len(archive)}"})
        span = {"content-range": f"bytes {start}-{end}/{len(archive)}", "accept-ranges": "bytes"}
        return Answer(content=archive[start : end + 1], status=206, headers=span)

    @operation("GET", "/v1/models")
    def list_models(self, call: Call) -> Answer:
        """The bases and the tuned models."""
        tuned = [output_name(job) for job in self.store.all("jobs", Job) if self.is_done(job)]
        names = [*BASES, *tuned]
        return Answer([{"id": name, "object": "model", "created": 1_760_000_000, "type": "chat"} for name in names])

    @operation("POST", "/v1/chat/completions")
    def chat(self, call: Call) -> Answer:
        """A chat completion; a tuned model repeats its training rows."""
        name, messages = call.body["model"], call.body["messages"]
        jobs = [job for job in self.store.all("jobs", Job) if output_name(job) == name and self.is_done(job)]
        if not jobs and name not in BASES:
            raise self.refusal(404, f"Unable to access model {name}.", code="model_not_available")
        content = self.content(jobs[0].request["training_file"]) if jobs else b""
        answer = answer_of(check_training_file(content)[1] if content else [], messages)
        return Answer({**completion(name, messages, answer, self.now()), "prompt": []})

    @operation("GET", "/v3/whoami")
    def whoami(self, call: Call) -> Answer:
        """The owner of the key, which the command line reads first (SDK 3.1.1, types/whoami_response)."""
        owner = {"id": "mock", "name": "mock"}
        return Answer(
            {
                "type": "project_api_key",
                "api_key": owner,
                "organization": owner,
                "project": {**owner, "slug": "mock"},
            }
        )

    def job(self, job_id: str) -> Job:
        """A job. Raises the refusal if there is none."""
        job = self.store.get("jobs", job_id, Job)
        if job is None:
            raise self.refusal(404, f"Fine-tune job {job_id} not found.", param="id")
        return job

    def is_done(self, job: Job) -> bool:
        """Whether the job has succeeded by now."""
        return job.script.status(self.now()) is Status.SUCCEEDED

    def injected_word(self, job: Job) -> str:
        """An unknown status where that is injected, else ""."""
        return "defragmenting" if self.faults.condition("unknown-status") and not self.is_done(job) else ""

    def show(self, job: Job) -> dict[str, Any]:
        """The job as it is listed."""
        return short_body(job, self.now(), word=self.injected_word(job))

    def make_job(self, request: dict[str, Any], parent: Job | None, file: File) -> Job:
        """The job that a create request makes, with its whole script."""
        end, epochs = self.ending(), request["n_epochs"]
        return Job(
            id=f"ft-{secrets.token_hex(4)}-{secrets.token_hex(2)}",
            created_at=self.now(),
            request=request,
            model=parent.model if parent else request["model"],
            script=write_script(
                self.stalled(self.phases),
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
