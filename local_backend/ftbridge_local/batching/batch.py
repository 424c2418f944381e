"""The rows that a model answers together: they join and leave between two steps, each of which gives all a token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache

from ftbridge_local.batching.cache import BatchCache
from ftbridge_local.models.load import Model


class Question(NamedTuple):
    """The token ids of a prompt, and how many tokens its answer has at most; `number` is its place among others."""

    number: int
    prompt: Sequence[int]
    limit: int


class Row(NamedTuple):
    """A question, and its answer so far."""

    question: Question
    answer: list[int]

    @property
    def length(self) -> int:
        """The tokens whose keys and values are known: all but the last."""
        return len(self.question.prompt) + len(self.answer) - 1


class Batch:
    """Rows in the order of the cache. All prompts begin with `prefix`, which is computed once, and go on after it."""

    def __init__(self, model: Model, prefix: Sequence[int] = ()) -> None:
        self.rows: list[Row] = []
        self._model = model
        self._prefix = prefix
        self._prefix_cache: Any = DynamicCache()
        self._cache: BatchCache | None = None
        if prefix:
            self._forward(torch.tensor([prefix]), torch.tensor([len(prefix)]), self._prefix_cache)

    @property
    def token_bytes(self) -> int:
        """The size of the keys and values of one token."""
        assert self._cache is not None
        parts = [part for layer in self._cache.layers for part in (layer.keys, layer.values)]
        return sum(part.shape[1] * part.shape[3] * part.element_size() for part in parts)

    def join(self, questions: Sequence[Question]) -> Tensor:
        """Compute the prompts, and the first token of each answer. Returns the logits of that token."""
        lengths = torch.tensor([len(question.prompt) for question in questions])
        block = self._prefixes(lengths)
        width, known = int(lengths.max()), block.get_seq_length()
        padded = [[0] * (width - len(question.prompt)) + [*question.prompt] for question in questions]
        logits = self._forward(torch.tensor(padded)[:, known:], lengths, block)
        if self._cache is None:
            self._cache = BatchCache(block)
        self._cache.add(block)
        self.rows += [
            Row(question, [token]) for question, token in zip(questions, logits.argmax(-1).tolist(), strict=True)
        ]
        return logits

    def step(self) -> Tensor:
        """Compute the next token of every answer. Returns its logits."""
        assert self._cache is not None
        lengths = torch.tensor([row.length for row in self.rows])
        self._cache.width = int(lengths.max())
        self._cache.reserve(self._cache.rows, self._cache.width)
        logits = self._forward(torch.tensor([row.answer[-1:] for row in self.rows]), lengths + 1, self._cache)
        self._cache.end += 1
        self._cache.width += 1
        for row, token in zip(self.rows, logits.argmax(-1).tolist(), strict=True):
            row.answer.append(token)
        return logits

    def leave(self, ends: Sequence[int]) -> list[Row]:
        """Take out the rows whose answer has its last token, one of `ends`, or as many as it may have."""
        assert self._cache is not None
        left = []
        for index in reversed(range(len(self.rows))):
            row = self.rows[index]
            if row.answer[-1] in ends or len(row.answer) >= row.question.limit:
                left.append(row)
                self._cache.remove(index)
                self.rows[index] = self.rows[-1]
                self.rows.pop()
        return left

    def _prefixes(self, lengths: Tensor) -> Any:
        """The columns that the prefix fills in rows of these lengths, which are padded on the left."""
        columns = len(self._prefix)
        block = DynamicCache()
        for number, layer in enumerate(self._prefix_cache.layers):
            keys, values = (part.new_zeros(len(lengths), *part.shape[1:]) for part in (layer.keys, layer.values))
            for row, padding in enumerate((lengths.max() - lengths).clamp(max=columns).tolist()):
                keys[row, :, padding:] = layer.keys[0, :, : columns - padding]
                values[row, :, padding:] = layer.values[0, :, : columns - padding]
            block.update(keys, values, number)
        return block

    def _forward(self, ids: Tensor, lengths: Tensor, cache: Any) -> Tensor:
        """The logits of the last column, in float32; `lengths` are those of the rows with the columns in `ids`."""
        device, width = self._model.device, int(lengths.max())
        columns = torch.arange(width) - (width - lengths[:, None])
        mask = (columns >= 0).to(device) if bool((columns < 0).any()) else None
        logits: Tensor = (
            self._model(
                input_ids=ids.to(device),
                attention_mask=mask,
                position_ids=columns[:, -ids.shape[1] :].clamp(min=0).to(device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
            .logits[:, -1]
            .float()
        )
        return logits
