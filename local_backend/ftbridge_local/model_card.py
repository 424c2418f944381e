"""The model card of a job's result: base, data, settings, losses and versions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ftbridge_local.job_documents import ResultInfo
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.model_files import read_object
from ftbridge_local.models.source import ADAPTER_CONFIG, Source

_VLLM_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # vLLM's choices of --max-lora-rank, docs.vllm.ai, 2026-11
_PACKAGES = ("ftbridge", "torch", "transformers", "peft")


def model_card(job: JobFolder, result: ResultInfo, form: str, source: Source, folder: Path) -> str:
    """The card of the files in `folder`, in Markdown with the hub's metadata.

    The losses are those up to the step that the result is of.
    """
    spec = job.spec()
    metrics = [event for event in job.events() if event.kind == "metric"]
    last = metrics[-1].step if metrics else None
    step = last if result.step is None else result.step
    until = [event for event in metrics if step is None or (event.step or 0) <= step]
    facts: dict[str, Any] = {
        "form": form,
        "base": spec.model,
        "method": spec.method.value,
        "teacher": spec.teacher and spec.teacher + (", with an adapter" if spec.teacher_adapter else ""),
        "training data, SHA-256": spec.sha256.get(spec.training),
        "validation data, SHA-256": spec.sha256.get(spec.validation or ""),
        "steps": f"{step}, where the validation loss was lowest; {last} were done" if step != last else last,
        "tokens read": until[-1].tokens if until else None,
        f"training loss, first and at step {step}": _first_and_last([event.train_loss for event in until]),
        f"validation loss, first and at step {step}": _first_and_last([event.valid_loss for event in until]),
        **spec.hyperparameters.given(),
        **{name: version(name) for name in _PACKAGES},
    }
    rows = "".join(f"| {name} | {value} |\n" for name, value in facts.items() if value is not None)
    metadata = {"tags": ["ftbridge", spec.method.value], **_hub_metadata(source, spec.model, folder)}
    note = f"\n{result.settings_note}\n" if result.settings_note else ""
    table = f"| | |\n|---|---|\n{rows}"
    return f"---\n{json.dumps(metadata)}\n---\n\n# {job_name(job)}\n\n{table}{note}{_serving(source, folder)}"


def _serving(source: Source, folder: Path) -> str:
    """How vLLM and SGLang serve an adapter, whose rank must not be above what they allow: 16 without being told."""
    config = read_object(folder / ADAPTER_CONFIG)
    if not config:
        return ""
    if config.get("target_parameters") or config.get("modules_to_save"):
        return "\nvLLM and SGLang do not serve adapters of experts or of whole modules: export this one as merged.\n"
    rank = max([int(config["r"]), *config.get("rank_pattern", {}).values()])
    allowed = next((size for size in _VLLM_RANKS if size >= rank), rank)
    vllm = f"vllm serve {source.name} --enable-lora --max-lora-rank {allowed} --lora-modules NAME=FOLDER"
    sglang = (
        f"python -m sglang.launch_server --model-path {source.name} --max-lora-rank {rank} --lora-paths NAME=FOLDER"
    )
    return f"\n```sh\n{vllm} --chat-template FOLDER/chat_template.jinja\n{sglang}\n```\n"


def job_name(job: JobFolder) -> str:
    """The job's name, or else its tag."""
    return job.spec().name or job.path.name


def _hub_metadata(source: Source, model: str, folder: Path) -> dict[str, str]:
    """Which library reads the files in `folder`, and the base that they are made from, if the hub has it."""
    adapter = (folder / ADAPTER_CONFIG).exists()
    library = {} if any(folder.glob("*.gguf")) else {"library_name": "peft" if adapter else "transformers"}
    base = source.name if source.adapter else model
    if "/" not in base or Path(base).is_absolute():
        return library
    return {**library, "base_model": base, "base_model_relation": "adapter" if adapter else "finetune"}


def _first_and_last(losses: Iterable[float | None]) -> str | None:
    known = [loss for loss in losses if loss is not None]
    return f"{known[0]:.4f}, {known[-1]:.4f}" if known else None
