"""OpenAI as a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ftbridge.catalogue import Row, today
from ftbridge.dataset import Converter
from ftbridge.model import Method, Spec
from ftbridge.provider import Artifact, Capabilities, Listed, TunedModel
from ftbridge.provider.settings import HostedSettings, setting
from ftbridge_providers.openai.format import OpenAIFormat
from ftbridge_providers.openai.models import read_tuned, shutdown_row
from ftbridge_providers.openai.reinforcement import HYPERPARAMETERS as RFT_HYPERPARAMETERS
from ftbridge_providers.openai.reinforcement import check_grading
from ftbridge_providers.openai.tasks import read_tasks
from ftbridge_providers.openai.webhook import check_signature
from ftbridge_providers.openai_api.adapter import TAG
from ftbridge_providers.openai_api.client import deleted, require
from ftbridge_providers.openai_api.gpt.adapter import GptProvider
from ftbridge_providers.openai_api.gpt.request import HYPERPARAMETERS

CAPABILITIES = Capabilities(
    methods=frozenset({Method.SFT, Method.DPO, Method.RFT}),
    hyperparameters={**HYPERPARAMETERS, **RFT_HYPERPARAMETERS},
    verbs=frozenset({"cancel", "pause", "resume", "checkpoints", "chat", "list_models", "delete"}),
    continues="model",
    keeps={"job": "openai's API deletes no jobs: it keeps the settings and the events, not the rows"},
)


class OpenAISettings(HostedSettings):
    """`[providers.openai]` of ftbridge.toml."""

    secrets: ClassVar[Mapping[str, str]] = {"api_key": "OPENAI_API_KEY"}
    base_url: str = setting("https://api.openai.com/v1", env="OPENAI_BASE_URL", description="Where the API is.")


class OpenAIProvider(GptProvider):
    """OpenAI's hosted fine-tuning, supervised, by preferences and by reinforcement, through its SDK."""

    name: ClassVar[str] = "openai"
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings_class: ClassVar[type[HostedSettings]] = OpenAISettings

    def converter(self, spec: Spec, model: str) -> Converter:
        """How OpenAI reads an example of `spec`'s data for `model`."""
        return OpenAIFormat(spec.target, model, spec.method, spec.grader)

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for all of OpenAI's models; and reinforcement needs a grader that OpenAI takes, and a validation file."""
        warnings, effective = super().check_spec(spec, allow_ignored=allow_ignored)
        check_grading(effective)
        return warnings, effective

    def base_model(self, model: str) -> str:
        """A tuned model is named `ft:BASE:…`, and ends with its base at the latest."""
        return model.split(":")[1] if model.startswith("ft:") else model

    def live_catalogue(self, model: str) -> tuple[Row, ...]:
        """The day on which OpenAI shuts the model down, by its model object."""
        answer = self._retry(lambda: require(self.name, self.client.models.retrieve(model)))
        return shutdown_row(model, answer, today())

    def list_tuned_models(self) -> list[TunedModel]:
        """The account's tuned models."""
        return read_tuned(self._retry(lambda: list(self.client.models.list())))

    def filter_by(self, tag: str) -> dict[str, Any]:
        """The listing filters by metadata."""
        return {"metadata": {TAG: tag}}

    def check_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Signed with the secret that OPENAI_WEBHOOK_SECRET holds (webhooks guide, 2026; 300 s of tolerance)."""
        check_signature(self.client, headers, body)

    def training_content(self, listed: Listed, file_id: str) -> bytes:
        """A file of a job; rows of reinforcement are read back as tasks."""
        content = super().training_content(listed, file_id)
        return read_tasks(content) if listed.method is Method.RFT else content

    def delete(self, artifact: Artifact) -> None:
        """Delete a file, or a tuned model; checkpoints are models, too."""
        if artifact.kind not in ("model", "checkpoint"):
            return super().delete(artifact)
        return self._retry(lambda: deleted(self.name, self.client.models.delete(artifact.name)))
