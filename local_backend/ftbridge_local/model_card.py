"""The model card of a job's result: base, data, settings, losses and versions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ftbridge_local.job_documents import ResultInfo
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models.source import ADAPTER_CONFIG, Source

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
    return f"---\n{json.dumps(metadata)}\n---\n\n# {job_name(job)}\n\n| | |\n|---|---|\n{rows}{note}"


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
