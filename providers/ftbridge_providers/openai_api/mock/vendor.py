"""A service with OpenAI's API, mocked: jobs, events, checkpoints, models and chat (OpenAPI document, 2026-08).

Where the document is silent the mock follows what users have seen: the order of events (newest first), and their
wording.
"""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from msgspec import structs

from ftbridge.mock import Answer, Call, Moment, Script, operation
from ftbridge.mock.model_answers import answer_of, completion, completion_answer
from ftbridge.model import Status
from ftbridge_providers.openai_api.mock.bodies import (
    STATUS_WORDS,
    FileProblem,
    Job,
    checkpoint_body,
    event_body,
    job_body,
    loss_metrics,
    model_body,
    page_of,
    status_event,
)
from ftbridge_providers.openai_api.mock.jobs import make_job, new_id
from ftbridge_providers.openai_api.mock.stored_files import FilesMock


class OpenAIApiMock(FilesMock, metaclass=ABCMeta):
    """One account. A subclass has `check_request`, `method_of`, `read_rows` and `served_job`."""

    quota_error: ClassVar[tuple[int, str | None]] = (429, "insufficient_quota")
    bases: ClassVar[Sequence[str]]
    """The models that are open for tuning."""
    phases: ClassVar[Sequence[tuple[Status, float]]] = (
        (Status.VALIDATING, 20.0),
        (Status.QUEUED, 20.0),
        (Status.RUNNING, 140.0),
    )

    @operation("POST", "/v1/fine_tuning/jobs")
    def create_job(self, call: Call) -> Answer:
        """Create a job; what is wrong with its data shows later, when the job fails."""
        request = call.body
        self.check_request(request)
        content = self.content(self.file(request.get("training_file", ""), param="training_file").id)
        if request.get("validation_file"):
            self.file(request["validation_file"], param="validation_file")
        job = self.new_job(request, content)
        answer = Answer(self.show(job))
        self.store.put("jobs", job.id, job)
        return answer

    @operation("GET", "/v1/fine_tuning/jobs")
    def list_jobs(self, call: Call) -> Answer:
        """One page of jobs, newest first."""
        visible = self.listed_until()
        jobs = [job for job in self.store.all("jobs", Job) if job.created_at <= visible and self.is_wanted(job, call)]
        jobs.sort(key=lambda job: job.created_at, reverse=True)
        page, more = page_of([self.show(job) for job in jobs], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}")
    def get_job(self, call: Call) -> Answer:
        """One job."""
        return Answer(self.show(self.job(call)))

    @operation("POST", "/v1/fine_tuning/jobs/{job_id}/cancel")
    def cancel_job(self, call: Call) -> Answer:
        """Stop a job for good."""
        return self.control(call, lambda script: script.cut(self.now(), Status.CANCELLED))

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/events")
    def job_events(self, call: Call) -> Answer:
        """One page of a job's events, newest first."""
        page, more = page_of(list(self.events(self.job(call)))[::-1], call, 20)
        return Answer({"object": "list", "data": page, "has_more": more})

    @operation("GET", "/v1/fine_tuning/jobs/{job_id}/checkpoints")
    def job_checkpoints(self, call: Call) -> Answer:
        """One page of a job's checkpoints, newest first."""
        job = self.job(call)
        moments = sorted(self.saved(job), key=lambda moment: moment.step, reverse=True)
        page, more = page_of([self.checkpoint(job, moment) for moment in moments], call, 10)
        edges = {"first_id": page[0]["id"] if page else None, "last_id": page[-1]["id"] if page else None}
        return Answer({"object": "list", "data": page, **edges, "has_more": more})

    @operation("GET", "/v1/models")
    def list_models(self, call: Call) -> Answer:
        """The bases and the tuned models."""
        done = filter(self.is_done, self.store.all("jobs", Job))
        names = [*self.bases, *(job.model for job in done if job.model not in job.deleted)]
        return Answer({"object": "list", "data": [self.model(name) for name in names]})

    @operation("POST", "/v1/chat/completions")
    def chat(self, call: Call) -> Answer:
        """A chat completion; a tuned model repeats its training rows."""
        name, messages = call.body["model"], call.body["messages"]
        job = self.served_job(name)
        answer = answer_of(self.learnt_rows(job) if job else [], messages)
        extras: dict[str, Any] = {"message": {"refusal": None}, "choice": {"logprobs": None}}
        return completion_answer(call.body, completion(name, messages, answer, self.now(), **extras))

    @abstractmethod
    def check_request(self, request: dict[str, Any]) -> None:
        """Raises the vendor's refusal of a create request that cannot become a job."""

    @abstractmethod
    def method_of(self, request: dict[str, Any], examples: int) -> dict[str, Any]:
        """The `method` of a job, with numbers for everything that the request leaves to the vendor."""

    @abstractmethod
    def read_rows(self, content: bytes, method: str) -> Iterable[dict[str, Any]]:
        """The rows of a file. Raises `FileProblem` where the vendor would not train on it."""

    @abstractmethod
    def served_job(self, model: str) -> Job | None:
        """The job whose model is called, `None` for a base model. Raises the refusal of one that is not served."""

    def is_wanted(self, job: Job, call: Call) -> bool:
        """Whether a job is in the listing that is asked for; most services have no filter."""
        return True

    def events(self, job: Job) -> Iterator[dict[str, Any]]:
        """A job's `FineTuningJobEvent` objects so far, oldest first."""
        yield event_body(job, 0, job.created_at, f"Created fine-tuning job: {job.id}")
        for index, moment in enumerate(job.script.until(self.now()), start=1):
            if moment.status:
                yield status_event(job, index, moment.at, moment.status)
            elif event := self.metrics_event(job, index, moment):
                yield event

    def metrics_event(self, job: Job, index: int, moment: Moment) -> dict[str, Any] | None:
        """The event of a training step, where the service has one."""
        return None

    def metrics(self, job: Job, moment: Moment) -> dict[str, Any]:
        """What is measured at a step."""
        return loss_metrics(job, moment)

    def saved(self, job: Job) -> list[Moment]:
        """The moments so far whose checkpoints are kept."""
        return [moment for moment in job.script.until(self.now()) if moment.checkpoint]

    def checkpoint(self, job: Job, moment: Moment) -> dict[str, Any]:
        """A `FineTuningJobCheckpoint` object."""
        return checkpoint_body(job, moment, self.metrics(job, moment))

    def job(self, call: Call) -> Job:
        """The job that the path names. Raises the refusal if there is none."""
        job = self.store.get("jobs", call.params["job_id"], Job)
        if job is None:
            message = f"Could not find fine tune: {call.params['job_id']}"
            raise self.refusal(404, message, code="fine_tune_not_found", param="fine_tune_id")
        return job

    def is_done(self, job: Job) -> bool:
        """Whether the job has succeeded by now."""
        return job.script.status(self.now()) is Status.SUCCEEDED

    def learnt_rows(self, job: Job) -> list[dict[str, Any]]:
        """The rows by which the job's model answers; none where its training file was deleted."""
        content = self.content(job.request["training_file"])
        return list(self.read_rows(content, job.method["type"])) if content else []

    def control(self, call: Call, change: Callable[[Script], Script]) -> Answer:
        """Change the script of a job that is not over."""
        job = self.job(call)
        if job.script.status(self.now()).final:
            message = f"Job has already completed: {job.id}"
            raise self.refusal(400, message, code="invalid_state", param="fine_tune_id")
        job = structs.replace(job, script=change(job.script))
        self.store.put("jobs", job.id, job)
        return Answer(self.show(job))

    def show(self, job: Job) -> dict[str, Any]:
        """The job as it is now, with an unknown status where that is injected."""
        unknown = self.faults.condition("unknown-status") and not self.is_done(job)
        return self.body(job, "defragmenting" if unknown else self.status_word(job))

    def body(self, job: Job, word: str) -> dict[str, Any]:
        """The vendor's job object, with `word` as its status."""
        return job_body(job, self.now(), word)

    def status_word(self, job: Job) -> str:
        """The vendor's word for the job's status."""
        return STATUS_WORDS[job.script.status(self.now())]

    def model(self, name: str) -> dict[str, Any]:
        """A `Model` object."""
        return model_body(name, owner="system" if name in self.bases else "mock")

    def model_name(self, request: dict[str, Any], number: str) -> str:
        """The id of the model that a job will make."""
        return f"{request['model']}-{number[:8]}"

    def new_job(self, request: dict[str, Any], content: bytes) -> Job:
        """The job that a create request makes."""
        method = self.method_of(request, content.count(b"\n"))
        problem: dict[str, Any] | None = None
        try:
            for _row in self.read_rows(content, method["type"]):
                pass  # reading a row checks it
        except FileProblem as found:
            problem = found.body
        number = new_id()
        return make_job(
            number,
            request,
            method,
            content,
            model=self.model_name(request, number),
            now=self.now(),
            speed=self.speed,
            phases=self.stalled(self.phases[:1] if problem else self.phases),
            end=self.ending(),
            problem=problem,
        )
