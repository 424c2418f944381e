"""A causal language model from a folder, LoRA on top of it, and its loss on rows of tokens."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers as _transformers
from torch import Tensor
from torch.nn.functional import cross_entropy

from ftbridge_local.data import Row
from ftbridge_local.source import Source

transformers: Any = _transformers  # half of its functions have no types
Model = Any  # a transformers model, or peft's wrapper around one: neither has types worth the name


class Loss(NamedTuple):
    """Summed over the trained tokens of some rows, so that sums of sums stay right: nats, hits and tokens."""

    total: Tensor
    right: Tensor
    tokens: int


def load(source: Source) -> Model:
    """The model in float32, with its adapter if it has one; weights are read from safetensors only."""
    _prepare()
    model = transformers.AutoModelForCausalLM.from_pretrained(
        source.base, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    model.name_or_path = source.name  # what an adapter remembers its base by
    model.generation_config = transformers.GenerationConfig()  # what is not asked for is not done
    return with_adapter(model, source.adapter) if source.adapter else model.eval()


def untrained(folder: Path) -> Model:
    """A model of the shape that the folder's config.json tells, with random weights."""
    _prepare()
    return transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.from_pretrained(folder))


def with_adapter(model: Model, folder: Path, *, trainable: bool = False) -> Model:
    """The model with the adapter in `folder` on top of it."""
    from peft import PeftModel

    with _quiet():
        return PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)


def with_lora(model: Model, *, rank: int, alpha: float, dropout: float) -> Model:
    """The model, frozen, with new adapters at all its linear layers; they change nothing yet."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # any number will do: it is divided by the rank
        lora_dropout=dropout,
        target_modules="all-linear",
    )
    with _quiet():
        return get_peft_model(model, config)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what peft 0.21 and transformers 5 have to settle between them from the user's eyes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".is_gradient_checkpointing. is deprecated", FutureWarning)
        yield


def losses(model: Model, rows: Sequence[Row]) -> Loss:
    """The loss of predicting each trained token from those before it.

    Rows are padded on the right, where causal attention never looks back from: no mask is passed, which lets torch
    take its fast path. Logits are computed only at positions that some row is trained at.
    """
    length = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    trained = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        trained[index, : len(row.ids)] = torch.tensor(row.trained)
    at = trained[:, 1:].any(dim=0).nonzero().squeeze(1)
    wanted = trained[:, at + 1]
    logits = model(input_ids=ids[:, :-1], logits_to_keep=at, use_cache=False).logits[wanted]
    labels = ids[:, at + 1][wanted]
    total = cross_entropy(logits, labels, reduction="sum")
    return Loss(total, (logits.argmax(-1) == labels).sum(), len(labels))


@torch.no_grad()
def mean_loss(model: Model, rows: Sequence[Row], size: int = 16) -> float:
    """The mean loss per trained token over all rows, in nats."""
    model.eval()
    near = sorted(rows, key=lambda row: len(row.ids))
    parts = [losses(model, near[start : start + size]) for start in range(0, len(near), size)]
    return float(sum(part.total for part in parts)) / sum(part.tokens for part in parts)


def _prepare() -> None:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(_cores())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
