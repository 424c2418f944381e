"""OpenAI as a provider."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ftbridge.catalogue import Row, today
from ftbridge.dataset import Converter, TokenCounter, guess, o200k
from ftbridge.dataset.example import Chat
from ftbridge.errors import AuthenticationFailed, JobFailed, NotFound, SpecError
from ftbridge.exporting import exported
from ftbridge.files import write
from ftbridge.hosted import HostedProvider, chat_request, read_reply
from ftbridge.model import Checkpoint, Event, Method, Result, Spec, Status
from ftbridge.provider import APPLIED, Capabilities, Exported, Files, Handling, Listed, RemoteJob, Reply, Tuned
from ftbridge.retry import patiently
from ftbridge.target import parse_target
from ftbridge_providers.openai.client import every, not_understood, omit, open_client, sound, understood
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
)
from ftbridge_providers.openai.tokens import TILED, WithImages

if TYPE_CHECKING:
    from openai import OpenAI

TAG = "ftbridge"
"""The metadata key that carries a job's tag."""
FEW = 3
"""Up to so many jobs are asked for one by one; a page of the listing costs the same as one job."""

_NO_LORA = Handling(
    how="refused",
    note="OpenAI does not say how it adapts the model; epochs and learning_rate_multiplier are what it lets you set.",
)

_DPO, _RFT = frozenset({Method.DPO}), frozenset({Method.RFT})

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO, Method.RFT}),
    hyperparameters={
        "epochs": Handling(how="renamed", to="n_epochs", least=1, most=50),
        "batch_size": Handling(how="applied", least=1, most=256),
        "learning_rate": Handling(
            how="refused",
            note="OpenAI takes learning_rate_multiplier, a factor on a rate that it does not tell.",
        ),
        "learning_rate_multiplier": APPLIED,
        "warmup_ratio": Handling(how="refused", note="OpenAI sets the schedule itself."),
        "weight_decay": Handling(how="refused", note="OpenAI sets the optimizer itself; fewer epochs overfit less."),
        "seed": APPLIED,
        "lora_rank": _NO_LORA,
        "lora_alpha": _NO_LORA,
        "lora_dropout": _NO_LORA,
        "tuning": _NO_LORA,
        "max_seq_length": Handling(how="refused", note="OpenAI cuts examples off at the model's own limit."),
        "beta": Handling(how="applied", methods=_DPO, above=0, most=2),
        "reasoning_effort": Handling(how="applied", methods=_RFT),
        "compute_multiplier": Handling(how="applied", methods=_RFT, above=1e-5, most=10),
        "eval_interval": Handling(how="applied", methods=_RFT, least=1),
        "eval_samples": Handling(how="applied", methods=_RFT, least=1),
    },
    verbs=frozenset({"cancel", "pause", "resume", "checkpoints", "chat", "models", "delete"}),
)
"""Hyperparameters of the create call: OpenAPI document of 2026-08, `CreateFineTuningJobRequest`."""


class OpenAIProvider(HostedProvider):
    """OpenAI's hosted fine-tuning, supervised, by preferences and by reinforcement, through its SDK."""

    name: ClassVar[str] = "openai"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    default_url: ClassVar[str] = "https://api.openai.com/v1"
    key_env: ClassVar[str] = "OPENAI_API_KEY"
    url_env: ClassVar[str] = "OPENAI_BASE_URL"
    statuses: ClassVar[dict[str, Status]] = STATUS
    words: ClassVar[dict[str, str]] = WORDS
    suffix_limit: ClassVar[int] = 64
    listing_lag_seconds: ClassVar[float] = 60.0
    reinforced: ClassVar[tuple[str, ...]] = ("o4-mini",)
    """The families that learn by reinforcement, and in no other way (the guide to it, read 2026-11)."""
    steering: ClassVar[dict[str, Any]] = {}
    """What cancel, pause and resume are called with beside the job's id."""

    @cached_property
    def client(self) -> OpenAI:
        """The SDK's client, made when it is first needed."""
        return open_client(self.endpoint, timeout=self.timeout)

    def close(self) -> None:
        """Close the SDK's connections."""
        if client := self.__dict__.pop("client", None):
            client.close()

    def rules(self, spec: Spec, model: str) -> Converter:
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

    def counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By o200k_base, which OpenAI's models have used since gpt-4o, where its vocabulary is at hand."""
        counter = o200k(vocabulary) or guess()
        return WithImages(counter) if self.base(model).startswith(TILED) else counter

    def base(self, model: str) -> str:
        """A tuned model is named `ft:BASE:…`, and lives no longer than its base."""
        return model.split(":")[1] if model.startswith("ft:") else model

    def live(self, model: str) -> tuple[Row, ...]:
        """When OpenAI shuts the model down, as its model object says."""

        def ask() -> Any:
            with self._understood():
                return sound(self.name, self.client.models.retrieve(model))

        return shutdown_row(self.name, model, patiently(ask), today())

    def tuned(self) -> list[Tuned]:
        """The account's tuned models; each ends with its base at the latest."""

        def ask() -> list[Any]:
            with self._understood():
                return list(self.client.models.list())

        return read_tuned(patiently(ask))

    def upload(self, file: Path, *, key: str) -> str:
        """Send the file under a name that tells its content, unless the vendor has it; a job may use it at once."""
        name = f"ftbridge-{key}.jsonl"

        def send() -> str:
            with self._understood():
                size = file.stat().st_size
                for known in every(self.name, self.client.files.list(purpose="fine-tune", limit=10_000)):
                    if known.filename == name and known.bytes == size:
                        return str(known.id)
                with file.open("rb") as content:
                    answer = self.client.files.create(file=(name, content), purpose="fine-tune")
            return str(sound(self.name, answer).id)

        return patiently(send)

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        """One POST, with the tag in `metadata` and `suffix`."""
        with self._understood():
            answer = self.client.fine_tuning.jobs.create(**self.request(spec, model, files, tag))
        return self.read(answer)

    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """What the SDK's `create` is called with."""
        request: dict[str, Any] = {
            "model": model,
            "training_file": files.training,
            "method": self.method(spec),
            "metadata": {TAG: tag},
            "suffix": self.suffix(spec.name, tag),
        }
        if files.validation:
            request["validation_file"] = files.validation
        if spec.hyperparameters.seed is not None:
            request["seed"] = spec.hyperparameters.seed
        return request

    def method(self, spec: Spec) -> dict[str, Any]:
        """The `method` object; the top-level `hyperparameters` are deprecated and not used."""
        kind = {Method.SFT: "supervised", Method.DPO: "dpo", Method.RFT: "reinforcement"}[spec.method]
        given = spec.hyperparameters.given()
        renamed = {self.capabilities.hyperparameters[name].to or name: value for name, value in given.items()}
        grading = {"grader": spec.grader, "response_format": spec.response_format}
        own = {name: value for name, value in grading.items() if value is not None}
        return {"type": kind, kind: {**own, "hyperparameters": {k: v for k, v in renamed.items() if k != "seed"}}}

    def suffix(self, name: str | None, tag: str) -> str:
        """What the tuned model's id will carry: the user's name, as far as it fits, and the tag."""
        plain = re.sub(r"[^A-Za-z0-9-]+", "-", name or "").strip("-")[: self.suffix_limit - len(tag) - 1]
        return f"{plain}-{tag}" if plain else tag

    def find(self, tag: str) -> list[RemoteJob]:
        """The jobs that carry the tag, oldest first."""
        # a vendor that ignores the filter must not make us adopt somebody else's job
        found = [job for job in self._pages(partial(self._page, query=self.filter_by(tag))) if self.carries(job, tag)]
        return [self.read(job) for job in sorted(found, key=lambda job: job.created_at)]

    def filter_by(self, tag: str) -> dict[str, Any]:
        """What the listing is asked for when a tag is looked for."""
        return {"metadata": {TAG: tag}}

    def carries(self, job: Any, tag: str) -> bool:
        """Whether a listed job was made with this tag."""
        return (job.metadata or {}).get(TAG) == tag

    def jobs(self) -> Iterator[Listed]:
        """By pages of 100, each asked for when it is needed."""
        for job in self._pages(self._page):
            yield self.read_listed(job)

    def read_listed(self, job: Any) -> Listed:
        """A job of the listing, with its tag."""
        return read_listed(job, self.read(job), (job.metadata or {}).get(TAG))

    def poll(self, remote_ids: Sequence[str]) -> Iterator[RemoteJob]:
        """A few jobs one by one; many by pages of 100, newest first, until all are seen."""
        wanted = set(remote_ids)
        if len(wanted) > FEW:
            for job in self._pages(self._short_page):
                if job.id in wanted:
                    wanted.remove(job.id)
                    yield self.read(job)
                if not wanted:
                    return
        for remote_id in sorted(wanted):
            try:
                yield self.read(patiently(partial(self._get, remote_id)))
            except NotFound:
                continue

    def _pages(self, page_after: Callable[[str], Any]) -> Iterator[Any]:
        """Every job that is listed, newest first, each page when it is needed."""
        after = ""
        while True:
            page = patiently(partial(page_after, after))
            yield from page.data
            # a vendor that ignores the cursor would send the same page for ever
            if not page.has_more or not page.data or page.data[-1].id == after:
                return
            after = page.data[-1].id

    def _page(self, after: str, query: Mapping[str, Any] = MappingProxyType({})) -> Any:
        with self._understood():
            # an empty cursor is left out of the query by the SDK's own marker for that
            page = self.client.fine_tuning.jobs.list(limit=100, after=after or omit(), **query)
            return sound(self.name, page, needs="data")

    def _short_page(self, after: str) -> ShortPage:
        """What a watcher needs of a page: to build the SDK's own objects takes five times as long as the rest."""
        with self._understood():
            answer = self.client.fine_tuning.jobs.with_raw_response.list(limit=100, after=after or omit())
            return read_short_page(self.name, answer.content)

    def _get(self, remote_id: str) -> Any:
        with self._understood():
            return sound(self.name, self.client.fine_tuning.jobs.retrieve(remote_id))

    def events(self, remote_id: str, since: str) -> list[Event]:
        """Pages of 100, newest first, back to the event `since`."""

        def ask() -> list[Event]:
            newest: list[Event] = []
            with self._understood():
                for event in every(self.name, self.client.fine_tuning.jobs.list_events(remote_id, limit=100)):
                    if event.id == since:
                        break
                    newest.append(read_event(event))
            return newest[::-1]

        return patiently(ask)

    def check_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Signed with the secret that OPENAI_WEBHOOK_SECRET holds (webhooks guide, 2026; 300 s of tolerance)."""
        from openai import InvalidWebhookSignatureError

        try:
            self.client.webhooks.verify_signature(body, headers)
        except (InvalidWebhookSignatureError, ValueError) as problem:
            raise AuthenticationFailed(
                f"the webhook is not {self.name}'s: {problem}",
                provider=self.name,
                hint="Set OPENAI_WEBHOOK_SECRET to the secret that was shown when the webhook was made.",
            ) from None

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """Those of the last three epochs."""

        def ask() -> list[Checkpoint]:
            with self._understood():
                listed = self.client.fine_tuning.jobs.checkpoints.list(remote_id)
                return [read_checkpoint(found) for found in every(self.name, listed)]

        return sorted(patiently(ask), key=lambda checkpoint: checkpoint.step)

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
        def ask() -> Any:
            with self._understood():
                return sound(self.name, getattr(self.client.fine_tuning.jobs, verb)(remote_id, **self.steering))

        patiently(ask)

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The result files (CSV, a row a step) into `folder`; the weights stay with the vendor."""
        job = self.read(patiently(partial(self._get, remote_id)))
        if job.result is None:
            raise JobFailed(f"job {remote_id} has no result: it is {job.status}", hint="Wait until it has succeeded.")
        contents = {name: patiently(partial(self._content, name)) for name in job.result.files}
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write(folder / f"{name}.csv", content)
        return Result(model=job.result.model, path=folder, files=job.result.files)

    def export(self, remote_id: str, folder: Path) -> Exported:
        """The job object with every field, and the files it was trained on."""
        job = patiently(partial(self._get, remote_id))
        return exported(
            self.read_listed(job),
            job.to_dict(mode="json"),
            lambda file_id: patiently(partial(self._content, file_id)),
            folder,
            known=FIELDS,
            words=self.words,
            within=SETTINGS,
        )

    def _content(self, file_id: str) -> bytes:
        with self._understood():
            answer = self.client.files.content(file_id)
        if "html" in answer.response.headers.get("content-type", ""):
            raise not_understood(self.name)
        return read_result_file(answer.content)

    def chat(self, model: str, chat: Chat, **options: Any) -> Reply:
        """One chat completion; `max_tokens` and `temperature` are passed on."""
        request = chat_request(model, chat, options)

        def ask() -> Any:
            with self._understood():
                return sound(self.name, self.client.chat.completions.create(**request), needs="choices")

        return read_reply(patiently(ask))

    def models(self) -> list[str]:
        """Every model of the account."""

        def ask() -> list[str]:
            with self._understood():
                return [model.id for model in every(self.name, self.client.models.list())]

        return patiently(ask)

    def delete(self, model: str) -> None:
        """Delete a tuned model."""
        with self._understood():
            self.client.models.delete(model)

    def read(self, answer: Any) -> RemoteJob:
        """A job of the vendor's as ftbridge tells it."""
        return read_job(sound(self.name, answer), self.statuses)

    def _understood(self) -> AbstractContextManager[None]:
        return understood(self.name)
