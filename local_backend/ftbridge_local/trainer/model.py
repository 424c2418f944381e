"""A causal language model from a folder, and what is trained of it: an adapter on top, or all its weights."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers as _transformers

from ftbridge.errors import SpecError
from ftbridge_local.models import Source
from ftbridge_local.trainer import distributed as ranks
from ftbridge_local.trainer.settings import Settings

transformers: Any = _transformers  # half of its functions have no types
Model = Any  # a transformers model, or peft's wrapper around one: neither has types worth the name

_FEW, _MANY = 512, 8192  # tokens: the fewest that keep two cores, or a card, busy; more would only take more memory
_NUMBERS_KEPT = 24  # for the way back, by every layer for every token, in multiples of its width: measured on Llamas


def load(source: Source, precision: str = "float32", **more: Any) -> Model:
    """The model on this machine's best device, with its adapter if it has one, from safetensors only."""
    _prepare()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.base, dtype=getattr(torch, precision), use_safetensors=True, local_files_only=True, **more
    )
    model.name_or_path = source.name  # what an adapter remembers its base by
    model.generation_config = transformers.GenerationConfig()  # what is not asked for is not done
    if not more:
        model.to(device())
    return _with_adapter(model, source.adapter) if source.adapter else model.eval()


def trainable(source: Source, settings: Settings, checkpoint: Path | None) -> Model:
    """The model with that of it trainable that is to be trained, as it was at `checkpoint` if there is one.

    Raises `SpecError` where this machine cannot do it.
    """
    if settings.tuning == "full":
        model = load(source._replace(base=checkpoint or source.base), settings.precision)
        model.name_or_path = source.name
        return model.requires_grad_()
    base = source._replace(adapter=None)
    model = _in_four_bits(base) if settings.tuning == "qlora" else load(base, settings.precision)
    if before := checkpoint or source.adapter:
        return _with_adapter(model, before, is_trainable=True)
    return _with_new_adapter(model, settings)


def untrained(folder: Path) -> Model:
    """A model of the shape that the folder's config.json tells, with random weights."""
    _prepare()
    return transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))


def save(model: Model, folder: Path) -> None:
    """What was trained: adapter_config.json and adapter_model.safetensors, or config.json and model.safetensors."""
    if hasattr(model, "peft_config"):
        model.save_pretrained(folder, save_embedding_layers=False)
    else:
        model.save_pretrained(folder)
    config = next(folder.glob("*config.json"))
    for weights in folder.glob("*.safetensors"):  # which are written for their owner alone
        shutil.copymode(config, weights)


def device() -> torch.device:
    """The graphics card if there is one, NVIDIA's or Apple's, and else the processor."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def likes_halves() -> bool:
    """Whether the device computes faster in bfloat16: NVIDIA's since 2020, processors with instructions for it."""
    if device().type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001 - told nowhere else
    return device().type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def tokens_at_once(model: Model) -> int:
    """How many tokens go through the model together: as few as keep the device busy."""
    return _FEW if model.device.type == "cpu" else _MANY


def spare_memory(model: Model, tokens: int) -> bool:
    """Compute what the layers made of `tokens` anew on the way back, if memory cannot hold it; whether it is so."""
    config = model.config.get_text_config()
    needed = tokens * config.num_hidden_layers * config.hidden_size * _NUMBERS_KEPT * model.dtype.itemsize
    if needed < 0.7 * _free_memory(model.device):
        return False
    model.activation_checkpointing_enable({"use_reentrant": False})
    return True


def peak_memory(model: Model) -> int:
    """The most memory in bytes that this process has had at any time, on the card if that is where the model is."""
    if model.device.type == "cuda":
        return torch.cuda.max_memory_allocated(model.device)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def _free_memory(where: torch.device) -> int:
    if where.type == "cuda":
        return torch.cuda.mem_get_info(where)[0]
    # Linux tells what is free; elsewhere half of all there is has to do
    pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
    return (
        os.sysconf(pages)
        * os.sysconf("SC_PAGE_SIZE")
        // (1 if pages == "SC_AVPHYS_PAGES" else 2)
        // ranks.on_this_machine()
    )


def _with_adapter(model: Model, folder: Path, **how: Any) -> Model:
    from peft import PeftModel

    with _quiet():
        return PeftModel.from_pretrained(model, str(folder), **how)


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
    with _quiet():
        return get_peft_model(model, config)


def _in_four_bits(source: Source) -> Model:
    """The base as QLoRA has it (https://arxiv.org/abs/2305.14314): four-bit normal floats, quantised twice."""
    if not torch.cuda.is_available():
        raise SpecError("tuning = qlora needs an NVIDIA card, and this machine has none", hint="Use --tuning lora.")
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


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what peft 0.21 and transformers 5 have to settle between them from the user's eyes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".is_gradient_checkpointing. is deprecated", FutureWarning)
        yield


def _prepare() -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(max(1, ranks.cores() // ranks.on_this_machine()))
