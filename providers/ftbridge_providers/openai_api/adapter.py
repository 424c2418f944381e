"""The base of the adapters for services that speak OpenAI's fine-tuning API, through OpenAI's SDK."""

from __future__ import annotations

from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ftbridge.foreign.values import number_of
from ftbridge.model import Checkpoint, Event, Spec, Status
from ftbridge.provider import Artifact, Files, ImportedJob, Listed, RemoteJob
from ftbridge.provider.hosted import HostedProvider
from ftbridge.provider.importing import imported_job
from ftbridge.provider.paging import as_far_as_listed, by_cursor, matching
from ftbridge.provider.unreadable import job_or_unreadable, read_each, readable, whole_list
from ftbridge_providers.openai_api.client import (
    deleted,
    list_all,
    omit,
    open_client,
    require,
    retry_read,
    translated_errors,
    unexpected_answer,
    with_id,
)
from ftbridge_providers.openai_api.completions import create_completion, stream_chunks
from ftbridge_providers.openai_api.reading import (
    HYPERPARAMETER_NAMES,
    HYPERPARAMETER_OBJECTS,
    JOB_FIELDS,
    STATUS,
    ShortPage,
    cursor_of,
    read_checkpoint,
    read_events,
    read_job,
    read_listed,
    read_short_page,
    tag_of_suffix,
)

if TYPE_CHECKING:
    from openai import OpenAI

T = TypeVar("T")

TAG = "ftbridge"
"""The metadata key that carries a job's tag."""
MAX_SINGLE_READS = 3
"""Up to this number jobs are read one by one; a page of the listing costs as much as one job."""


class OpenAIApiProvider(HostedProvider, metaclass=ABCMeta):
    """What every service with OpenAI's API has: files, jobs, events, checkpoints, cancel, chat, models.

    A subclass adds `converter`, `request`, `fetch` and what else its service has.
    """

    statuses: ClassVar[dict[str, Status]] = STATUS
    hyperparameter_names: ClassVar[dict[str, str]] = HYPERPARAMETER_NAMES
    """The vendor's names of hyperparameters, where they differ from ftbridge's."""
    suffix_limit: ClassVar[int] = 64
    """Characters of a job's suffix."""
    control_options: ClassVar[dict[str, Any]] = {}
    """Arguments of the SDK's `cancel`, `pause` and `resume` beside the job's id."""

    @cached_property
    def client(self) -> OpenAI:
        """The SDK's client, opened when it is first needed."""
        return open_client(self.connection, timeout=self.timeout, on_response=self.clock.observe)

    def close(self) -> None:
        """Close the SDK's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def upload(self, file: Path, *, key: str) -> str:
        """Upload the file under a name made of its hash, unless the vendor has it."""
        return self._retry(partial(self._find_or_upload, file, f"ftbridge-{key}.jsonl"))

    def _find_or_upload(self, file: Path, name: str) -> str:
        size = file.stat().st_size
        for known in as_far_as_listed(
            list_all(self.name, partial(self.client.files.list, purpose="fine-tune", limit=10_000))
        ):
            if known.filename == name and known.bytes == size:
                return str(known.id)
        with file.open("rb") as content:
            answer = self.client.files.create(file=(name, content), purpose="fine-tune")
        return str(require(self.name, answer).id)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """One POST, which carries the tag."""
        with translated_errors(self.name):
            answer = self.client.fine_tuning.jobs.create(**self.request(spec, model, files, tag))
        return self.read(answer)

    @abstractmethod
    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """The arguments of the SDK's `create`."""

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs with the tag, oldest first: by the vendor's filter, and if that finds none, among all jobs."""
        # a gateway may strip the metadata that the filter reads, and one that ignores the filter lists all jobs
        has_tag, query = partial(self.has_tag, tag=tag), self.filter_by(tag)
        tagged = list(filter(has_tag, as_far_as_listed(self._list_jobs(**query)))) if query else []
        tagged = tagged or matching(self._list_jobs(), has_tag)
        return [self.read(job) for job in sorted(tagged, key=lambda job: number_of(job.created_at) or 0)]

    def filter_by(self, tag: str) -> dict[str, Any]:
        """The query by which the listing filters for a tag; empty where the service has no filter."""
        return {}

    def has_tag(self, job: Any, tag: str) -> bool:
        """Whether a listed job carries this tag, in its metadata or in its suffix."""
        return tag in (_tag_in_metadata(job), tag_of_suffix(job))

    def jobs(self) -> Iterator[Listed]:
        """By pages of 100, each read when it is needed."""
        return whole_list(self.name, self._list_jobs(), self.read_listed)

    def find_job_of_model(self, name: str) -> str:
        """An id `ftjob-…` is the job's own; a model is looked up in the listing."""
        return name.partition(":")[0] if name.startswith("ftjob-") else super().find_job_of_model(name)

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one; many by pages of 100, newest first, until all are read."""
        wanted = set(remote_ids)
        if len(wanted) > MAX_SINGLE_READS:
            for job in as_far_as_listed(by_cursor(self.name, self._short_page)):
                if job.id in wanted:
                    wanted.remove(job.id)
                    yield job_or_unreadable(job.id, partial(self.read, job))
                if not wanted:
                    return
        yield from read_each(sorted(wanted), lambda remote_id: self.read(self._get(remote_id)))

    def events(self, remote_id: str, since: str) -> list[Event]:
        """By pages of 100, newest first, back to the event `since`."""
        listed = as_far_as_listed(
            list_all(self.name, partial(self.client.fine_tuning.jobs.list_events, remote_id, limit=100))
        )
        newer = list(takewhile(lambda event: not since or cursor_of(event) != since, listed))
        return read_events(newer[::-1])

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """Those that the service keeps, by step."""
        read = readable(self.list_checkpoints(remote_id), read_checkpoint)
        return sorted(read, key=lambda checkpoint: checkpoint.step)

    def list_checkpoints(self, remote_id: str) -> list[Any]:
        """The vendor's own checkpoint objects."""
        return list(
            as_far_as_listed(list_all(self.name, partial(self.client.fine_tuning.jobs.checkpoints.list, remote_id)))
        )

    def delete(self, artifact: Artifact) -> None:
        """Delete an uploaded file, or a result file."""
        if artifact.kind != "file":
            super().delete(artifact)
        self._retry(lambda: deleted(self.name, self.client.files.delete(artifact.name)))

    def cancel(self, remote_id: str) -> None:
        """Stop the job for good."""
        self._control("cancel", remote_id)

    def import_job(self, remote_id: str, folder: Path) -> ImportedJob:
        """The job object with every field, and the files it was trained on."""
        job = self._get(remote_id)
        listed = self.read_listed(job)
        return imported_job(
            listed,
            job.to_dict(mode="json"),
            partial(self.training_content, listed),
            folder,
            meanings=JOB_FIELDS,
            names=self.hyperparameter_names,
            within=HYPERPARAMETER_OBJECTS,
        )

    def training_content(self, listed: Listed, file_id: str) -> bytes:
        """A file of a job, as rows of the canonical format."""
        return self.content(file_id)

    def content(self, file_id: str) -> bytes:
        """The bytes of a file. Raises `BadAnswer` for an HTML page."""
        answer = self._retry(lambda: self.client.files.content(file_id))
        if "html" in answer.response.headers.get("content-type", ""):
            raise unexpected_answer(self.name)
        return answer.content

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion; everything in the body is passed on."""
        answer = self._retry(lambda: create_completion(self.client, model, body))
        return dict(require(self.name, answer, field="choices").to_dict(mode="json"))

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks as they arrive."""
        return stream_chunks(self.name, self._retry(lambda: create_completion(self.client, model, body, stream=True)))

    def list_models(self) -> list[str]:
        """Every model of the account."""
        answer = self._retry(lambda: require(self.name, self.client.models.list(), field="data"))
        return [model.id for model in answer.data]

    def read(self, answer: Any) -> RemoteJob:
        """A job object of the vendor as ftbridge's."""
        return read_job(require(self.name, answer), self.statuses)

    def read_listed(self, job: Any) -> Listed:
        """A job of the listing, with its tag."""
        return read_listed(job, self.read(job), _tag_in_metadata(job))

    def _get(self, remote_id: str) -> Any:
        return self._retry(lambda: require(self.name, self.client.fine_tuning.jobs.retrieve(remote_id)))

    def _list_jobs(self, **query: Any) -> Iterator[Any]:
        listed = list_all(self.name, partial(self.client.fine_tuning.jobs.list, limit=100, **query))
        return whole_list(self.name, listed, with_id)

    def _short_page(self, after: str) -> ShortPage:
        """What a watcher needs of a page: building the SDK's own objects takes five times as long as the rest."""
        listing = self.client.fine_tuning.jobs.with_raw_response
        answer = self._retry(lambda: listing.list(limit=100, after=after or omit()))
        return read_short_page(self.name, answer.content)

    def _control(self, verb: str, remote_id: str) -> None:
        with translated_errors(self.name):
            require(self.name, getattr(self.client.fine_tuning.jobs, verb)(remote_id, **self.control_options))

    def _retry(self, read: Callable[[], T]) -> T:
        return retry_read(self.name, read)


def _tag_in_metadata(job: Any) -> Any:
    return job.metadata.get(TAG) if isinstance(job.metadata, dict) else None
