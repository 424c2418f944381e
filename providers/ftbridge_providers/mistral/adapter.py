"""Mistral as a provider: its own training API is closed since 2026-07, but other services may speak it.

A job is created in two steps. The create request is one POST with `auto_start` false, never retried, whose
suffix is the tag. Mistral then validates the files and waits for the start, which is what costs. The start is
sent when the validation is over, and only if the price that Mistral then quotes is within the job's limit.
`create` ends with the start. `start` repeats it, which is safe: it reads the job first, and does nothing if the
job has been started. A process that dies between the two leaves a job `submitting` that costs nothing;
recovering it checks its price and starts it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ftbridge.dataset import Converter, TokenCounter, guess, tokenizer_json
from ftbridge.errors import InvalidRequest, JobFailed, NotFound, NotStarted, OverBudget, ProviderError
from ftbridge.files import write
from ftbridge.foreign.values import number_of
from ftbridge.model import Event, Result, Spec, Status
from ftbridge.provider import Artifact, Capabilities, Files, ImportedJob, Listed, RemoteJob
from ftbridge.provider.completions import chat_body, read_chat
from ftbridge.provider.hosted import HostedProvider
from ftbridge.provider.importing import imported_job
from ftbridge.provider.paging import as_far_as_listed, by_number, matching
from ftbridge.provider.retry import with_retries
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge.provider.unreadable import job_or_unreadable, read_each, whole_list
from ftbridge.wording import dollars
from ftbridge_providers.mistral.capabilities import CAPABILITIES
from ftbridge_providers.mistral.client import MistralClient, translated_errors
from ftbridge_providers.mistral.format import MistralFormat, chat_as_trained
from ftbridge_providers.mistral.reading import (
    HYPERPARAMETER_NAMES,
    JOB_FIELDS,
    JobBody,
    Page,
    as_job_body,
    awaits,
    is_uuid,
    read_events,
    read_job,
    read_listed,
    read_page,
)
from ftbridge_providers.mistral.tokens import MistralCounter, tekken

JOBS = "/v1/fine_tuning/jobs"
PAGE_SIZE = 100
MAX_SINGLE_READS = 3
"""Up to this number jobs are read one by one; a page of the listing costs as much as one job."""


class MistralSettings(HostedSettings):
    """`[providers.mistral]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "MISTRAL_API_KEY"}
    base_url: str = setting("https://api.mistral.ai", env="MISTRAL_BASE_URL", description="Where the API is.")


class MistralProvider(HostedProvider):
    """Fine-tuning by Mistral's API, supervised only."""

    name: ClassVar[str] = "mistral"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = MistralSettings
    transitional_statuses: ClassVar[frozenset[str]] = frozenset({"CANCELLATION_REQUESTED"})
    validation_seconds: ClassVar[float] = 300.0
    """How long a submission waits for the files to be validated."""
    validation_poll_seconds: ClassVar[float] = 1.0
    """How long it waits between two polls."""

    @cached_property
    def client(self) -> MistralClient:
        """The connections, opened when they are first needed."""
        return MistralClient(self.connection, timeout=self.timeout, on_response=self.clock.observe)

    def close(self) -> None:
        """Close the connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def converter(self, spec: Spec, model: str) -> Converter:
        """How Mistral reads an example of `spec`'s data for `model`."""
        return MistralFormat(spec.target, model)

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By tekken where the model uses it and mistral-common is installed."""
        return MistralCounter(tokenizer_json(vocabulary) if vocabulary else tekken(model) or guess(), model)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider; and a warning that the job's name is not sent."""
        warnings, spec = super().check_spec(spec, allow_ignored=allow_ignored)
        if spec.name:
            warnings.append(f"the name {spec.name!r} is not sent: Mistral's suffix has room only for the job's tag")
        return warnings, spec

    def upload(self, file: Path, *, key: str) -> str:
        """Upload the file under a name made of its hash, unless the vendor has it."""
        name = f"ftbridge-{key}.jsonl"

        def find_or_upload() -> str:
            with translated_errors():
                size = file.stat().st_size
                for known in self.client.sdk.files.list(search=name, purpose="fine-tune", page_size=PAGE_SIZE).data:
                    if known.filename == name and known.size_bytes == size:
                        return known.id
                with file.open("rb") as content:
                    uploaded = self.client.sdk.files.upload(
                        file={"file_name": name, "content": content}, purpose="fine-tune"
                    )
            return uploaded.id

        return with_retries(find_or_upload)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """One POST, and the start once the files are validated.

        Raises `NotStarted` if the job was created but could not be started, and `OverBudget`, having cancelled it,
        if it would cost more than `spec.max_cost_usd`.
        """
        request: dict[str, Any] = {
            "model": model,
            "job_type": "completion",
            "training_files": [{"file_id": files.training, "weight": 1}],
            "hyperparameters": self.hyperparameters(spec),
            "suffix": tag,
            "auto_start": False,
        }
        if files.validation:
            request["validation_files"] = [files.validation]
        return self._started(self.client.send("POST", JOBS, JobBody, json=request).id, spec.max_cost_usd)

    def hyperparameters(self, spec: Spec) -> dict[str, Any]:
        """Those that were set, under Mistral's names; epochs are never converted to `training_steps`."""
        given = spec.hyperparameters.given()
        return {self.capabilities.hyperparameters[name].to or name: value for name, value in given.items()}

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs whose suffix is the tag."""
        # if a gateway ignores the filter, another job must not be adopted
        tagged = matching(self._list_jobs(suffix=tag), lambda job: job.suffix == tag)
        return [read_job(job) for job in sorted(tagged, key=lambda job: number_of(job.created_at) or 0)]

    def start(self, job: RemoteJob, spec: Spec) -> RemoteJob:
        """The second step, unless it has been done."""
        return self._started(job.remote_id, spec.max_cost_usd)

    def _started(self, remote_id: str, most_usd: float | None) -> RemoteJob:
        """The job, once its files are validated and it is started; it may cost `most_usd`."""
        deadline = time.monotonic() + self.validation_seconds
        advance = partial(self._advance, remote_id, most_usd)
        try:
            while (job := with_retries(advance)) is None and time.monotonic() < deadline:
                time.sleep(self.validation_poll_seconds)
        except ProviderError as problem:
            raise self._unstarted(remote_id, problem.message) from problem
        if job is None:
            raise self._unstarted(remote_id, f"its files are not validated after {self.validation_seconds:g} s")
        return job

    def _advance(self, remote_id: str, most_usd: float | None) -> RemoteJob | None:
        """Read the job, and start it if it waits for that; `None` while its files are validated."""
        job = self._get(remote_id)
        awaited = awaits(job)
        if awaited == "start":
            self._check_price(job, most_usd)
            job = self.client.send("POST", f"{JOBS}/{remote_id}/start", JobBody)
            if awaits(job) == "start":  # the answer has status 200, but the job still waits
                return None
        return None if awaited == "validation" else read_job(job)

    def _check_price(self, job: JobBody, most_usd: float | None) -> None:
        """Cancel a job that would cost too much, before it costs anything. Raises `OverBudget` then."""
        price = read_job(job).estimate_usd
        if most_usd is None or price is None or price <= most_usd:
            return
        self.cancel(job.id)
        raise OverBudget(
            f"mistral quotes {dollars(price)} for the job, and --max-cost is {dollars(most_usd)}",
            hint="The job was cancelled before it started. Train fewer epochs or examples, or raise the limit.",
        )

    def _unstarted(self, remote_id: str, why: str) -> NotStarted:
        return NotStarted(
            f"job {remote_id} was created at {self.name}, but may not have been started: {why}",
            provider=self.name,
            hint="It costs nothing until it is started.",
        )

    def jobs(self) -> Iterator[Listed]:
        """By pages of 100, each read when it is needed; they have no reasons of failed jobs."""
        return whole_list(self.name, self._list_jobs(), read_listed)

    def find_job_of_model(self, name: str) -> str:
        """A UUID is a job's own id; a model is looked up in the listing."""
        return name if is_uuid(name) else super().find_job_of_model(name)

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one; many by pages, until all are read."""
        wanted = set(remote_ids)
        for job in as_far_as_listed(self._list_jobs()) if len(wanted) > MAX_SINGLE_READS else ():
            if job.id in wanted:
                remote = job_or_unreadable(job.id, partial(read_job, job))
                if remote.status is not Status.FAILED:
                    wanted.remove(job.id)
                    yield remote
            if not wanted:
                return
        # failed jobs too: only a single job has its events, and so the reason
        yield from read_each(sorted(wanted), self._read_single)

    def _read_single(self, remote_id: str) -> RemoteJob:
        try:
            return read_job(with_retries(partial(self._get, remote_id)))
        except InvalidRequest as problem:  # 422: the id is not a UUID
            raise NotFound(problem.message, provider=self.name, hint=problem.hint) from problem

    def _list_jobs(self, **query: str) -> Iterator[JobBody]:
        def page_of(number: int) -> Page:
            params = {"page": number, "page_size": PAGE_SIZE, **query}
            return read_page(with_retries(partial(self.client.send, "GET", JOBS, Page, params=params)))

        return whole_list(self.name, by_number(self.name, page_of), as_job_body)

    def _get(self, remote_id: str) -> JobBody:
        return self.client.send("GET", f"{JOBS}/{remote_id}", JobBody)

    def events(self, remote_id: str, since: str) -> list[Event]:
        """Changes of status, and checkpoints as metrics; the job object has them all."""
        return read_events(with_retries(partial(self._get, remote_id)), since)

    def cancel(self, remote_id: str) -> None:
        """Stop the job for good."""
        self.client.send("POST", f"{JOBS}/{remote_id}/cancel", JobBody)

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The job object, with hyperparameters and checkpoints, as `job.json`; the weights stay with the vendor."""
        body = with_retries(partial(self.client.send, "GET", f"{JOBS}/{remote_id}", dict[str, Any]))
        if body.get("status") != "SUCCESS":
            raise JobFailed(
                f"job {remote_id} has no result: it is {body.get('status')}", hint="Wait until it has succeeded."
            )
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "job.json", msgspec.json.format(msgspec.json.encode(body)))
        return Result(model=body.get("fine_tuned_model"), path=folder)

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """The job with every field, and the files it was trained on."""
        body = with_retries(partial(self.client.send, "GET", f"{JOBS}/{remote_id}", dict[str, Any]))
        return imported_job(
            read_listed(with_retries(partial(self._get, remote_id))),
            body,
            lambda file_id: with_retries(partial(self._content, file_id)),
            folder,
            meanings=JOB_FIELDS,
            names=HYPERPARAMETER_NAMES,
            within=("hyperparameters",),
        )

    def _content(self, file_id: str) -> bytes:
        with translated_errors():
            return self.client.sdk.files.download(file_id=file_id).read()

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion; its messages are changed as the training rows were."""
        request = {**body, **chat_body(chat_as_trained(read_chat(body)), {}), "model": model}
        return with_retries(lambda: self.client.complete(request))

    def list_models(self) -> list[str]:
        """Every model of the account."""

        def list_ids() -> list[str]:
            with translated_errors():
                models = self.client.sdk.models.list().data or []
            return [model.raw["id"] if model.type == "UNKNOWN" else model.id for model in models]

        return with_retries(list_ids)

    def delete(self, artifact: Artifact) -> None:
        """Delete a file, or a tuned model."""
        if artifact.kind == "job":
            super().delete(artifact)
        files, models = self.client.sdk.files, self.client.sdk.models
        of_file, of_model = partial(files.delete, file_id=artifact.name), partial(models.delete, model_id=artifact.name)
        with_retries(translated_errors()(of_file if artifact.kind == "file" else of_model))
