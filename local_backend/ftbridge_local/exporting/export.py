"""A finished job's result in the forms that other programs take.

    adapter     as it is, for peft, transformers and vLLM
    merged      base and adapter in one: a folder like any model's
    gguf        that as one file, for llama.cpp and its kin: by llama.cpp's own converter where it is, and else by ours
    ollama      that file, or the merged folder where it cannot be written, with a Modelfile: `ollama create NAME`

Each comes with a model card.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from ftbridge.errors import MissingExtra, ProviderError, SpecError
from ftbridge.provider.capabilities import ExportForm
from ftbridge_local import models as source
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models import Source
from ftbridge_local.trainer.tokenizer import TemplateError, Tokenizer

_CONVERTER = "convert_hf_to_gguf.py"
_GGUF = "model.gguf"
_MOST_CONTEXT = 8192  # tokens: Ollama takes the memory for all of them at once
_TOLD = ("ftbridge", "torch", "transformers", "peft")


def export(job: JobFolder, form: ExportForm, folder: Path) -> None:
    """Write the result of `job` as `form` into the empty `folder`.

    Raises `SpecError` for a form that there is not, or that the model does not go into, and `MissingExtra` where a
    program for it is missing.
    """
    if form not in get_args(ExportForm):
        raise SpecError(f"there is no form {form}", hint=f"There are: {', '.join(get_args(ExportForm))}.")
    place = source.find(str(job.result), job.order().home, weights=True)
    if form == "adapter":
        if place.adapter is None:
            raise SpecError("the job trained all weights, so that there is no adapter", hint="Use --format merged.")
        shutil.copytree(job.result, folder, dirs_exist_ok=True)
    elif form == "merged":
        _merged(place, folder)
    elif form == "gguf":
        _gguf(place, folder / _GGUF, _name(job))
    else:
        try:
            _gguf(place, folder / _GGUF, _name(job))
        except (MissingExtra, SpecError):  # Ollama converts some families by itself
            _merged(place, folder)
        weights = f"./{_GGUF}" if (folder / _GGUF).exists() else "."
        (folder / "Modelfile").write_text(modelfile(Tokenizer(place.base), weights), "utf-8")
    (folder / "README.md").write_text(card(job, form, place, folder), "utf-8")


def modelfile(tokenizer: Tokenizer, weights: str) -> str:
    """Ollama's Modelfile for `weights` beside it, with the model's own template for each exchange.

    By Ollama's "Modelfile Reference", https://docs.ollama.com/modelfile, 2026-11, which wants a Go template: the one
    in a GGUF file is Jinja. Raises `SpecError` for a template that shows the parts of a chat otherwise than one
    after another.
    """
    system, prompt = ({"role": role, "content": f"\u2402{role}\u2403"} for role in ("system", "user"))
    plain = _around(tokenizer, [prompt])
    try:
        told = _around(tokenizer, [system, prompt])
    except (TemplateError, SpecError):  # a model that knows no system message
        told = None
    template = "{{ .Prompt }}".join(plain)
    if told:
        with_system = f"{told[0]}{{{{ .System }}}}{told[1]}{{{{ .Prompt }}}}{told[2]}"
        template = f"{{{{ if .System }}}}{with_system}{{{{ else }}}}{template}{{{{ end }}}}"
    ends = [tokenizer.text_of(token) for token in tokenizer.end_ids]
    stops = "".join(f"PARAMETER stop {json.dumps(end, ensure_ascii=False)}\n" for end in ends)
    context = min(tokenizer.context, _MOST_CONTEXT)
    return (
        f'FROM {weights}\nTEMPLATE """{template}{{{{ .Response }}}}{ends[0]}"""\n{stops}PARAMETER num_ctx {context}\n'
    )


def card(job: JobFolder, form: str, place: Source, folder: Path) -> str:
    """The card of what lies in `folder`: from what, by what and how it came to be, in Markdown with the hub's metadata.

    The losses are those on the way to the step that the result is of.
    """
    order, kept = job.order(), job.kept()
    metrics = [event for event in job.events() if event.kind == "metric"]
    last = metrics[-1].step if metrics else None
    step = last if kept.step is None else kept.step
    before = [event for event in metrics if step is None or (event.step or 0) <= step]
    made: dict[str, Any] = {
        "form": form,
        "base": order.model,
        "method": order.spec.method.value,
        "training data, SHA-256": _sha256(order.training),
        "validation data, SHA-256": _sha256(order.validation) if order.validation else None,
        "steps": f"{step}, where the validation loss was lowest; {last} were done" if step != last else last,
        "tokens read": before[-1].tokens if before else None,
        f"training loss, first and at step {step}": _ends([event.train_loss for event in before]),
        f"validation loss, first and at step {step}": _ends([event.valid_loss for event in before]),
        **order.spec.hyperparameters.given(),
        **{name: version(name) for name in _TOLD},
    }
    chosen = next((event.message for event in job.events() if (event.message or "").startswith("chosen")), None)
    rows = "".join(f"| {name} | {value} |\n" for name, value in made.items() if value is not None)
    head = {"tags": ["ftbridge", order.spec.method.value], **_for_the_hub(place, order.model, folder)}
    return f"---\n{json.dumps(head)}\n---\n\n# {_name(job)}\n\n| | |\n|---|---|\n{rows}" + (
        f"\n{chosen}\n" if chosen else ""
    )


def _for_the_hub(place: Source, model: str, folder: Path) -> dict[str, str]:
    """Which library reads what lies in `folder`, and what `model` it is made from, if the hub has that."""
    adapter = (folder / source.ADAPTER).exists()
    library = {} if (folder / _GGUF).exists() else {"library_name": "peft" if adapter else "transformers"}
    base = place.name if place.adapter else model
    if "/" not in base or Path(base).is_absolute():
        return library
    return {**library, "base_model": base, "base_model_relation": "adapter" if adapter else "finetune"}


def _merged(place: Source, folder: Path) -> None:
    """In float32, where small differences survive, and then in the numbers that the base is kept in."""
    if place.adapter is None:
        shutil.copytree(place.base, folder, dirs_exist_ok=True)
        return
    import torch

    from ftbridge_local.trainer import model as models

    model = models.load(place).merge_and_unload(safe_merge=True)
    config = json.loads((place.base / "config.json").read_bytes())
    kept = config.get("dtype") or config.get("torch_dtype") or "float32"
    models.save(model.to(getattr(torch, kept)), folder)
    source.copy_beside(place.base, folder)


def _gguf(place: Source, file: Path, name: str) -> None:
    beside = Path(os.environ.get("LLAMA_CPP", "")) / _CONVERTER
    converter = str(beside) if beside.is_file() else shutil.which(_CONVERTER)
    if converter is None and find_spec("gguf") is None:
        raise MissingExtra(
            f"gguf needs the package gguf, or llama.cpp's {_CONVERTER}",
            hint="Run `pip install 'ftbridge[gguf]'`, or set LLAMA_CPP to llama.cpp's folder, or export as merged.",
        )
    if converter is None:
        from ftbridge_local.exporting import gguf_file

        gguf_file.check(place.base)  # before the work of merging
    with tempfile.TemporaryDirectory(dir=file.parent.parent) as merged:
        _merged(place, Path(merged))
        if converter is None:
            gguf_file.write(Path(merged), file, name)
        else:
            _convert(converter, merged, file)


def _convert(converter: str, merged: str, file: Path) -> None:
    command = [sys.executable, converter, merged, "--outfile", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise ProviderError(
            f"llama.cpp's converter failed: {last}", provider="local", hint="It may not know this kind of model."
        )


def _around(tokenizer: Tokenizer, messages: list[dict[str, Any]]) -> list[str]:
    """What stands before, between and after the contents; without what opens the text, which Ollama adds itself."""
    text = tokenizer.render(messages, answer_next=True).removeprefix(tokenizer.bos)
    parts = []
    for message in messages:
        before, found, text = text.partition(message["content"])
        if not found:
            raise SpecError("the model's chat template cannot be written for Ollama", hint="Export it as merged.")
        parts.append(before)
    return [*parts, text]


def _name(job: JobFolder) -> str:
    return job.order().spec.name or job.path.name


def _ends(losses: Iterable[float | None]) -> str | None:
    known = [loss for loss in losses if loss is not None]
    return f"{known[0]:.4f}, {known[-1]:.4f}" if known else None


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else "not kept"
