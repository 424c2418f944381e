"""The base of the adapters for services that train OpenAI's own models: OpenAI and Azure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftbridge.dataset import TokenCounter, guess, o200k
from ftbridge.errors import JobFailed, SpecError
from ftbridge.files import write
from ftbridge.foreign.names import plain_name
from ftbridge.model import Method, Result, Spec
from ftbridge.provider import Files
from ftbridge.provider.hosted import make_suffix
from ftbridge.target import parse_target
from ftbridge_providers.openai_api.adapter import TAG, OpenAIApiProvider
from ftbridge_providers.openai_api.gpt.request import method_body
from ftbridge_providers.openai_api.gpt.results import read_result_file
from ftbridge_providers.openai_api.gpt.tokens import OpenAICounter
from ftbridge_providers.openai_api.request import create_request

ONLY_BY_RFT = ("o4-mini",)
"""The model families that learn by reinforcement and in no other way (OpenAI's guide to it, read 2026-11)."""


class GptProvider(OpenAIApiProvider):
    """What OpenAI and Azure have in common beyond the protocol: `method`, metadata, pause, CSV results, o200k_base."""

    def check_spec(self, spec: Spec, *, allow_ignored: bool = False) -> tuple[list[str], Spec]:
        """As for every provider; and some models learn by reinforcement only."""
        warnings, effective = super().check_spec(spec, allow_ignored=allow_ignored)
        model = parse_target(spec.target).model
        if model.removeprefix("ft:").startswith(ONLY_BY_RFT) != (spec.method is Method.RFT):
            raise SpecError(
                f"{self.name} does not train {model} by {spec.method}",
                hint=f"{' and '.join(ONLY_BY_RFT)} can be trained by rft only; no other model can.",
            )
        return warnings, effective

    def token_counter(self, model: str, vocabulary: Path | None = None) -> TokenCounter:
        """By o200k_base, which OpenAI's models have used since gpt-4o, where its vocabulary is at hand."""
        return OpenAICounter(o200k(vocabulary) or guess(), self.base_model(model))

    def request(self, spec: Spec, model: str, files: Files, tag: str) -> dict[str, Any]:
        """The arguments of the SDK's `create`, with the tag in `metadata` and `suffix`."""
        suffix = make_suffix(spec.name, tag, self.suffix_limit)
        request = create_request(spec, model, files, suffix=suffix)
        return {**request, "method": method_body(spec), "metadata": {TAG: tag}}

    def find_job_of_model(self, name: str) -> str:
        """A checkpoint is named after the whole model (`…:ckpt-step-N`)."""
        return super().find_job_of_model(name.partition(":ckpt-step-")[0])

    def pause(self, remote_id: str) -> None:
        """Stop the job for now."""
        self._control("pause", remote_id)

    def resume(self, remote_id: str) -> None:
        """Let a paused job go on."""
        self._control("resume", remote_id)

    def fetch(self, remote_id: str, folder: Path) -> Result:
        """The result files (CSV, a row for each step) into `folder`; the weights stay with the vendor."""
        job = self.read(self._get(remote_id))
        if job.result is None:
            raise JobFailed(f"job {remote_id} has no result: it is {job.status}", hint="Wait until it has succeeded.")
        contents = {name: read_result_file(self.content(name)) for name in job.result.files}
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write(folder / f"{plain_name(name)}.csv", content)
        return Result(model=job.result.model, path=folder, files=job.result.files)
