"""Learning from a teacher's probabilities instead of from the text alone: forward KL divergence on trained tokens.

Source: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network", 2015 (https://arxiv.org/abs/1503.02531):
the logits of both are divided by a temperature T, and the loss is multiplied by its square, so that the size of the
gradient does not depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import kl_div, log_softmax
from torch.utils.checkpoint import checkpoint

from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models.find import find_teacher
from ftbridge_local.models.load import load
from ftbridge_local.tokenizing.encoding import Row
from ftbridge_local.trainer import varlen
from ftbridge_local.trainer.losses import Objective, Sums, concatenate, padded_logits, sums_of_rows


def learn_from_teacher(job: JobFolder, home: Path, precision: str, temperature: float) -> Objective:
    """The objective of a job that has a teacher, which is loaded now."""
    teacher = load(find_teacher(job, home), precision).requires_grad_(False)
    varlen.enable(teacher)
    return partial(distillation, teacher=teacher, temperature=temperature)


def distillation(model: Any, rows: Sequence[Row], teacher: Any, temperature: float) -> Sums:
    """The divergence of the model's probabilities from the teacher's, summed over the trained tokens, in nats."""
    concatenated = varlen.is_enabled(model) and varlen.is_enabled(teacher)
    compute = _concatenated if concatenated else _padded
    return sums_of_rows(rows, *compute(model, rows, teacher, temperature))


def _concatenated(model: Any, rows: Sequence[Row], teacher: Any, temperature: float) -> tuple[Tensor, Tensor]:
    inputs, positions, labels = concatenate(rows, model.device)
    states, head = varlen.head_inputs(model, inputs, positions)
    with torch.no_grad():
        its_states, its_head = varlen.head_inputs(teacher, inputs, positions)
    size = min(varlen.chunk_size(head), varlen.chunk_size(its_head))

    def divergences(states: Tensor, its_states: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        return _divergences(head(states), its_head(its_states), labels, temperature)

    chunks = [
        checkpoint(divergences, *chunk, use_reentrant=False)  # logits exist for one chunk at a time
        for chunk in zip(*(torch.split(part, size) for part in (states, its_states, labels)), strict=True)
    ]
    losses, correct = zip(*chunks, strict=True)
    return torch.cat(losses), torch.cat(correct)


def _padded(model: Any, rows: Sequence[Row], teacher: Any, temperature: float) -> tuple[Tensor, Tensor]:
    logits, labels = padded_logits(model, rows)
    with torch.no_grad():
        its_logits, _labels = padded_logits(teacher, rows)
    return _divergences(logits, its_logits, labels, temperature)


def _divergences(logits: Tensor, its_logits: Tensor, labels: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """KL(teacher, model) at each token, times the squared temperature; and whether the text's token is the likeliest.

    Heads may be padded to different sizes; the vocabulary that both have is what counts.
    """
    size = min(logits.shape[-1], its_logits.shape[-1])
    ours, its = (log_softmax(both[:, :size].float() / temperature, dim=-1) for both in (logits, its_logits))
    losses = kl_div(ours, its, reduction="none", log_target=True).sum(-1) * temperature**2
    return losses, logits.argmax(-1) == labels
