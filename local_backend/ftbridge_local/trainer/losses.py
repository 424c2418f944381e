"""The losses of the training methods, as sums: they can be added up, however a batch is divided."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid

from ftbridge.files import write
from ftbridge.model import Method
from ftbridge_local.tokenizing.encoding import Item, Pair, Row
from ftbridge_local.trainer import varlen
from ftbridge_local.trainer.distributed import SINGLE, Distributed

_LENGTH_RATIO = 1.25  # rows that are padded together are at most so many times as long as the shortest


class Sums(NamedTuple):
    """Sums over what is counted: the loss in nats, and how often the model was correct.

    `each` has, of every item in its order, the mean loss and the share of what is correct, without gradients.
    Supervised training counts trained tokens, and the model is correct where the token is its most probable one.
    Preference training counts pairs, and it is correct where it moved towards the chosen answer.
    """

    loss: Tensor
    correct: Tensor
    each: Tensor


Objective = Callable[[Any, Sequence[Any]], Sums]


def objective(method: Method, beta: float) -> Objective:
    """The loss that the method trains by, as a function of a model and some items."""
    return partial(preference, beta=beta) if method is Method.DPO else supervised


def supervised(model: Any, rows: Sequence[Row]) -> Sums:
    """The loss of predicting each trained token from those before it."""
    return sums_of_rows(rows, *_token_losses(model, rows))


def sums_of_rows(rows: Sequence[Row], losses: Tensor, correct: Tensor) -> Sums:
    """The sums of what was computed of each trained token, row after row."""
    weights = torch.tensor([row.weight for row in rows], device=losses.device)
    owner = torch.repeat_interleave(torch.arange(len(rows), device=losses.device), weights)
    values = torch.stack([losses.detach().float(), correct.float()], dim=1)
    each = torch.zeros(len(rows), 2, device=losses.device).index_add_(0, owner, values)
    return Sums(losses.sum(), correct.sum(), each / weights.unsqueeze(1))


def preference(model: Any, pairs: Sequence[Pair], beta: float) -> Sums:
    """Direct preference optimisation, by Rafailov et al. (https://arxiv.org/abs/2305.18290), equation 7."""
    references = torch.tensor([pair.reference for pair in pairs], device=model.device)
    rewards = beta * (margins(model, pairs) - references)
    losses, correct = -logsigmoid(rewards), rewards > 0
    return Sums(losses.sum(), correct.sum(), torch.stack([losses.detach(), correct.float()], dim=1))


def margins(model: Any, pairs: Sequence[Pair]) -> Tensor:
    """By how many nats the model considers the chosen answer of each pair more probable than the rejected one."""
    rows = [row for pair in pairs for row in pair.rows]
    losses, _correct = _token_losses(model, rows)
    sums = torch.stack([part.sum() for part in torch.split(losses, [row.weight for row in rows])])
    return sums[1::2] - sums[0::2]


@torch.no_grad()
def with_reference(
    model: Any, pairs: Sequence[Any], max_tokens: int, file: Path, distributed: Distributed = SINGLE
) -> list[Item]:
    """The pairs with the margins of the untrained model: read from `file`, or else computed and stored there."""
    if file.exists():
        reference = json.loads(file.read_bytes())
    else:
        computed = _by_id(model, distributed.shard(pairs), max_tokens, margins)
        reference = distributed.sum(*(computed.get(id(pair), 0.0) for pair in pairs))
        if distributed.first:
            write(file, json.dumps(reference).encode())
    return [Pair(pair.chosen, pair.rejected, margin) for pair, margin in zip(pairs, reference, strict=True)]


@torch.no_grad()
def mean(
    model: Any, items: Sequence[Item], objective: Objective, max_tokens: int, distributed: Distributed = SINGLE
) -> float:
    """The mean loss over all items, in nats."""
    model.eval()
    shard = distributed.shard(items)
    [total] = distributed.sum(
        sum(float(objective(model, part).loss) for part in microbatches(model, shard, max_tokens))
    )
    return total / sum(item.weight for item in items)


@torch.no_grad()
def of_each(model: Any, rows: Sequence[Row], max_tokens: int) -> list[float]:
    """The mean loss per trained token of every row, in nats."""
    computed = _by_id(model, rows, max_tokens, lambda model, part: supervised(model, part).each[:, 0])
    return [computed[id(row)] for row in rows]


def _by_id(
    model: Any, items: Sequence[Any], max_tokens: int, value: Callable[[Any, Sequence[Any]], Tensor]
) -> dict[int, float]:
    """What `value` computes of each item, by the item's id()."""
    model.eval()
    computed: dict[int, float] = {}
    for part in microbatches(model, items, max_tokens):
        computed |= zip(map(id, part), value(model, part).tolist(), strict=True)
    return computed


def microbatches(model: Any, items: Sequence[Item], max_tokens: int) -> Iterator[list[Any]]:
    """The items in parts that go through the model together: of at most `max_tokens` tokens, or of one item.

    Where rows have to be padded, those of a part are of similar length.
    """
    padded = not varlen.is_enabled(model)
    part: list[Item] = []
    for item in sorted(items, key=lambda item: item.tokens):
        full = sum(known.tokens for known in part) + item.tokens > max_tokens
        if part and (full or (padded and item.tokens > _LENGTH_RATIO * part[0].tokens)):
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _token_losses(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """The loss of every trained token, row after row, and whether it was the most probable one."""
    return _concatenated(model, rows) if varlen.is_enabled(model) else _padded(model, rows)


def _concatenated(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    inputs, positions, labels = concatenate(rows, model.device)
    return varlen.token_losses(model, inputs, positions, labels)


def concatenate(rows: Sequence[Row], device: torch.device) -> tuple[list[list[int]], Tensor, Tensor]:
    """What the model reads of each row; where, in all of them, it predicts a trained token; and these tokens."""
    inputs, positions, labels, start = [], [], [], 0
    for row in rows:
        trained = [index for index, wanted in enumerate(row.trained) if wanted]
        inputs.append(row.ids[: trained[-1]])  # nothing is learned from what comes after
        positions += [start + index - 1 for index in trained]
        labels += [row.ids[index] for index in trained]
        start += trained[-1]
    return inputs, *torch.tensor([positions, labels], device=device)


def _padded(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    logits, labels = padded_logits(model, rows)
    return cross_entropy(logits, labels, reduction="none"), logits.argmax(-1) == labels


def padded_logits(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """The logits for every trained token, row after row, and these tokens.

    Padding is on the right, where causal models never attend to it, so that no mask is needed."""
    length = max(row.tokens for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    trained = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : row.tokens] = torch.tensor(row.ids)
        trained[index, : row.tokens] = torch.tensor(row.trained)
    ids, trained = ids.to(model.device), trained.to(model.device)
    positions = trained[:, 1:].any(dim=0).nonzero().squeeze(1)
    wanted = trained[:, positions + 1]
    logits = model(input_ids=ids[:, :-1], logits_to_keep=positions, use_cache=False).logits[wanted].float()
    return logits, ids[:, positions + 1][wanted]
