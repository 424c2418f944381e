"""A causal language model from its folders into memory, and back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers as _transformers

from ftbridge.foreign.values import count_of
from ftbridge_local.model_files import broken, read_object, understood
from ftbridge_local.models.device import device, use_all_cores
from ftbridge_local.models.source import Source, shapes

transformers: Any = _transformers  # half of its functions have no types
_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
Model = Any  # a transformers model, or peft's wrapper around one: neither has types worth the name


def load(source: Source, precision: str = "float32", **options: Any) -> Model:
    """The model on this machine's best device, with its adapter if it has one, from safetensors only."""
    _prepare()
    check_shape(source.base)
    with understood(source.base, "it cannot be loaded"):
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            source.base,
            dtype=getattr(torch, precision),
            use_safetensors=True,
            trust_remote_code=False,  # without it, transformers asks whether the model's own code may run
            local_files_only=True,
            output_loading_info=True,
            **options,
        )
    if missing := sorted(info["missing_keys"]):
        what = f"its weights lack {len(missing)} tensors that its config.json needs, such as {missing[0]}"
        raise broken(source.base, what)
    model.name_or_path = source.name  # the name that adapters record for their base
    model.generation_config = transformers.GenerationConfig()  # no defaults but those of the caller
    if not options:
        model.to(device())
    return with_adapter(model, source.adapter) if source.adapter else model.eval()


def with_adapter(model: Model, folder: Path, **options: Any) -> Model:
    """The model with the adapter in `folder`."""
    from peft import PeftModel

    with quiet(), understood(folder, "it cannot be put on its base"):
        _resize_embeddings(model, folder)
        return PeftModel.from_pretrained(model, str(folder), **options)


def _resize_embeddings(model: Model, adapter: Path) -> None:
    """Give the model as many tokens as the adapter has embeddings for, where it brings its own along."""
    embeddings = model.get_input_embeddings()
    [name] = [name for name, module in model.named_modules() if module is embeddings]
    rows = [
        shape[0]
        for key, shape in shapes(adapter).items()
        if f".{name}." in key and key.endswith(".weight") and ".lora_" not in key
    ]
    if rows and rows[0] != embeddings.weight.shape[0]:
        model.resize_token_embeddings(rows[0], mean_resizing=False)
    model.brings_embeddings = bool(rows)


def check_shape(base: Path) -> None:
    """Raises `ModelNotFound` where config.json describes a larger model than there are weights: it would be built."""
    config, tensors = read_object(base / "config.json"), shapes(base)
    inner = config.get("text_config")
    for part in (config, inner if isinstance(inner, dict) else {}):
        for name in _LAYERS:
            if (layers := count_of(part.get(name)) or 0) > len(tensors):
                raise broken(base, f"its config.json describes {layers:,} layers, and it has {len(tensors):,} tensors")


def untrained(folder: Path) -> Model:
    """A model of the shape that the folder's config.json describes, with random weights."""
    _prepare()
    return transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))


def save(model: Model, folder: Path) -> None:
    """What was trained: adapter_config.json and adapter_model.safetensors, or config.json and model.safetensors."""
    if hasattr(model, "peft_config"):
        # peft would look for the base at the hub to find out
        model.save_pretrained(folder, save_embedding_layers=getattr(model.get_base_model(), "brings_embeddings", False))
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
