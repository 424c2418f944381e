"""Together AI as a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ftbridge.catalogue import Row, today
from ftbridge.dataset.converter import Converter
from ftbridge.errors import JobFailed, ServerTrouble
from ftbridge.files import make_folder
from ftbridge.foreign.names import plain_name
from ftbridge.model import Checkpoint, Event, Result, Spec, Status
from ftbridge.provider import Artifact, Capabilities, Files, ImportedJob, Listed, RemoteJob, TunedModel
from ftbridge.provider.hosted import HostedProvider, make_suffix
from ftbridge.provider.importing import imported_job
from ftbridge.provider.paging import once
from ftbridge.provider.retry import poll_until, with_retries
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge.provider.unpack import unpack
from ftbridge.provider.unreadable import job_or_unreadable, read_each, readable, whole_list
from ftbridge_providers.together.client import open_client, require, translated_errors, unexpected_answer
from ftbridge_providers.together.download import download
from ftbridge_providers.together.format import TogetherFormat
from ftbridge_providers.together.reading import (
    HYPERPARAMETER_NAMES,
    JOB_FIELDS,
    STATUS,
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
    ESTIMATE_FIELDS,
    SUFFIX_LIMIT,
    check_limits,
    check_values,
    create_body,
    has_tag,
    is_checkpoint,
    is_full_training,
)
from ftbridge_providers.together.upload import find_or_upload, is_accepted

if TYPE_CHECKING:
    from together import Together

T = TypeVar("T")

MAX_SINGLE_READS = 3
"""Up to this number jobs are read one by one; the listing has no pages and holds every job of the account."""


class TogetherSettings(HostedSettings):
    """`[providers.together]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "TOGETHER_API_KEY"}
    base_url: str = setting("https://api.together.ai", env="TOGETHER_BASE_URL", description="Where the API is.")


class TogetherProvider(HostedProvider):
    """Together AI's hosted fine-tuning, supervised and by preferences, through its SDK.

    The model of a target is a base model, or `ft-…` or `ft-…:step`, a checkpoint to continue from.
    """

    name: ClassVar[str] = "together"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = TogetherSettings
    transitional_statuses: ClassVar[frozenset[str]] = frozenset({"cancel_requested"})
    validation_seconds: ClassVar[float] = 1800.0
    """How long Together may take to validate an uploaded file."""

    @cached_property
    def client(self) -> Together:
        """The SDK's client, opened when it is first needed."""
        return open_client(self.connection, timeout=self.timeout, on_response=self.clock.observe)

    def close(self) -> None:
        """Close the SDK's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def converter(self, spec: Spec, model: str) -> Converter:
        """How Together reads an example of `spec`'s data; for reasoning models it has rules of its own."""
        return TogetherFormat(spec.target, spec.method, "" if is_checkpoint(model) else model)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider, and Together's own rules for values."""
        warnings, effective = super().check_spec(spec, allow_ignored=allow_ignored)
        check_values(effective)
        return warnings, effective

    def live_catalogue(self, model: str) -> tuple[Row, ...]:
        """The limits that Together has for the model today."""
        return () if is_checkpoint(model) else limits_row(model, self._limits(model, None), today())

    def estimate_cost(self, spec: Spec, model: str, files: Files) -> float | None:
        """Together's own estimate for the validated files; `None` where it gives none."""
        parent = self._parent(model)
        body = create_body(spec, model, files, self._limits(model, parent), suffix="", parent=parent)
        request = {name: body[name] for name in ESTIMATE_FIELDS if name in body}
        answer = self._retry(lambda: self.client.post("/v1/fine-tunes/estimate-price", body=request, cast_to=object))
        return read_estimate(answer)

    def list_tuned_models(self) -> list[TunedModel]:
        """The tuned models of all jobs that succeeded."""
        succeeded = [
            job for job in self._list_jobs() if STATUS.get(str(getattr(job, "status", ""))) is Status.SUCCEEDED
        ]
        return [
            TunedModel(model=job.x_model_output_name, base=job.model) for job in succeeded if job.x_model_output_name
        ]

    def upload(self, file: Path, *, key: str) -> str:
        """Upload the file under a name made of its hash, unless Together has it, and wait until it is validated."""
        file_id = self._retry(partial(find_or_upload, self.client, file, f"ftbridge-{key}.jsonl"))

        def read_verdict() -> bool | None:
            return is_accepted(self._retry(lambda: require(self.client.files.retrieve(file_id)))) or None

        if poll_until(read_verdict, seconds=self.validation_seconds) is None:
            raise ServerTrouble(
                f"together has not validated file {file_id} in {self.validation_seconds:.0f} s",
                provider=self.name,
                hint="Submit again later: the file is uploaded and will not be sent again.",
            )
        return file_id

    def check_limits(self, spec: Spec, model: str) -> None:
        """By the limits that Together has for each model."""
        parent = self._parent(model)
        check_limits(spec, self._limits(model, parent), full=is_full_training(spec, parent))

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """Reads the model's limits, then sends one POST, with the tag at the end of `suffix`."""
        parent = self._parent(model)
        limits = self._limits(model, parent)
        suffix = make_suffix(spec.name, tag, SUFFIX_LIMIT)
        body = create_body(spec, model, files, limits, suffix=suffix, parent=parent)
        with translated_errors():
            from together.types import FinetuneResponse

            answer = self.client.post("/v1/fine-tunes", body=body, cast_to=FinetuneResponse)
        return read_job(require(answer))

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs whose suffix ends with the tag."""
        tagged = [job for job in self._retry(self._short_list) if has_tag(job.suffix, tag)]
        return [self._read(job) for job in sorted(tagged, key=lambda job: str(job.created_at))]

    def jobs(self) -> Iterator[Listed]:
        """The listing, which has no pages, and no reasons of failed jobs."""
        newest_first = sorted(self._list_all(), key=lambda job: str(getattr(job, "created_at", "")), reverse=True)
        yield from whole_list(self.name, newest_first, read_listed)

    def find_job_of_model(self, name: str) -> str:
        """An id `ft-…` is a job's own, or begins that of its checkpoint; a model is looked up in the listing."""
        return name.partition(":")[0] if is_checkpoint(name) else super().find_job_of_model(name)

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one, many by the listing."""
        wanted = set(remote_ids)
        if len(wanted) > MAX_SINGLE_READS:
            for job in self._retry(self._short_list):
                if job.id in wanted:
                    wanted.remove(job.id)
                    yield job_or_unreadable(job.id, partial(self._read, job))
        yield from read_each(sorted(wanted), lambda remote_id: self._read(self._retry(partial(self._get, remote_id))))

    def events(self, remote_id: str, since: str) -> list[Event]:
        """Events and metrics as one list, by time."""
        events = self._events(remote_id)
        answer = self._retry(lambda: self.client.fine_tuning.list_metrics(remote_id))
        if isinstance(answer, str):
            raise unexpected_answer()
        return read_events(events, answer.metrics or [], since)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """All that were saved; a new job can continue from each."""
        answer = self._retry(lambda: require(self.client.fine_tuning.list_checkpoints(remote_id), field="data"))
        # one step may be listed twice, as an adapter and merged into its base
        by_step = {one.step: one for one in readable(answer.data, partial(read_checkpoint, remote_id))}
        return [by_step[step] for step in sorted(by_step)]

    def cancel(self, remote_id: str) -> None:
        """Stop the job for good; completed steps are billed."""
        with translated_errors():
            require(self.client.fine_tuning.cancel(remote_id))

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The adapter's weights, or all weights, in `folder`; an interrupted download is continued."""
        job = self._retry(partial(self._get, remote_id))
        result = read_job(job).result
        if result is None:
            raise JobFailed(f"job {remote_id} has no weights: it is {job.status}", hint="Wait until it has succeeded.")
        full = job.training_type is not None and job.training_type.type == "Full"
        downloads = self.home / "downloads"
        make_folder(downloads)
        archive = downloads / f"{plain_name(remote_id)}.tar.zst"
        checkpoint = "model_output_path" if full else "adapter"
        with_retries(partial(download, self.client, archive, ft_id=remote_id, checkpoint=checkpoint))
        try:
            unpack(archive, folder, provider=self.name)
        finally:
            archive.unlink()
        configs = sorted(folder.rglob("adapter_config.json"))
        return Result(model=result.model, path=configs[0].parent if configs else folder)

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """The fields of the listing and of the job itself, which differ, and the files it was trained on."""
        job = self._retry(partial(self._get, remote_id))
        listed = next((one for one in self._list_jobs() if one.id == remote_id), job)
        body = {**listed.to_dict(mode="json"), **job.to_dict(mode="json")}
        return imported_job(
            read_listed(listed),
            body,
            lambda file_id: self._retry(lambda: self.client.files.content(file_id).read()),
            folder,
            meanings=JOB_FIELDS,
            names=HYPERPARAMETER_NAMES,
            within=("training_type", "training_method"),
        )

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion; everything in the body is passed on."""
        options = {name: value for name, value in body.items() if name != "messages"}
        request: Any = {"model": model, "messages": body["messages"], "extra_body": options}
        answer = self._retry(lambda: require(self.client.chat.completions.create(**request), field="choices"))
        return dict(answer.to_dict(mode="json"))

    def list_models(self) -> list[str]:
        """Every model that can be called; the SDK's own listing requires a project since 3.0."""
        answer = self._retry(lambda: self.client.get("/v1/models", cast_to=object))
        if not isinstance(answer, list):
            raise unexpected_answer()
        return [str(model["id"]) for model in answer]

    def artifacts(self, remote_id: str) -> list[Artifact]:
        """Files, and the job with its model and checkpoints: Together does not delete the one without the others."""
        found = super().artifacts(remote_id)
        parts = [one.model_copy(update={"part_of": remote_id}) for one in found if one.kind in ("checkpoint", "model")]
        return [*(one for one in found if one.kind == "file"), *parts, *(one for one in found if one.kind == "job")]

    def delete(self, artifact: Artifact) -> None:
        """Delete a file, or a job with its model and checkpoints."""
        files, jobs = self.client.files, self.client.fine_tuning
        remove: Callable[[str], Any] = files.delete if artifact.kind == "file" else jobs.delete
        self._retry(lambda: remove(artifact.name))

    def _parent(self, model: str) -> Any:
        """The job that `model` continues from, if it is a checkpoint."""
        return self._retry(partial(self._get, model.split(":")[0])) if is_checkpoint(model) else None

    def _limits(self, model: str, parent: Any) -> Any:
        base = parent.model if parent else model
        return self._retry(
            lambda: require(self.client.fine_tuning.model_limits(model_name=base), field="lora_training")
        )

    def _list_jobs(self) -> list[Any]:
        """The jobs of the listing, without what is no job."""
        return [job for job in self._list_all() if getattr(job, "id", None)]

    def _list_all(self) -> list[Any]:
        answer = self._retry(lambda: require(self.client.fine_tuning.list(), field="data"))
        return list(once(answer.data))

    def _short_list(self) -> list[ShortJob]:
        """What a watcher needs of every job: building the SDK's own objects takes several times as long."""
        return list(once(read_short_list(self.client.fine_tuning.with_raw_response.list().read())))

    def _get(self, remote_id: str) -> Any:
        return require(self.client.fine_tuning.retrieve(remote_id))

    def _events(self, remote_id: str) -> list[Any]:
        answer = self._retry(lambda: require(self.client.fine_tuning.list_events(remote_id), field="data"))
        return list(answer.data)

    def _read(self, job: Any) -> RemoteJob:
        failed = STATUS.get(str(job.status)) is Status.FAILED
        return read_job(job, error=read_error(self._events(job.id)) if failed else None)

    def _retry(self, read: Callable[[], T]) -> T:
        """What `read` returns, retried, with the SDK's errors translated."""
        return with_retries(translated_errors()(read))
