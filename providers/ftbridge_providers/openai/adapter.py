"""OpenAI as a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ftbridge.catalogue import Row, today
from ftbridge.dataset import Converter, TokenCounter, guess, o200k
from ftbridge.errors import JobFailed, NotFound, SpecError
from ftbridge.files import plain_name, write
from ftbridge.model import Checkpoint, Event, Method, Result, Spec, Status
from ftbridge.provider import Capabilities, Files, ImportedJob, Listed, RemoteJob, TunedModel
from ftbridge.provider.hosted import HostedProvider, make_suffix
from ftbridge.provider.importing import imported_job
from ftbridge.provider.paging import as_far_as_listed, by_cursor, matching
from ftbridge.provider.retry import with_retries
from ftbridge.provider.settings import HostedSettings
from ftbridge.target import parse_target
from ftbridge_providers.openai.client import (
    OpenAISettings,
    check_signature,
    create_completion,
    every,
    not_understood,
    omit,
    open_client,
    sound,
    streamed,
    understood,
)
from ftbridge_providers.openai.format import OpenAIFormat
from ftbridge_providers.openai.grader import check_grading
from ftbridge_providers.openai.reading import (
    FIELDS,
    SETTINGS,
    STATUS,
    WORDS,
    ShortPage,
    read_checkpoint,
    read_event,
    read_job,
    read_listed,
    read_result_file,
    read_short_page,
    read_tuned,
    shutdown_row,
    tag_of_suffix,
)
from ftbridge_providers.openai.request import CAPABILITIES, TAG, create_request, method_body
from ftbridge_providers.openai.tasks import read_tasks
from ftbridge_providers.openai.tokens import OpenAICounter

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")

FEW = 3
"""Up to so many jobs are asked for one by one; a page of the listing costs the same as one job."""


class OpenAIProvider(HostedProvider):
    """OpenAI's hosted fine-tuning, supervised, by preferences and by reinforcement, through its SDK."""

    name: ClassVar[str] = "openai"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = OpenAISettings
    statuses: ClassVar[dict[str, Status]] = STATUS
    words: ClassVar[dict[str, str]] = WORDS
    suffix_limit: ClassVar[int] = 64
    reinforced: ClassVar[tuple[str, ...]] = ("o4-mini",)
    """The families that learn by reinforcement, and in no other way (the guide to it, read 2026-11)."""
    steering: ClassVar[dict[str, Any]] = {}
    """What cancel, pause and resume are called with beside the job's id."""

    @cached_property
    def client(self) -> OpenAI:
        """The SDK's client, made when it is first needed."""
        return open_client(self.connection, timeout=self.timeout, on_response=self.clock.observe)

    def close(self) -> None:
        """Close the SDK's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def converter(self, spec: Spec, model: str) -> Converter:
        """How OpenAI reads an example of `spec`'s data for `model`."""
        return OpenAIFormat(spec.target, model, spec.method, spec.grader)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider; and reinforcement has its own models, graders and files."""
        said, kept = super().check_spec(spec, allow_ignored=allow_ignored)
        model = parse_target(spec.target).model
        if model.removeprefix("ft:").startswith(self.reinforced) != (spec.method is Method.RFT):
            raise SpecError(
                f"{self.name} does not train {model} by {spec.method}",
                hint=f"By rft it trains {' and '.join(self.reinforced)} alone, and these by nothing else.",
            )
        check_grading(self.name, kept)
        return said, kept

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By o200k_base, which OpenAI's models have used since gpt-4o, where its vocabulary is at hand."""
        return OpenAICounter(o200k(vocabulary) or guess(), self.base_model(model))

    def base_model(self, model: str) -> str:
        """A tuned model is named `ft:BASE:…`, and lives no longer than its base."""
        return model.split(":")[1] if model.startswith("ft:") else model

    def live_catalogue(self, model: str) -> tuple[Row, ...]:
        """When OpenAI shuts the model down, as its model object says."""
        found = self._patient(lambda: sound(self.name, self.client.models.retrieve(model)))
        return shutdown_row(self.name, model, found, today())

    def list_tuned_models(self) -> list[TunedModel]:
        """The account's tuned models; each ends with its base at the latest."""
        return read_tuned(self._patient(lambda: list(self.client.models.list())))

    def upload(self, file: Path, *, key: str) -> str:
        """Send the file under a name that tells its content, unless the vendor has it; a job may use it at once."""
        return self._patient(partial(self._send, file, f"ftbridge-{key}.jsonl"))

    def _send(self, file: Path, name: str) -> str:
        size = file.stat().st_size
        page = partial(self.client.files.list, purpose="fine-tune", limit=10_000)
        for known in as_far_as_listed(every(self.name, page)):
            if known.filename == name and known.bytes == size:
                return str(known.id)
        with file.open("rb") as content:
            answer = self.client.files.create(file=(name, content), purpose="fine-tune")
        return str(sound(self.name, answer).id)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """One POST, with the tag in `metadata` and `suffix`."""
        with understood(self.name):
            answer = self.client.fine_tuning.jobs.create(**self.request(spec, model, files, tag))
        return self.read(answer)

    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """What the SDK's `create` is called with."""
        suffix = make_suffix(spec.name, tag, self.suffix_limit)
        request = create_request(spec, model, files, suffix=suffix)
        return {**request, "method": method_body(spec), "metadata": {TAG: tag}}

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs that carry the tag, oldest first: by the filter, and where that finds none, among all."""
        # a gateway may strip the metadata that the filter asks for, and one that ignores the filter lists all
        carries, query = partial(self.carries, tag=tag), self.filter_by(tag)
        found = list(filter(carries, as_far_as_listed(self._listed(**query)))) if query else []
        found = found or matching(self._listed(), carries)
        return [self.read(job) for job in sorted(found, key=lambda job: job.created_at)]

    def filter_by(self, tag: str) -> dict[str, Any]:
        """What the listing is asked for when a tag is looked for."""
        return {"metadata": {TAG: tag}}

    def carries(self, job: Any, tag: str) -> bool:
        """Whether a listed job was made with this tag, by its metadata or its suffix: either is enough."""
        return tag in ((job.metadata or {}).get(TAG), tag_of_suffix(job))

    def jobs(self) -> Iterator[Listed]:
        """By pages of 100, each asked for when it is needed."""
        return map(self.read_listed, self._listed())

    def find_job_of_model(self, name: str) -> str:
        """Ids of jobs are told by their beginning; a checkpoint is named after the whole model (`…:ckpt-step-N`)."""
        if name.startswith("ftjob-"):
            return name.partition(":")[0]
        return super().find_job_of_model(name.partition(":ckpt-step-")[0])

    def read_listed(self, job: Any) -> Listed:
        """A job of the listing, with its tag."""
        return read_listed(job, self.read(job), (job.metadata or {}).get(TAG))

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one; many by pages of 100, newest first, until all are seen."""
        wanted = set(remote_ids)
        if len(wanted) > FEW:
            for job in as_far_as_listed(by_cursor(self.name, self._short_page)):
                if job.id in wanted:
                    wanted.remove(job.id)
                    yield self.read(job)
                if not wanted:
                    return
        for remote_id in sorted(wanted):
            try:
                yield self.read(self._get(remote_id))
            except NotFound:
                continue

    def _listed(self, **query: Any) -> Iterator[Any]:
        return every(self.name, partial(self.client.fine_tuning.jobs.list, limit=100, **query))

    def _short_page(self, after: str) -> ShortPage:
        """What a watcher needs of a page: to build the SDK's own objects takes five times as long as the rest."""
        listing = self.client.fine_tuning.jobs.with_raw_response
        answer = self._patient(lambda: listing.list(limit=100, after=after or omit()))
        return read_short_page(self.name, answer.content)

    def _get(self, remote_id: str) -> Any:
        return self._patient(lambda: sound(self.name, self.client.fine_tuning.jobs.retrieve(remote_id)))

    def events(self, remote_id: str, since: str) -> list[Event]:
        """Pages of 100, newest first, back to the event `since`; as far as they are listed."""
        page = partial(self.client.fine_tuning.jobs.list_events, remote_id, limit=100)
        listed = as_far_as_listed(every(self.name, page))
        return [read_event(event) for event in takewhile(lambda event: event.id != since, listed)][::-1]

    def check_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Signed with the secret that OPENAI_WEBHOOK_SECRET holds (webhooks guide, 2026; 300 s of tolerance)."""
        check_signature(self.name, self.client, headers, body)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """Those of the last three epochs."""
        return sorted(map(read_checkpoint, self.listed_checkpoints(remote_id)), key=lambda checkpoint: checkpoint.step)

    def listed_checkpoints(self, remote_id: str) -> list[Any]:
        """The vendor's own objects, as it lists them."""
        page = partial(self.client.fine_tuning.jobs.checkpoints.list, remote_id)
        return list(as_far_as_listed(every(self.name, page)))

    def cancel(self, remote_id: str) -> None:
        """Stop the job for good."""
        self._steer("cancel", remote_id)

    def pause(self, remote_id: str) -> None:
        """Stop the job for now."""
        self._steer("pause", remote_id)

    def resume(self, remote_id: str) -> None:
        """Let a paused job go on."""
        self._steer("resume", remote_id)

    def _steer(self, verb: str, remote_id: str) -> None:
        with understood(self.name):
            sound(self.name, getattr(self.client.fine_tuning.jobs, verb)(remote_id, **self.steering))

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The result files (CSV, a row a step) into `folder`; the weights stay with the vendor."""
        job = self.read(self._get(remote_id))
        if job.result is None:
            raise JobFailed(f"job {remote_id} has no result: it is {job.status}", hint="Wait until it has succeeded.")
        contents = {name: self._content(name) for name in job.result.files}
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write(folder / f"{plain_name(name)}.csv", content)
        return Result(model=job.result.model, path=folder, files=job.result.files)

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """The job object with every field, and the files it was trained on."""
        job = self._get(remote_id)
        listed = self.read_listed(job)
        tasks = listed.method is Method.RFT
        return imported_job(
            listed,
            job.to_dict(mode="json"),
            lambda file_id: read_tasks(self._content(file_id)) if tasks else self._content(file_id),
            folder,
            meanings=FIELDS,
            names=self.words,
            within=SETTINGS,
        )

    def _content(self, file_id: str) -> bytes:
        answer = self._patient(lambda: self.client.files.content(file_id))
        if "html" in answer.response.headers.get("content-type", ""):
            raise not_understood(self.name)
        return read_result_file(answer.content)

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion; everything in the body is passed on."""
        answer = self._patient(lambda: create_completion(self.client, model, body))
        return dict(sound(self.name, answer, needs="choices").to_dict(mode="json"))

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks as they arrive."""
        return streamed(self.name, self._patient(lambda: create_completion(self.client, model, body, stream=True)))

    def list_models(self) -> list[str]:
        """Every model of the account."""
        answer = self._patient(lambda: sound(self.name, self.client.models.list(), needs="data"))
        return [model.id for model in answer.data]

    def delete(self, model: str) -> None:
        """Delete a tuned model."""
        with understood(self.name):
            self.client.models.delete(model)

    def read(self, answer: Any) -> RemoteJob:
        """A job of the vendor's as ftbridge tells it."""
        return read_job(sound(self.name, answer), self.statuses)

    def _patient(self, ask: Callable[[], T]) -> T:
        """What `ask` returns, with patience, and the SDK's errors in ftbridge's tree."""
        return with_retries(understood(self.name)(ask))
