"""Nebius Token Factory as a provider: OpenAI's adapter, and what is different at Nebius.

Sources: docs.tokenfactory.nebius.com, post-training/how-to-fine-tune and api-reference/{fine-tuning,models}
(OpenAPI document 20260506). They leave open whether the listing has pages, and which of the
`-fast` and plain names of a base an adapter is served on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.dataset import Converter, TokenCounter, guess, tokenizer_json
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import JobFailed, SpecError
from ftbridge.model import Checkpoint, Event, Method, Result, Spec, Status
from ftbridge.provider import (
    APPLIED,
    Capabilities,
    Deployment,
    Files,
    Handling,
    HostingTerms,
    Listed,
    RemoteJob,
    Reply,
    TunedModel,
)
from ftbridge.provider.hosted import make_suffix, merge_events, read_hyperparameters, read_suffix
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge_providers.nebius.download import download
from ftbridge_providers.nebius.format import NebiusFormat
from ftbridge_providers.nebius.reading import WORDS, read_checkpoint, read_metric
from ftbridge_providers.nebius.serving import Serving
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.request import create_request

_NO_RFT = Handling(how="refused", note="Nebius trains on answers; it has no reinforcement.")

CAPABILITIES = Capabilities(
    gives_weights=True,
    methods=frozenset({Method.SFT}),
    hyperparameters={
        "epochs": Handling(how="renamed", to="n_epochs"),
        "batch_size": APPLIED,
        "learning_rate": APPLIED,
        "learning_rate_multiplier": Handling(how="refused", note="Nebius takes an absolute learning_rate."),
        "warmup_ratio": APPLIED,
        "weight_decay": APPLIED,
        "seed": APPLIED,
        "lora_rank": Handling(how="renamed", to="lora_r"),
        "lora_alpha": APPLIED,
        "lora_dropout": APPLIED,
        "tuning": Handling(how="renamed", to="lora"),
        "max_seq_length": Handling(how="renamed", to="context_length"),
        "beta": Handling(how="refused", note="Nebius trains on answers, not on preferences."),
        "reasoning_effort": _NO_RFT,
        "compute_multiplier": _NO_RFT,
        "eval_interval": _NO_RFT,
        "eval_samples": _NO_RFT,
    },
    verbs=frozenset({"cancel", "checkpoints", "deploy", "chat", "list_models"}),
)
"""Hyperparameters of the create call: `SupervisedHParameters`."""


class NebiusSettings(HostedSettings):
    """`[providers.nebius]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "NEBIUS_API_KEY"}
    base_url: str = setting(
        "https://api.tokenfactory.nebius.com/v1", env="NEBIUS_BASE_URL", description="Where the API is."
    )


class NebiusProvider(OpenAIProvider):
    """Nebius Token Factory, supervised, LoRA or all weights, through OpenAI's SDK.

    A job's result is its weights. Adapters of some bases can be served as well, once they are deployed:
    the model of a finished job is the job's id, or `ftjob-…:ftckpt_…` for one of its checkpoints.
    """

    name: ClassVar[str] = "nebius"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = NebiusSettings
    words: ClassVar[dict[str, str]] = WORDS

    def converter(self, spec: Spec, model: str) -> Converter:
        """How Nebius reads an example of `spec`'s data; its rules are the same for every model."""
        return NebiusFormat(spec.target)

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By the tokenizer.json of the open model, where that is given."""
        return tokenizer_json(vocabulary) if vocabulary else guess()

    def live_catalogue(self, model: str) -> tuple[Any, ...]:
        """Nothing: Nebius' model objects tell no dates."""
        return ()

    def list_tuned_models(self) -> list[TunedModel]:
        """Nothing: what was tuned is in the jobs, and served only where it was deployed."""
        return []

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider; settings of an adapter are for jobs that train one."""
        said, kept = super().check_spec(spec, allow_ignored=allow_ignored)
        given = kept.hyperparameters.given()
        of_adapter = [name for name in ("lora_rank", "lora_alpha", "lora_dropout") if name in given]
        if given.get("tuning") == "full" and of_adapter:
            raise SpecError(
                f"{of_adapter[0]} is a setting of an adapter, and all weights are to be trained",
                hint=f"Leave {of_adapter[0]} out, or use --tuning lora.",
            )
        return said, kept

    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """Hyperparameters at the top, or in `method`, but not both; the tag in the suffix, for want of metadata."""
        suffix = make_suffix(spec.name, tag, self.suffix_limit)
        return {**create_request(spec, model, files, suffix=suffix), "hyperparameters": self.job_settings(spec)}

    def job_settings(self, spec: Spec) -> dict[str, Any]:
        """The hyperparameters in Nebius' words. `lora` is always said: unsaid, all weights are trained."""
        given = spec.hyperparameters.given()
        lora = given.pop("tuning", "lora") == "lora"
        given.pop("seed", None)
        if "lora_alpha" in given and float(given["lora_alpha"]).is_integer():
            given["lora_alpha"] = int(given["lora_alpha"])
        return {"lora": lora, **{WORDS.get(name, name): value for name, value in given.items()}}

    def filter_by(self, tag: str) -> dict[str, Any]:
        """Nothing: the listing has no filter."""
        return {}

    def read(self, answer: Any) -> RemoteJob:
        """A job as ftbridge tells it; Nebius names no model, so a finished job's own id stands for it."""
        remote = super().read(answer)
        if remote.status is not Status.SUCCEEDED:
            return remote
        return remote.model_copy(
            update={"result": Result(model=remote.remote_id, files=tuple(answer.result_files or ()))}
        )

    def read_listed(self, job: Any) -> Listed:
        """A job of the listing, in Nebius' words."""
        name, tag = _suffix(job)
        told = job.hyperparameters.model_dump() if job.hyperparameters else {}
        tuning = {"tuning": "lora" if told.get("lora") else "full", "seed": job.seed}
        known = read_hyperparameters({**told, **tuning}, WORDS)
        return super().read_listed(job).model_copy(update={"name": name, "tag": tag, "hyperparameters": known})

    def events(self, remote_id: str, since: str) -> list[Event]:
        """The job's messages, and the metrics of its checkpoints, by time."""
        messages = sorted(super().events(remote_id, ""), key=lambda event: event.at)
        return merge_events(messages, [read_metric(found) for found in self._checkpoints(remote_id)], since)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """All that were saved; each can be deployed."""
        return [read_checkpoint(remote_id, found) for found in self._checkpoints(remote_id)]

    def _checkpoints(self, remote_id: str) -> list[Any]:
        """The vendor's own objects, oldest first."""
        found = self.listed_checkpoints(remote_id)
        return sorted(found, key=lambda checkpoint: (checkpoint.created_at, checkpoint.step_number))

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The files of the last checkpoint, as one folder: an adapter, or all weights."""
        job = self.read(self._get(remote_id))
        saved = self._checkpoints(remote_id)
        if job.result is None or not saved:
            raise JobFailed(
                f"job {remote_id} has no weights: it is {job.raw_status}", hint="Wait until it has succeeded."
            )
        download(self.client, saved[-1].result_files, folder)
        return Result(model=job.result.model, path=folder, files=tuple(saved[-1].result_files))

    def pause(self, remote_id: str) -> None:
        """Not at Nebius."""
        self._unsupported("pause")

    def resume(self, remote_id: str) -> None:
        """Not at Nebius."""
        self._unsupported("resume")

    def hosting_terms(self, tier: str | None = None) -> HostingTerms:
        """A deployed adapter is billed by the token, at the base's price, and by no hours."""
        return HostingTerms(hourly_usd=0.0, billed_by="token")

    def deployments(self) -> list[Deployment]:
        """The custom models that were made of jobs of the account."""
        return self._serving.listed()

    def deploy(self, model: str, *, tier: str | None = None) -> Deployment:
        """Have the adapter of a finished job served; `tier` is the base's flavour, such as "fast"."""
        job_id, _, checkpoint = model.partition(":")
        job = self._get(job_id)
        checkpoint = checkpoint or self._checkpoints(job_id)[-1].id
        base = f"{job.model}-{tier}" if tier else job.model
        name = self._serving.deploy(job_id, checkpoint, base=base, name=getattr(job, "suffix", None) or job_id)
        return Deployment(name=name, model=model, hourly_usd=0.0, tier=tier)

    def undeploy(self, model: str) -> None:
        """Stop serving the adapter; the job keeps it."""
        self._serving.undeploy(model.partition(":")[0])

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion, by a base or a deployed adapter."""
        return super().complete(self._served(model), body)

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks as they arrive, by the same."""
        return super().stream(self._served(model), body)

    def replies(self, model: str, chats: Iterable[Chat], **options: Any) -> Iterator[Reply]:
        """The answers to many chats; what the model is called by is asked once."""
        return super().replies(self._served(model), chats, **options)

    def _served(self, model: str) -> str:
        """What a model is called by: a base by its name, that of a job by the name under which it is served."""
        return self._serving.name_of(model.partition(":")[0]) if model.startswith("ftjob-") else model

    def delete(self, model: str) -> None:
        """Not at Nebius, where a model is no more than a job's files."""
        self._unsupported("delete")

    @property
    def _serving(self) -> Serving:
        return Serving(self.client)


def _suffix(job: Any) -> tuple[str | None, str | None]:
    """Name and tag in the suffix, which the SDK's own type does not have."""
    return read_suffix(getattr(job, "suffix", None))
