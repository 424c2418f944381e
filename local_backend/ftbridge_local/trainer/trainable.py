"""The trainable part of a model, an adapter on top of it or all its weights, and how much its device can hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ftbridge.errors import SpecError
from ftbridge_local.models.device import free_memory
from ftbridge_local.models.load import Model, load, quiet, transformers, with_adapter
from ftbridge_local.models.source import Source
from ftbridge_local.trainer.settings import Settings

_CPU_TOKENS, _GPU_TOKENS = 512, 8192  # the fewest that keep two cores, or a GPU, busy; more only takes more memory
_ACTIVATIONS = 24  # numbers that a layer keeps per token for the backward pass, per hidden unit: measured on Llamas


def trainable(source: Source, settings: Settings, checkpoint: Path | None) -> Model:
    """The model with the weights that are to be trained as parameters, as they were at `checkpoint` if there is one.

    Raises `SpecError` where this machine cannot train it.
    """
    if settings.tuning == "full":
        model = load(source._replace(base=checkpoint or source.base), settings.precision)
        model.name_or_path = source.name
        return model.requires_grad_()
    base = source._replace(adapter=None)
    model = _in_four_bits(base) if settings.tuning == "qlora" else load(base, settings.precision)
    if adapter := checkpoint or source.adapter:
        return with_adapter(model, adapter, is_trainable=True)
    return _with_new_adapter(model, settings)


def microbatch_tokens(model: Model) -> int:
    """How many tokens go through the model together: as few as keep the device busy."""
    return _CPU_TOKENS if model.device.type == "cpu" else _GPU_TOKENS


def checkpoint_activations(model: Model, tokens: int) -> bool:
    """Recompute activations in the backward pass if memory cannot hold those of `tokens`; whether that is so."""
    config = model.config.get_text_config()
    needed = tokens * config.num_hidden_layers * config.hidden_size * _ACTIVATIONS * model.dtype.itemsize
    if needed < 0.7 * free_memory(model.device):
        return False
    model.activation_checkpointing_enable({"use_reentrant": False})
    return True


def _with_new_adapter(model: Model, settings: Settings) -> Model:
    """The model, frozen, with adapters at all its linear layers that change nothing yet."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,  # type: ignore[arg-type]  # any number will do: it is divided by the rank
        lora_dropout=settings.lora_dropout,
        use_rslora=settings.tuning == "rslora",
        use_dora=settings.tuning == "dora",
        target_modules="all-linear",
    )
    with quiet():
        return get_peft_model(model, config)


def _in_four_bits(source: Source) -> Model:
    """The base as QLoRA has it (https://arxiv.org/abs/2305.14314): four-bit normal floats, quantised twice."""
    if not torch.cuda.is_available():
        raise SpecError("tuning = qlora needs an NVIDIA GPU, and this machine has none", hint="Use --tuning lora.")
    from peft import prepare_model_for_kbit_training

    four_bits = transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = load(source, "bfloat16", quantization_config=four_bits, device_map={"": torch.cuda.current_device()})
    prepare: Any = prepare_model_for_kbit_training  # it has no types
    return prepare(model, use_gradient_checkpointing=False)
