"""A causal language model from its folders into memory, and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers as _transformers

from ftbridge_local.models.device import device, use_all_cores
from ftbridge_local.models.source import Source

transformers: Any = _transformers  # half of its functions have no types
Model = Any  # a transformers model, or peft's wrapper around one: neither has types worth the name


def load(source: Source, precision: str = "float32", **options: Any) -> Model:
    """The model on this machine's best device, with its adapter if it has one, from safetensors only."""
    _prepare()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.base,
        dtype=getattr(torch, precision),
        use_safetensors=True,
        trust_remote_code=False,  # without it, transformers asks whether the model's own code may run
        local_files_only=True,
        **options,
    )
    model.name_or_path = source.name  # the name that adapters record for their base
    model.generation_config = transformers.GenerationConfig()  # no defaults but those of the caller
    if not options:
        model.to(device())
    return with_adapter(model, source.adapter) if source.adapter else model.eval()


def with_adapter(model: Model, folder: Path, **options: Any) -> Model:
    """The model with the adapter in `folder`."""
    from peft import PeftModel

    with quiet():
        return PeftModel.from_pretrained(model, str(folder), **options)


def untrained(folder: Path) -> Model:
    """A model of the shape that the folder's config.json describes, with random weights."""
    _prepare()
    return transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))


def save(model: Model, folder: Path) -> None:
    """What was trained: adapter_config.json and adapter_model.safetensors, or config.json and model.safetensors."""
    if hasattr(model, "peft_config"):
        model.save_pretrained(folder, save_embedding_layers=False)
    else:
        model.save_pretrained(folder)


@contextmanager
def quiet() -> Iterator[None]:
    """Hide a warning of peft 0.21 that only transformers 5 can act on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".is_gradient_checkpointing. is deprecated", FutureWarning)
        yield


def _prepare() -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    use_all_cores()
