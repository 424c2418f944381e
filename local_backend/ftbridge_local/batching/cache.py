"""Keys and values of a batch, in memory that is reserved ahead.

transformers' dynamic cache copies everything for each token, and its static one attends to all that is reserved. Here
a new token is written in place, and attention gets a view of what is in use. All rows end at the same column, so that
a step writes one column; where a row begins depends on its length, and a mask hides what is before.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

_AHEAD = 64  # columns that are reserved beyond those in use: when they are full, everything is copied once


class BatchCache(Cache):
    """The `width` columns before `end` are in use, by the first `rows` rows; the layers are shaped as in `like`."""

    layers: Any  # whose keys and values transformers declares as optional

    def __init__(self, like: Any) -> None:
        super().__init__(layers=[_Layer(self, layer) for layer in like.layers])
        self.rows = self.width = self.end = 0

    def add(self, block: Any) -> None:
        """Put rows that were computed elsewhere, all of the same width, below those that are here."""
        count, width = block.layers[0].keys.shape[0], block.get_seq_length()
        self.reserve(self.rows + count, width)
        rows, columns = slice(self.rows, self.rows + count), slice(self.end - width, self.end)
        for layer, added in zip(self.layers, block.layers, strict=True):
            layer.keys[rows, :, columns] = added.keys
            layer.values[rows, :, columns] = added.values
        self.rows += count
        self.width = max(self.width, width)

    def remove(self, row: int) -> None:
        """The last row takes the place of that one."""
        self.rows -= 1
        columns = slice(self.end - self.width, self.end)
        for layer in self.layers if row < self.rows else ():
            layer.keys[row, :, columns] = layer.keys[self.rows, :, columns]
            layer.values[row, :, columns] = layer.values[self.rows, :, columns]

    def reserve(self, rows: int, width: int) -> None:
        """Let there be so many rows, `width` columns up to `end`, and one column more."""
        reserved = self.layers[0].keys.shape
        if rows <= reserved[0] and width <= self.end < reserved[2]:
            return
        end = max(width, self.width)
        for layer in self.layers:
            layer.keys, layer.values = (self._moved(old, rows, end) for old in (layer.keys, layer.values))
        self.end = end

    def _moved(self, old: Tensor, rows: int, end: int) -> Tensor:
        _rows, heads, _columns, size = old.shape
        new = old.new_zeros(rows, heads, end + _AHEAD, size)  # what a mask hides is multiplied by 0: it must be finite
        new[: self.rows, :, end - self.width : end] = old[: self.rows, :, self.end - self.width : self.end]
        return new


class _Layer(DynamicLayer):  # type: ignore[no-untyped-call]  # as below
    """One layer: `keys` and `values` have the shape (rows, heads, columns, head size)."""

    keys: Any
    values: Any

    def __init__(self, cache: BatchCache, like: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # transformers has no type for it
        self._cache = cache
        self.keys, self.values = (
            part.new_zeros(0, part.shape[1], 0, part.shape[3]) for part in (like.keys, like.values)
        )
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_named: Any) -> tuple[Tensor, Tensor]:
        """Write the next column, and return all that are then in use."""
        rows, end = slice(self._cache.rows), self._cache.end
        used = slice(end - self._cache.width, end + 1)
        self.keys[rows, :, end : end + 1] = key_states
        self.values[rows, :, end : end + 1] = value_states
        return self.keys[rows, :, used], self.values[rows, :, used]

    def get_seq_length(self) -> int:
        """The number of columns in use."""
        return self._cache.width
