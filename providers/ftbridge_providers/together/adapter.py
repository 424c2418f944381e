"""Together AI as a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ftbridge.catalogue import Row, today
from ftbridge.dataset.converter import Converter
from ftbridge.errors import JobFailed, NotFound, ServerTrouble
from ftbridge.files import plain_name
from ftbridge.model import Checkpoint, Event, Result, Spec, Status
from ftbridge.provider import Capabilities, Files, ImportedJob, Listed, RemoteJob, TunedModel
from ftbridge.provider.hosted import HostedProvider, make_suffix
from ftbridge.provider.importing import imported_job
from ftbridge.provider.paging import once
from ftbridge.provider.retry import poll_until, with_retries
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge.provider.unpack import unpack
from ftbridge_providers.together.client import not_understood, open_client, sound, understood
from ftbridge_providers.together.download import download
from ftbridge_providers.together.format import TogetherFormat
from ftbridge_providers.together.reading import (
    FIELDS,
    STATUS,
    WORDS,
    ShortJob,
    limits_row,
    read_checkpoint,
    read_error,
    read_estimate,
    read_events,
    read_job,
    read_listed,
    read_short_list,
)
from ftbridge_providers.together.request import (
    CAPABILITIES,
    ESTIMATED_BY,
    SUFFIX_LIMIT,
    carries,
    check_limits,
    check_values,
    create_body,
    is_checkpoint,
    trains_all,
)
from ftbridge_providers.together.upload import is_accepted, send

if TYPE_CHECKING:
    from together import Together

T = TypeVar("T")

FEW = 3
"""Up to so many jobs are asked for one by one; the listing has no pages and holds every job there ever was."""


class TogetherSettings(HostedSettings):
    """`[providers.together]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "TOGETHER_API_KEY"}
    base_url: str = setting("https://api.together.ai", env="TOGETHER_BASE_URL", description="Where the API is.")


class TogetherProvider(HostedProvider):
    """Together AI's hosted fine-tuning, supervised and by preferences, through its SDK.

    The model of a target is a base model, or `ft-…` or `ft-…:step`, a checkpoint to go on from.
    """

    name: ClassVar[str] = "together"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = TogetherSettings
    transitional_statuses: ClassVar[frozenset[str]] = frozenset({"cancel_requested"})
    checking_seconds: ClassVar[float] = 1800.0
    """How long Together may take to look at an uploaded file."""

    @cached_property
    def client(self) -> Together:
        """The SDK's client, made when it is first needed."""
        return open_client(self.connection, timeout=self.timeout, on_response=self.clock.observe)

    def close(self) -> None:
        """Close the SDK's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def converter(self, spec: Spec, model: str) -> Converter:
        """How Together reads an example of `spec`'s data; its rules are the same for every model."""
        return TogetherFormat(spec.target, spec.method)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider, and Together's own rules for values."""
        said, kept = super().check_spec(spec, allow_ignored=allow_ignored)
        check_values(kept)
        return said, kept

    def live_catalogue(self, model: str) -> tuple[Row, ...]:
        """The limits that Together gives for the model today."""
        return () if is_checkpoint(model) else limits_row(model, self._limits(model, None), today())

    def estimate_cost(self, spec: Spec, model: str, files: Files) -> float | None:
        """Together's own estimate for the files, which it has looked at; `None` where it gives none."""
        parent = self._parent(model)
        body = create_body(spec, model, files, self._limits(model, parent), suffix="", parent=parent)
        asked = {name: body[name] for name in ESTIMATED_BY if name in body}
        answer = self._patient(lambda: self.client.post("/v1/fine-tunes/estimate-price", body=asked, cast_to=object))
        return read_estimate(answer)

    def list_tuned_models(self) -> list[TunedModel]:
        """The tuned models of all jobs that succeeded."""
        done = [job for job in self._listed() if STATUS.get(str(job.status)) is Status.SUCCEEDED]
        return [TunedModel(model=job.x_model_output_name, base=job.model) for job in done if job.x_model_output_name]

    def upload(self, file: Path, *, key: str) -> str:
        """Send the file under a name that tells its content, unless Together has it, and wait for its verdict."""
        file_id = self._patient(partial(send, self.client, file, f"ftbridge-{key}.jsonl"))

        def look() -> bool | None:
            return is_accepted(self._patient(lambda: sound(self.client.files.retrieve(file_id)))) or None

        if poll_until(look, seconds=self.checking_seconds) is None:
            raise ServerTrouble(
                f"together has not looked at file {file_id} in {self.checking_seconds:.0f} s",
                provider=self.name,
                hint="Submit again later: the file is there and will not be sent again.",
            )
        return file_id

    def check_limits(self, spec: Spec, model: str) -> None:
        """By the limits that Together gives for each model."""
        parent = self._parent(model)
        check_limits(spec, self._limits(model, parent), whole=trains_all(spec, parent))

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """The model's defaults are read; then one POST, with the tag at the end of `suffix`."""
        parent = self._parent(model)
        limits = self._limits(model, parent)
        suffix = make_suffix(spec.name, tag, SUFFIX_LIMIT)
        body = create_body(spec, model, files, limits, suffix=suffix, parent=parent)
        with understood():
            from together.types import FinetuneResponse

            answer = self.client.post("/v1/fine-tunes", body=body, cast_to=FinetuneResponse)
        return read_job(sound(answer))

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs whose suffix ends with the tag."""
        found = [job for job in self._patient(self._short_list) if carries(job.suffix, tag)]
        return [self._read(job) for job in sorted(found, key=lambda job: job.created_at)]

    def jobs(self) -> Iterator[Listed]:
        """The listing, which has no pages; why a job failed is not in it."""
        for job in sorted(self._listed(), key=lambda job: job.created_at, reverse=True):
            yield read_listed(job)

    def find_job_of_model(self, name: str) -> str:
        """Ids of jobs are told by their shape; a checkpoint's begins with its job's."""
        return name.partition(":")[0] if is_checkpoint(name) else super().find_job_of_model(name)

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one, many by the listing."""
        wanted = set(remote_ids)
        if len(wanted) > FEW:
            for job in self._patient(self._short_list):
                if job.id in wanted:
                    wanted.remove(job.id)
                    yield self._read(job)
        for remote_id in sorted(wanted):
            try:
                yield self._read(self._patient(partial(self._get, remote_id)))
            except NotFound:
                continue

    def events(self, remote_id: str, since: str) -> list[Event]:
        """Events and metrics as one list, by time."""
        events = self._events(remote_id)
        answer = self._patient(lambda: self.client.fine_tuning.list_metrics(remote_id))
        if isinstance(answer, str):
            raise not_understood()
        return read_events(events, answer.metrics or [], since)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """All that were saved; a new job can go on from each."""
        answer = self._patient(lambda: sound(self.client.fine_tuning.list_checkpoints(remote_id), needs="data"))
        # one step may be there twice, as an adapter and merged into its base
        found = {one.step: read_checkpoint(remote_id, one) for one in answer.data}
        return [found[step] for step in sorted(found)]

    def cancel(self, remote_id: str) -> None:
        """Stop the job for good; the steps done are paid for."""
        with understood():
            sound(self.client.fine_tuning.cancel(remote_id))

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The adapter's weights, or all weights, in `folder`; a download that was cut off is gone on with."""
        job = self._patient(partial(self._get, remote_id))
        result = read_job(job).result
        if result is None:
            raise JobFailed(f"job {remote_id} has no weights: it is {job.status}", hint="Wait until it has succeeded.")
        whole = job.training_type is not None and job.training_type.type == "Full"
        kept = self.home / "downloads"
        kept.mkdir(parents=True, exist_ok=True)
        archive = kept / f"{plain_name(remote_id)}.tar.zst"
        checkpoint = "model_output_path" if whole else "adapter"
        with_retries(partial(download, self.client, archive, ft_id=remote_id, checkpoint=checkpoint))
        try:
            unpack(archive, folder, provider=self.name)
        finally:
            archive.unlink()
        configs = sorted(folder.rglob("adapter_config.json"))
        return Result(model=result.model, path=configs[0].parent if configs else folder)

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """What the listing and the job itself tell, which differ, and the files it was trained on."""
        whole = self._patient(partial(self._get, remote_id))
        found = next((job for job in self._listed() if job.id == remote_id), whole)
        body = {**found.to_dict(mode="json"), **whole.to_dict(mode="json")}
        return imported_job(
            read_listed(found),
            body,
            lambda file_id: self._patient(lambda: self.client.files.content(file_id).read()),
            folder,
            meanings=FIELDS,
            names=WORDS,
            within=("training_type", "training_method"),
        )

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion; everything in the body is passed on."""
        options = {name: value for name, value in body.items() if name != "messages"}
        request: Any = {"model": model, "messages": body["messages"], "extra_body": options}
        answer = self._patient(lambda: sound(self.client.chat.completions.create(**request), needs="choices"))
        return dict(answer.to_dict(mode="json"))

    def list_models(self) -> list[str]:
        """Every model that can be called. By the plain API: the SDK's own listing wants a project since 3.0."""
        answer = self._patient(lambda: self.client.get("/v1/models", cast_to=object))
        if not isinstance(answer, list):
            raise not_understood()
        return [str(model["id"]) for model in answer]

    def delete(self, model: str) -> None:
        """Delete a tuned model, and with it the job that made it: Together has no other way."""
        made = [job for job in self._listed() if job.x_model_output_name == model and STATUS.get(job.status)]
        if not made:
            raise NotFound(
                f"no job of this account made a model called {model!r}",
                provider=self.name,
                hint="`ftbridge jobs` lists what was made here.",
            )
        self._patient(lambda: self.client.fine_tuning.delete(made[0].id))

    def _parent(self, model: str) -> Any:
        """The job that `model` goes on from, if it does."""
        return self._patient(partial(self._get, model.split(":")[0])) if is_checkpoint(model) else None

    def _limits(self, model: str, parent: Any) -> Any:
        base = parent.model if parent else model
        return self._patient(
            lambda: sound(self.client.fine_tuning.model_limits(model_name=base), needs="lora_training")
        )

    def _listed(self) -> list[Any]:
        answer = self._patient(lambda: sound(self.client.fine_tuning.list(), needs="data"))
        return list(once(answer.data))

    def _short_list(self) -> list[ShortJob]:
        """What a watcher needs of every job: the SDK's own objects cost several times the rest, and the memory."""
        return list(once(read_short_list(self.client.fine_tuning.with_raw_response.list().read())))

    def _get(self, remote_id: str) -> Any:
        return sound(self.client.fine_tuning.retrieve(remote_id))

    def _events(self, remote_id: str) -> list[Any]:
        answer = self._patient(lambda: sound(self.client.fine_tuning.list_events(remote_id), needs="data"))
        return list(answer.data)

    def _read(self, job: Any) -> RemoteJob:
        failed = STATUS.get(str(job.status)) is Status.FAILED
        return read_job(job, error=read_error(self._events(job.id)) if failed else None)

    def _patient(self, ask: Callable[[], T]) -> T:
        """What `ask` returns, with patience, and the SDK's errors in ftbridge's tree."""
        return with_retries(understood()(ask))
