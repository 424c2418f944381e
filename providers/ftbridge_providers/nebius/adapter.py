"""Nebius Token Factory as a provider: OpenAI's API over open models, whose weights it gives away.

Sources: docs.tokenfactory.nebius.com, post-training/how-to-fine-tune and api-reference/{fine-tuning,models}
(OpenAPI document 20260506). They do not say whether the listing has pages, nor
whether an adapter is served on the `-fast` or the plain name of its base.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.dataset import Converter
from ftbridge.errors import JobFailed, NotFound, SpecError
from ftbridge.foreign.values import number_of, texts_of
from ftbridge.model import Checkpoint, Event, Method, Result, Spec, Status
from ftbridge.provider import (
    APPLIED,
    Artifact,
    Capabilities,
    Deployment,
    Files,
    Handling,
    HostingTerms,
    Listed,
    RemoteJob,
)
from ftbridge.provider.hosted import make_suffix, merge_events, read_hyperparameters
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge.provider.unreadable import readable
from ftbridge_providers.nebius.download import download
from ftbridge_providers.nebius.format import NebiusFormat
from ftbridge_providers.nebius.reading import HYPERPARAMETER_NAMES, read_checkpoint, read_metric
from ftbridge_providers.nebius.serving import Serving
from ftbridge_providers.openai_api.adapter import OpenAIApiProvider
from ftbridge_providers.openai_api.client import with_id
from ftbridge_providers.openai_api.request import create_request

_NO_RFT = Handling(how="refused", note="Nebius offers supervised fine-tuning only.")

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
        "beta": Handling(how="refused", note="Nebius offers supervised fine-tuning only."),
        "reasoning_effort": _NO_RFT,
        "compute_multiplier": _NO_RFT,
        "eval_interval": Handling(how="refused", note="Nebius chooses itself when it evaluates."),
        "eval_samples": _NO_RFT,
    },
    verbs=frozenset({"cancel", "checkpoints", "deploy", "chat", "list_models", "delete"}),
    keeps={"job": "nebius' API deletes no jobs: it keeps the settings and the events, not the rows"},
)
"""Hyperparameters of the create call: `SupervisedHParameters`."""


class NebiusSettings(HostedSettings):
    """`[providers.nebius]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "NEBIUS_API_KEY"}
    base_url: str = setting(
        "https://api.tokenfactory.nebius.com/v1", env="NEBIUS_BASE_URL", description="Where the API is."
    )


class NebiusProvider(OpenAIApiProvider):
    """Nebius Token Factory, supervised, LoRA or full, through OpenAI's SDK.

    A job's result is its weights. Adapters of some bases can also be deployed and called: the model of a
    finished job is the job's id, or `ftjob-…:ftckpt_…` for one of its checkpoints.
    """

    name: ClassVar[str] = "nebius"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = NebiusSettings
    hyperparameter_names: ClassVar[dict[str, str]] = HYPERPARAMETER_NAMES

    def converter(self, spec: Spec, model: str) -> Converter:
        """How Nebius reads an example of `spec`'s data; its rules are the same for every model."""
        return NebiusFormat(spec.target)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider; and LoRA's settings are refused where all weights are trained."""
        warnings, effective = super().check_spec(spec, allow_ignored=allow_ignored)
        given = effective.hyperparameters.given()
        lora_settings = [name for name in ("lora_rank", "lora_alpha", "lora_dropout") if name in given]
        if given.get("tuning") == "full" and lora_settings:
            raise SpecError(
                f"{lora_settings[0]} is a setting of LoRA, and this job trains all weights",
                hint=f"Leave {lora_settings[0]} out, or use --tuning lora.",
            )
        return warnings, effective

    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """The arguments of the SDK's `create`, with the tag in the suffix: Nebius has no metadata.

        It takes hyperparameters at the top level or in `method`, not in both.
        """
        suffix = make_suffix(spec.name, tag, self.suffix_limit)
        return {**create_request(spec, model, files, suffix=suffix), "hyperparameters": self.hyperparameters(spec)}

    def hyperparameters(self, spec: Spec) -> dict[str, Any]:
        """Those of `spec` under Nebius' names. `lora` is always sent: without it all weights are trained."""
        given = spec.hyperparameters.given()
        lora = given.pop("tuning", "lora") == "lora"
        given.pop("seed", None)
        if "lora_alpha" in given and float(given["lora_alpha"]).is_integer():
            given["lora_alpha"] = int(given["lora_alpha"])
        return {"lora": lora, **{HYPERPARAMETER_NAMES.get(name, name): value for name, value in given.items()}}

    def read(self, answer: Any) -> RemoteJob:
        """A job object; Nebius names no model, so the job's own id is used for it."""
        remote = super().read(answer)
        if remote.status is not Status.SUCCEEDED:
            return remote
        return remote.model_copy(update={"result": Result(model=remote.remote_id, files=answer.result_files or ())})

    def read_listed(self, job: Any) -> Listed:
        """A job of the listing, with Nebius' hyperparameters."""
        values = job.hyperparameters.model_dump() if job.hyperparameters else {}
        values |= {"tuning": "lora" if values.get("lora") else "full", "seed": job.seed}
        hyperparameters = read_hyperparameters(values, HYPERPARAMETER_NAMES)
        return super().read_listed(job).model_copy(update={"hyperparameters": hyperparameters})

    def events(self, remote_id: str, since: str) -> list[Event]:
        """The job's messages, and the metrics of its checkpoints, by time."""
        messages = sorted(super().events(remote_id, ""), key=lambda event: event.at)
        metrics = list(readable(self._sorted_checkpoints(remote_id), read_metric))
        return merge_events(messages, metrics, since)

    def checkpoints(self, remote_id: str) -> list[Checkpoint]:
        """All that were saved; each can be deployed."""
        return list(readable(self._sorted_checkpoints(remote_id), partial(read_checkpoint, remote_id)))

    def _sorted_checkpoints(self, remote_id: str) -> list[Any]:
        """The vendor's own objects, oldest first."""
        return sorted(
            readable(self.list_checkpoints(remote_id), with_id),
            key=lambda one: (number_of(one.created_at) or 0, number_of(one.step_number) or 0),
        )

    def artifacts(self, remote_id: str) -> list[Artifact]:
        """The uploaded files, and the files of each checkpoint: the model is the last one."""
        saved = self._sorted_checkpoints(remote_id)
        weights = [name for checkpoint in saved for name in texts_of(checkpoint.result_files)]
        found = [one for one in super().artifacts(remote_id) if one.name not in weights]
        last = f"{remote_id}:{saved[-1].id}" if saved else None
        return [one.model_copy(update={"part_of": last}) if one.kind == "model" else one for one in found]

    def delete(self, artifact: Artifact) -> None:
        """Delete an uploaded file, or the files of a checkpoint. Raises `NotFound` where none of them is left."""
        if artifact.kind != "checkpoint":
            return super().delete(artifact)
        job_id, _, checkpoint = artifact.name.partition(":")
        names = [
            name for one in self.list_checkpoints(job_id) if one.id == checkpoint for name in texts_of(one.result_files)
        ]
        gone = 0
        for name in names:
            try:
                super().delete(Artifact(kind="file", name=name))
            except NotFound:
                gone += 1
        if gone == len(names):
            raise NotFound(f"nebius has no file of {artifact.name}", provider=self.name, hint="It is deleted already.")
        return None

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The files of the last checkpoint in `folder`: an adapter, or all weights."""
        job = self.read(self._get(remote_id))
        saved = self._sorted_checkpoints(remote_id)
        if job.result is None or not saved:
            raise JobFailed(
                f"job {remote_id} has no weights: it is {job.raw_status}", hint="Wait until it has succeeded."
            )
        files = texts_of(saved[-1].result_files)
        download(self.client, files, folder)
        return Result(model=job.result.model, path=folder, files=files)

    def hosting_terms(self, tier: str | None = None) -> HostingTerms:
        """A deployed adapter is billed by the token, at the base's price, and not by the hour."""
        return HostingTerms(hourly_usd=0.0, billed_by="token")

    def deployments(self) -> list[Deployment]:
        """The custom models that were created from the account's jobs."""
        return self._serving.listed()

    def deploy(self, model: str, *, tier: str | None = None) -> Deployment:
        """Deploy the adapter of a finished job; `tier` is the base's flavour, such as "fast"."""
        job_id, _, checkpoint = model.partition(":")
        job = self._get(job_id)
        checkpoint = checkpoint or self._sorted_checkpoints(job_id)[-1].id
        base = f"{job.model}-{tier}" if tier else job.model
        name = self._serving.deploy(job_id, checkpoint, base=base, name=getattr(job, "suffix", None) or job_id)
        return Deployment(name=name, model=model, hourly_usd=0.0, tier=tier)

    def undeploy(self, model: str) -> None:
        """Stop serving the adapter; the job keeps it."""
        job_id = model.partition(":")[0]
        self._served_names.pop(job_id, None)
        self._serving.undeploy(job_id)

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One chat completion, by a base or a deployed adapter."""
        try:
            return super().complete(self._served_name(model), body)
        except NotFound:
            self._served_names.clear()  # it may be served under another name by now
            raise

    def stream(self, model: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks as they arrive, from the same."""
        return super().stream(self._served_name(model), body)

    def _served_name(self, model: str) -> str:
        """The name by which a model is called: a base's own, or that of the deployment of a job's."""
        if not model.startswith("ftjob-"):
            return model
        job_id = model.partition(":")[0]
        if job_id not in self._served_names:  # it is looked up once, however many questions there are
            self._served_names[job_id] = self._serving.name_of(job_id)
        return self._served_names[job_id]

    @cached_property
    def _served_names(self) -> dict[str, str]:
        return {}

    @property
    def _serving(self) -> Serving:
        return Serving(self.client)
