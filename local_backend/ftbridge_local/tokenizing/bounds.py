"""How much time and memory one rendering of a chat template may take."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from time import thread_time
from types import GeneratorType
from typing import Any

from jinja2.utils import Namespace

_SECONDS = 2.0  # of processor time, and one more for each megabyte of input
_VALUE_BYTES, _PER_INPUT_BYTE = 2**24, 8  # the largest value, and how much larger it may be for each byte of input
_ALL_BYTES, _ALL_PER_INPUT_BYTE = 2**27, 512  # all values together: texts that grow by pieces are counted each time
_MOST_BITS = 10_000  # of a whole number
_LONG_NUMBER = re.compile(r"\d{6,}")
_CLOCK_EVERY = 64  # steps
_GROWING = frozenset(
    {
        *("batch", "center", "expandtabs", "format", "format_map", "indent", "join", "ljust", "replace", "rjust"),
        *("slice", "tojson", "translate", "wordwrap", "zfill"),
    }
)
"""Filters and methods whose result may be as large as the product of their arguments."""
_SPLITTING = frozenset({"split", "rsplit", "splitlines", "urlize", "wordcount", "wordwrap", "list"})
"""Filters and methods that make many objects of one text."""
_OBJECT_BYTES = 64  # of a short text in a list


class TooMuchError(Exception):
    """A template needs too much time or memory; the text says which."""


class Bounds:
    """What is left of them, for one rendering of `values`."""

    def __init__(self, values: Any) -> None:
        size = size_of(values, sys.maxsize)
        self._most = _VALUE_BYTES + _PER_INPUT_BYTE * size
        self._left = _ALL_BYTES + _ALL_PER_INPUT_BYTE * size
        self._deadline = thread_time() + _SECONDS + size / 1e6
        self._steps = 0

    def step(self) -> None:
        """Count a round of a loop, a call or a filter."""
        self._steps += 1
        if self._steps % _CLOCK_EVERY == 0 and thread_time() > self._deadline:
            raise TooMuchError(f"has not come to an end after {_SECONDS:g} seconds")

    def check(self, size: float) -> None:
        """Check the size of a value that is about to be made."""
        if size > self._most:
            raise TooMuchError(f"makes values of more than {self._most / 1e6:.0f} MB")

    def check_values(self, *values: Any) -> None:
        """Check values as they are before they are printed, joined or passed on."""
        self.check(size_of(values, self._most))

    def made(self, value: Any) -> Any:
        """Count a new value; the value."""
        if isinstance(value, str | list | tuple):
            self._left -= sys.getsizeof(value)
            if self._left < 0:
                raise TooMuchError(f"makes more than {_ALL_BYTES / 1e6:.0f} MB of values")
        return value

    def operation(self, operator: str, left: Any, right: Any) -> None:
        """Check an operation by its operands, before it is computed."""
        match operator:
            case "*":
                for value, count in ((left, right), (right, left)):
                    if isinstance(count, int) and not isinstance(value, int | float):
                        self.check(size_of(value, self._most) * max(count, 1))
                self._check_bits(left, right)
            case "**":
                if isinstance(left, int) and isinstance(right, int) and left.bit_length() * right > _MOST_BITS:
                    raise TooMuchError("computes numbers with too many digits")
            case "%" if isinstance(left, str):
                self.arguments("format", (left, right))
            case _:
                self.check(size_of((left, right), self._most) if isinstance(left, str | list | tuple) else 0)

    def arguments(self, name: str, values: Iterable[Any]) -> None:
        """Check what is passed to the filter or method `name`, before it is called."""
        values = tuple(values)
        size = size_of(values, self._most)
        self.check(size)
        if name == "sum" and any(isinstance(value, list) for value in values[1:]):  # each is copied as often as added
            self.check(size * size / _OBJECT_BYTES)
        if name in _SPLITTING:
            self.check(max((len(value) for value in values if isinstance(value, str)), default=0) * _OBJECT_BYTES / 8)
        if name not in _GROWING:
            return
        numbers = [abs(value) for value in _flat(values[1:]) if isinstance(value, int)]
        texts = [len(value) for value in _flat(values[1:]) if isinstance(value, str)]
        self.check(size * max([1, *numbers, *texts]) if numbers or size > self._most / 64 else 0)
        if name in ("format", "format_map") and any(_LONG_NUMBER.search(str(value)) for value in values[:1]):
            raise TooMuchError("formats values to more characters than anybody reads")

    def _check_bits(self, *numbers: Any) -> None:
        if sum(number.bit_length() for number in numbers if isinstance(number, int)) > _MOST_BITS:
            raise TooMuchError("computes numbers with too many digits")


def size_of(value: Any, most: int) -> int:
    """The bytes of everything in a value, what it has twice counted twice, as it is printed; it stops after `most`."""
    total, left = 0, [value]
    while left and total <= most:
        one = left.pop()
        if isinstance(one, str):
            total += sys.getsizeof(one)
        elif isinstance(one, dict):
            total += 8 * len(one) + _OBJECT_BYTES
            left += one.keys()
            left += one.values()
        elif isinstance(one, list | tuple | set | frozenset):
            total += 8 * len(one) + _OBJECT_BYTES
            left += one
        elif isinstance(one, Namespace):
            left.append(object.__getattribute__(one, "_Namespace__attrs"))
        else:
            total += 8  # at least
    return total


def _flat(values: Iterable[Any]) -> Iterable[Any]:
    """The values, and those of lists and mappings among them."""
    for value in values:
        if isinstance(value, list | tuple):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()
        else:
            yield value


def materialized(value: Any, bounds: Bounds) -> Any:
    """A generator as the list of what it yields, whose size can be known; anything else as it is."""
    if not isinstance(value, GeneratorType):
        return value
    items = []
    for item in value:
        bounds.step()
        items.append(item)
    return bounds.made(items)
