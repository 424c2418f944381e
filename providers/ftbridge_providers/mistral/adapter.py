"""Mistral as a provider: closed by the vendor in 2026-07, open to whoever else speaks its API.

A job is made in two steps. The create is one POST with `auto_start` false, never retried, whose
suffix is the tag. Mistral then validates the files and waits; the start, which is what costs, is
sent when it is done, and only if the price that Mistral names then is within the job's limit. `create`
ends with that second step, and `start` repeats it, which is safe: it looks first, and leaves a job that
has been started alone. So a process that dies between the two leaves a job `submitting` that costs
nothing, and recovering it judges its price and starts it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from ftbridge.dataset import Converter, TokenCounter, guess, tokenizer_json
from ftbridge.errors import (
    InvalidRequest,
    JobFailed,
    NotFound,
    NotStarted,
    OverBudget,
    ProviderError,
)
from ftbridge.files import write
from ftbridge.model import Event, Result, Spec, Status
from ftbridge.provider import Capabilities, Files, ImportedJob, Listed, RemoteJob
from ftbridge.provider.completions import chat_body, read_chat
from ftbridge.provider.hosted import HostedProvider
from ftbridge.provider.importing import imported_job
from ftbridge.provider.paging import as_far_as_listed, by_number, matching
from ftbridge.provider.retry import with_retries
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge.wording import dollars
from ftbridge_providers.mistral.capabilities import CAPABILITIES
from ftbridge_providers.mistral.client import MistralClient, understood
from ftbridge_providers.mistral.format import MistralFormat, asked
from ftbridge_providers.mistral.reading import FIELDS, WORDS, JobBody, Page, awaits, read_events, read_job, read_listed
from ftbridge_providers.mistral.tokens import MistralCounter, tekken

JOBS = "/v1/fine_tuning/jobs"
PAGE_SIZE = 100
FEW = 3
"""Up to so many jobs are asked for one by one; a page of the listing costs the same as one job."""


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
    """How long the submission waits for the files to be validated."""
    look_seconds: ClassVar[float] = 1.0
    """How long it waits between two looks."""

    @cached_property
    def client(self) -> MistralClient:
        """The connections, made when they are first needed."""
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
        """As every provider does; and the job's name stays at home."""
        said, spec = super().check_spec(spec, allow_ignored=allow_ignored)
        if spec.name:
            said.append(f"the name {spec.name!r} is not sent: Mistral's suffix has room only for the job's tag")
        return said, spec

    def upload(self, file: Path, *, key: str) -> str:
        """Send the file under a name that tells its content, unless the vendor has it."""
        name = f"ftbridge-{key}.jsonl"

        def send() -> str:
            with understood():
                size = file.stat().st_size
                for known in self.client.sdk.files.list(search=name, purpose="fine-tune", page_size=PAGE_SIZE).data:
                    if known.filename == name and known.size_bytes == size:
                        return known.id
                with file.open("rb") as content:
                    sent = self.client.sdk.files.upload(
                        file={"file_name": name, "content": content}, purpose="fine-tune"
                    )
            return sent.id

        return with_retries(send)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """One POST, and the start once the files are validated.

        Raises `NotStarted` for a job that was made but could not be started, and `OverBudget`, having cancelled it,
        for one that would cost more than `spec.max_cost_usd`.
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
        return self._started(self.client.ask("POST", JOBS, JobBody, json=request).id, spec.max_cost_usd)

    def hyperparameters(self, spec: Spec) -> dict[str, Any]:
        """Those that were set, under Mistral's names; epochs are never made `training_steps`."""
        given = spec.hyperparameters.given()
        return {self.capabilities.hyperparameters[name].to or name: value for name, value in given.items()}

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs whose suffix is the tag."""
        # a gateway that ignores the filter must not make us adopt somebody else's job
        found = matching(self._listing(suffix=tag), lambda job: job.suffix == tag)
        return [read_job(job) for job in sorted(found, key=lambda job: job.created_at)]

    def start(self, job: RemoteJob, spec: Spec) -> RemoteJob:
        """The second step, if that was left undone."""
        return self._started(job.remote_id, spec.max_cost_usd)

    def _started(self, remote_id: str, most_usd: float | None) -> RemoteJob:
        """The job, once its files are validated and it is started; it may cost `most_usd`."""
        deadline, look = time.monotonic() + self.validation_seconds, partial(self._advance, remote_id, most_usd)
        try:
            while (job := with_retries(look)) is None and time.monotonic() < deadline:
                time.sleep(self.look_seconds)
        except ProviderError as problem:
            raise self._unstarted(remote_id, problem.message) from problem
        if job is None:
            raise self._unstarted(remote_id, f"its files are not validated after {self.validation_seconds:g} s")
        return job

    def _advance(self, remote_id: str, most_usd: float | None) -> RemoteJob | None:
        """Look at the job and start it, if it only waits for that; `None` while its files are validated."""
        job = self._get(remote_id)
        awaited = awaits(job)
        if awaited == "start":
            self._check_price(job, most_usd)
            job = self.client.ask("POST", f"{JOBS}/{remote_id}/start", JobBody)
            if awaits(job) == "start":  # an answer that says yes, of a job that waits as before
                return None
        return None if awaited == "validation" else read_job(job)

    def _check_price(self, job: JobBody, most_usd: float | None) -> None:
        """Cancel a job that costs nothing yet, and would cost too much. Raises `OverBudget` then."""
        price = read_job(job).estimate_usd
        if most_usd is None or price is None or price <= most_usd:
            return
        self.cancel(job.id)
        raise OverBudget(
            f"mistral asks {dollars(price)} for the job, and --max-cost is {dollars(most_usd)}",
            hint="The job was cancelled before it began; train fewer epochs or examples, or raise the limit.",
        )

    def _unstarted(self, remote_id: str, why: str) -> NotStarted:
        return NotStarted(
            f"job {remote_id} is made at {self.name}, but it is not known to be started: {why}",
            provider=self.name,
            hint="It costs nothing before it is started.",
        )

    def jobs(self) -> Iterator[Listed]:
        """By pages of 100, each asked for when it is needed; why a job failed is not in them."""
        for job in self._listing():
            yield read_listed(job)

    def find_job_of_model(self, name: str) -> str:
        """A job's id is a UUID, which no model is called."""
        return name if _is_uuid(name) else super().find_job_of_model(name)

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one; many by pages, until all are seen."""
        wanted = set(remote_ids)
        for job in as_far_as_listed(self._listing()) if len(wanted) > FEW else ():
            if job.id in wanted and (found := read_job(job)).status is not Status.FAILED:
                wanted.remove(job.id)
                yield found
            if not wanted:
                return
        # also those that failed: only a job asked for alone tells its events, and so what went wrong
        for remote_id in sorted(wanted):
            try:
                yield read_job(with_retries(partial(self._get, remote_id)))
            except (NotFound, InvalidRequest):  # 422 is for what is not even a UUID
                continue

    def _listing(self, **query: str) -> Iterator[JobBody]:
        def page_of(number: int) -> Page:
            asked_for = {"page": number, "page_size": PAGE_SIZE, **query}
            return with_retries(partial(self.client.ask, "GET", JOBS, Page, params=asked_for))

        return by_number(self.name, page_of)

    def _get(self, remote_id: str) -> JobBody:
        return self.client.ask("GET", f"{JOBS}/{remote_id}", JobBody)

    def events(self, remote_id: str, since: str) -> list[Event]:
        """Changes of status, and checkpoints as metrics; the job itself carries them all."""
        return read_events(with_retries(partial(self._get, remote_id)), since)

    def cancel(self, remote_id: str) -> None:
        """Stop the job for good."""
        self.client.ask("POST", f"{JOBS}/{remote_id}/cancel", JobBody)

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The job's own account, hyperparameters and checkpoints, as `job.json`; the weights stay with the vendor."""
        account = with_retries(partial(self.client.ask, "GET", f"{JOBS}/{remote_id}", dict[str, Any]))
        if account.get("status") != "SUCCESS":
            raise JobFailed(
                f"job {remote_id} has no result: it is {account.get('status')}", hint="Wait until it has succeeded."
            )
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "job.json", msgspec.json.format(msgspec.json.encode(account)))
        return Result(model=account.get("fine_tuned_model"), path=folder)

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """The job with every field, and the files it was trained on."""
        body = with_retries(partial(self.client.ask, "GET", f"{JOBS}/{remote_id}", dict[str, Any]))
        return imported_job(
            read_listed(with_retries(partial(self._get, remote_id))),
            body,
            lambda file_id: with_retries(partial(self._content, file_id)),
            folder,
            meanings=FIELDS,
            names=WORDS,
            within=("hyperparameters",),
        )

    def _content(self, file_id: str) -> bytes:
        with understood():
            return self.client.sdk.files.download(file_id=file_id).read()

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion; its messages are changed as the training rows were."""
        request = {**body, **chat_body(asked(read_chat(body)), {}), "model": model}

        def ask() -> Any:
            with understood():
                return self.client.sdk.chat.complete(**request)

        return dict(with_retries(ask).model_dump(mode="json"))

    def list_models(self) -> list[str]:
        """Every model of the account."""

        def ask() -> list[str]:
            with understood():
                found = self.client.sdk.models.list().data or []
            return [model.raw["id"] if model.type == "UNKNOWN" else model.id for model in found]

        return with_retries(ask)

    def delete(self, model: str) -> None:
        """Delete a tuned model."""
        with understood():
            self.client.sdk.models.delete(model_id=model)


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
