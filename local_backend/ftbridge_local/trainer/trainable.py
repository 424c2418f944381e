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
_EXPERTS_DIMENSIONS = 3  # of a tensor of weights: expert, out, in
_NAMES_OF_EXPERTS = {"gate", "w1", "w2", "w3", "gate_proj", "up_proj", "down_proj"}
_WITHOUT_EXPERTS = "adapters at experts need --tuning lora or rslora, and no lora_dropout"
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


def describe(model: Model) -> str:
    """Which weights are trained, as a sentence."""
    weights = [(name, weight.numel()) for name, weight in model.named_parameters() if weight.requires_grad]
    total = sum(weight.numel() for weight in model.parameters())
    size = f"{sum(count for _name, count in weights) / 1e6:.3g} of {total / 1e6:.3g} million parameters"
    if not hasattr(model, "peft_config"):
        return f"trained: all weights, {size}"
    config = model.peft_config["default"]
    modules = {name.split(".lora_")[0].rpartition(".")[2] for name, _count in weights if ".lora_" in name}
    at = sorted(modules - {"experts", "base_layer"}) + sorted(config.target_parameters or ())
    whole = sorted(config.modules_to_save or ())
    text = f"trained: adapters at {', '.join(at)}" + (f", and all of {', '.join(whole)}" if whole else "") + f": {size}"
    left_out = _left_out(model, config)
    return text + (f"; not trained: {', '.join(left_out)}" if left_out else "")


def _left_out(model: Model, config: Any) -> list[str]:
    """Linear layers and experts without an adapter, by the ends of their names."""
    base = model.get_base_model()
    head = base.get_output_embeddings()
    adapted = {name.split(".lora_")[0] for name, _module in base.named_modules() if ".lora_" in name}
    linear = {
        name
        for name, module in base.named_modules()
        if _is_linear(module, head) and ".lora_" not in name and name.removesuffix(".base_layer") not in adapted
    }
    ends = sorted({".".join(name.split(".")[-2:]) for name in linear})
    return [*ends, *(f"{name} ({_WITHOUT_EXPERTS})" for name in experts(base) if not config.target_parameters)]


def experts(model: Model) -> list[str]:
    """The weights of mixture-of-experts layers, which are in one tensor for all experts and in no linear layer."""
    names = {name.split(".lora_")[0] for name, weight in model.named_parameters() if weight.ndim == _EXPERTS_DIMENSIONS}
    return sorted({".".join(name.split(".")[-3:]) for name in names})


def _with_new_adapter(model: Model, settings: Settings) -> Model:
    """The model, frozen, with adapters at all its linear layers and experts that change nothing yet."""
    from peft import LoraConfig, get_peft_model

    routers = [name for name, module in model.named_modules() if _is_router(module)]
    stacked = experts(model)
    modules, tensors = _linear_names(model) if stacked else ("all-linear", [])
    takes_experts = settings.tuning in ("lora", "rslora") and settings.lora_dropout == 0.0
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,  # type: ignore[arg-type]  # any number will do: it is divided by the rank
        lora_dropout=settings.lora_dropout,
        use_rslora=settings.tuning == "rslora",
        use_dora=settings.tuning == "dora",
        target_modules=modules,
        exclude_modules=routers or None,
        target_parameters=[*stacked, *tensors] if stacked and takes_experts else None,
    )
    with quiet():
        return get_peft_model(model, config)


def _linear_names(model: Model) -> tuple[list[str] | str, list[str]]:
    """Of a model with experts, the linear layers that peft adapts by name, and the weights that it adapts as tensors.

    Layers whose names peft 0.21 takes for those that experts once had are among the latter: shared experts, and layers
    without any.
    """
    head = model.get_output_embeddings()
    linear = [name.split(".") for name, module in model.named_modules() if _is_linear(module, head)]
    modules = {name[-1] for name in linear} - _NAMES_OF_EXPERTS
    tensors = {f"{name[-2]}.{name[-1]}.weight" for name in linear if name[-1] in _NAMES_OF_EXPERTS}
    return sorted(modules), sorted(tensors)


def _is_linear(module: torch.nn.Module, head: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.Linear) and module is not head and not _is_router(module)


def _is_router(module: torch.nn.Module) -> bool:
    """Whether the module is a linear layer that returns more than its product, as the routers of Llama 4 do."""
    return isinstance(module, torch.nn.Linear) and type(module).__name__.endswith("Router")


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
