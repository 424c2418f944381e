"""What a model is trained by: losses, summed, so that sums of sums stay right however a batch is divided."""

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
from ftbridge_local.trainer import varlen as flat
from ftbridge_local.trainer.distributed import ALONE, Ranks
from ftbridge_local.trainer.encoding import Item, Pair, Row

_ALIKE = 1.25  # rows that are padded together are at most so many times as long as the shortest


class Loss(NamedTuple):
    """Summed over what is counted: in nats, and how often the model was right.

    Supervised training counts trained tokens, and the model is right where the token is its most probable one.
    Preference training counts pairs, and it is right where it moved towards the better answer.
    """

    total: Tensor
    right: Tensor


Objective = Callable[[Any, Sequence[Any]], Loss]


def objective(method: Method, beta: float) -> Objective:
    """The loss that the method trains by, as a function of a model and some items."""
    return partial(preferred, beta=beta) if method is Method.DPO else supervised


def supervised(model: Any, rows: Sequence[Row]) -> Loss:
    """The loss of predicting each trained token from those before it."""
    losses, right = _token_losses(model, rows)
    return Loss(losses.sum(), right.sum())


def preferred(model: Any, pairs: Sequence[Pair], beta: float) -> Loss:
    """Direct preference optimisation, by Rafailov et al. (https://arxiv.org/abs/2305.18290), equation 7."""
    surplus = beta * (margins(model, pairs) - torch.tensor([pair.reference for pair in pairs], device=model.device))
    return Loss(-logsigmoid(surplus).sum(), (surplus > 0).sum())


def margins(model: Any, pairs: Sequence[Pair]) -> Tensor:
    """By how many nats the model thinks the better answer of each pair more probable than the worse."""
    rows = [row for pair in pairs for row in pair.rows]
    losses, _right = _token_losses(model, rows)
    whole = torch.stack([part.sum() for part in torch.split(losses, [row.weight for row in rows])])
    return whole[1::2] - whole[0::2]


@torch.no_grad()
def with_reference(model: Any, pairs: Sequence[Any], at_once: int, kept: Path, ranks: Ranks = ALONE) -> list[Item]:
    """The pairs with what the model thinks of them before it is trained: as `kept`, or else computed and kept there."""
    if kept.exists():
        known = json.loads(kept.read_bytes())
    else:
        model.eval()
        found: dict[int, float] = {}
        for part in passes(model, ranks.share(pairs), at_once):
            found |= zip(map(id, part), margins(model, part).tolist(), strict=True)
        known = ranks.sum(*(found.get(id(pair), 0.0) for pair in pairs))
        if ranks.first:
            write(kept, json.dumps(known).encode())
    return [Pair(pair.better, pair.worse, margin) for pair, margin in zip(pairs, known, strict=True)]


@torch.no_grad()
def mean(model: Any, items: Sequence[Item], objective: Objective, at_once: int, ranks: Ranks = ALONE) -> float:
    """The mean loss over all items, in nats."""
    model.eval()
    share = sum(float(objective(model, part).total) for part in passes(model, ranks.share(items), at_once))
    [total] = ranks.sum(share)
    return total / sum(item.weight for item in items)


def passes(model: Any, items: Sequence[Item], at_once: int) -> Iterator[list[Any]]:
    """The items in parts that go through the model together: of at most `at_once` tokens, or of one item.

    Where rows have to be padded, those of a part are of similar length.
    """
    padded = not flat.is_adopted(model)
    part: list[Item] = []
    for item in sorted(items, key=lambda item: item.tokens):
        full = sum(known.tokens for known in part) + item.tokens > at_once
        if part and (full or (padded and item.tokens > _ALIKE * part[0].tokens)):
            yield part
            part = []
        part.append(item)
    if part:
        yield part


def _token_losses(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """The loss of every trained token, row after row, and whether it was the most probable one."""
    return _flat(model, rows) if flat.is_adopted(model) else _padded(model, rows)


def _flat(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    read, at, labels, start = [], [], [], 0
    for row in rows:
        wanted = [place for place, trained in enumerate(row.trained) if trained]
        read.append(row.ids[: wanted[-1]])  # nothing is learned from what comes after
        at += [start + place - 1 for place in wanted]
        labels += [row.ids[place] for place in wanted]
        start += wanted[-1]
    return flat.token_losses(model, read, *torch.tensor([at, labels], device=model.device))


def _padded(model: Any, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
    """Padding is on the right, where causal models never look back from, so that no mask is needed."""
    length = max(row.tokens for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    trained = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : row.tokens] = torch.tensor(row.ids)
        trained[index, : row.tokens] = torch.tensor(row.trained)
    ids, trained = ids.to(model.device), trained.to(model.device)
    at = trained[:, 1:].any(dim=0).nonzero().squeeze(1)
    wanted = trained[:, at + 1]
    logits = model(input_ids=ids[:, :-1], logits_to_keep=at, use_cache=False).logits[wanted].float()
    labels = ids[:, at + 1][wanted]
    return cross_entropy(logits, labels, reduction="none"), logits.argmax(-1) == labels
