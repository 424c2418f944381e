"""A finished job's result in the forms that other programs take.

    adapter     as it is, for peft, transformers and vLLM
    merged      base and adapter in one: a folder like any model's
    gguf        that as one file, for llama.cpp and its kin: by llama.cpp's own converter where it is, and else by ours
    ollama      that file, or the merged folder where it cannot be written, with a Modelfile: `ollama create NAME`

Each comes with a model card.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from ftbridge.child_environment import child_environment
from ftbridge.errors import MissingExtra, ProviderError, SpecError
from ftbridge.provider.capabilities import ExportForm
from ftbridge_local.exporting.modelfile import modelfile
from ftbridge_local.job_documents import ResultInfo
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.model_card import job_name, model_card
from ftbridge_local.models.find import find
from ftbridge_local.models.source import Source, copy_companions
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_CONVERTER = "convert_hf_to_gguf.py"
_GGUF = "model.gguf"


def export(job: JobFolder, home: Path, form: ExportForm, folder: Path) -> None:
    """Write the result of `job` as `form` into the empty `folder`.

    Raises `SpecError` for an unknown form, or one that cannot hold the model, and `MissingExtra` where a program that
    it needs is missing.
    """
    if form not in get_args(ExportForm):
        raise SpecError(f"there is no form {form}", hint=f"The forms are {', '.join(get_args(ExportForm))}.")
    source = find(str(job.result), home, weights=True)
    if form == "adapter":
        if source.adapter is None:
            raise SpecError("the job trained all weights, so there is no adapter", hint="Use --format merged.")
        shutil.copytree(job.result, folder, dirs_exist_ok=True)
    elif form == "merged":
        _write_merged(source, folder)
    elif form == "gguf":
        _write_gguf(source, folder / _GGUF, job_name(job))
    else:
        _write_for_ollama(source, folder, job_name(job))
    card = model_card(job, job.state().result or ResultInfo(), form, source, folder)
    (folder / "README.md").write_text(card, "utf-8")


def _write_for_ollama(source: Source, folder: Path, name: str) -> None:
    file = modelfile(Tokenizer(source.tokenizer))  # which may be refused, and is before any work
    try:
        _write_gguf(source, folder / _GGUF, name)
    except (MissingExtra, SpecError):  # Ollama converts some families by itself
        _write_merged(source, folder)
    weights = f"./{_GGUF}" if (folder / _GGUF).exists() else "."
    (folder / "Modelfile").write_text(f"FROM {weights}\n{file}", "utf-8")


def _write_merged(source: Source, folder: Path) -> None:
    """Merge in float32, where small differences survive, and save in the precision of the base."""
    if source.adapter is None:
        shutil.copytree(source.base, folder, dirs_exist_ok=True)
        return
    import torch

    from ftbridge_local.models.load import load, save

    model = load(source).merge_and_unload(safe_merge=True)
    config = json.loads((source.base / "config.json").read_bytes())
    precision = config.get("dtype") or config.get("torch_dtype") or "float32"
    save(model.to(getattr(torch, precision)), folder)
    copy_companions(source, folder, Tokenizer(source.tokenizer).end_ids)


def _write_gguf(source: Source, file: Path, name: str) -> None:
    configured = Path(os.environ.get("LLAMA_CPP", "")) / _CONVERTER
    converter = str(configured) if configured.is_file() else shutil.which(_CONVERTER)
    if converter is None and find_spec("gguf") is None:
        raise MissingExtra(
            f"gguf needs the package gguf, or llama.cpp's {_CONVERTER}",
            hint="Run `pip install 'ftbridge[gguf]'`, or set LLAMA_CPP to llama.cpp's folder, or export as merged.",
        )
    if converter is None:
        from ftbridge_local.exporting import gguf_file

        gguf_file.check(source.base)  # before the work of merging
    with tempfile.TemporaryDirectory(dir=file.parent.parent) as merged:
        _write_merged(source, Path(merged))
        if converter is None:
            gguf_file.write(Path(merged), file, name)
        else:
            _convert(converter, merged, file)


def _convert(converter: str, merged: str, file: Path) -> None:
    command = [sys.executable, converter, merged, "--outfile", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=child_environment())
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it printed no error"])[-1]
        raise ProviderError(
            f"llama.cpp's converter failed: {last}", provider="local", hint="It may not support this architecture."
        )
