"""Values from outside, made safe to store, compare and show, wherever they become fields of ftbridge's own objects.

Vendors send half an emoji, NUL characters, megabytes of text, times in the year 10000 and losses that are no numbers.
A database or a terminal that refuses one of them would stop all jobs, so what cannot be kept is replaced or left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidatorFunctionWrapHandler, WrapValidator

from ftbridge.foreign.paths import path_of_uri, path_text
from ftbridge.foreign.redaction import redact

MOST_CHARACTERS = 20_000
"""Longer texts are cut: nobody reads them, and the ledger keeps every one."""
_LARGEST = 2**53
"""Whole numbers up to here are the same in JSON, in SQLite and in PostgreSQL."""
_YEARS = range(1970, 3000)
"""Times in other years cannot be converted to every time zone, and are mistakes."""


def clean(text: str) -> str:
    """`text` without lone surrogates, which UTF-8 cannot hold, and without NUL, which PostgreSQL refuses."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


def text_of(value: Any) -> Any:
    """A text that can be stored and shown, cut after `MOST_CHARACTERS`; other values as text, and None as it is."""
    if value is None:
        return None
    if type(value) is not str:
        value = str.__str__(value) if isinstance(value, str) else str(value)  # of an enum of texts, its value
    if len(value) > MOST_CHARACTERS:
        end = f"… ({len(value):,} characters)"
        return clean(value[: MOST_CHARACTERS - len(end)]) + end
    return clean(value)


def message_of(value: Any) -> Any:
    """A text for people, in which keys and passwords are masked: vendors repeat what they got."""
    if isinstance(value, str):  # before it is cut, perhaps in the middle of a key
        value = redact(value[: 2 * MOST_CHARACTERS]) + value[2 * MOST_CHARACTERS :]
    return text_of(value)


def texts_of(value: Any) -> Any:
    """The texts in a list, without nulls and nested values; a single text is a list of one."""
    if value is None or isinstance(value, str):
        value = [value] if value else []
    if not isinstance(value, Iterable):
        return ()
    return tuple(text_of(one) for one in value if isinstance(one, str))


def number_of(value: Any) -> float | None:
    """A finite number, also from a text that holds one; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def count_of(value: Any) -> int | None:
    """A whole number from 0, also from a float or a text that holds one; None for everything else."""
    if type(value) is int:
        return value if 0 <= value <= _LARGEST else None
    number = number_of(value)
    return int(number) if number is not None and number.is_integer() and 0 <= number <= _LARGEST else None


def cost_of(value: Any) -> float | None:
    """An amount of money, which is not negative; None for everything else."""
    number = number_of(value)
    return number if number is not None and number >= 0 else None


def time_of(value: Any) -> datetime | None:
    """A time in UTC from seconds since 1970, ISO text or a datetime; None for what is not a time from 1970 to 2999."""
    try:
        if isinstance(value, str) and number_of(value) is None:
            value = datetime.fromisoformat(value)
        if not isinstance(value, datetime):
            seconds = number_of(value)
            return None if seconds is None else _within_years(datetime.fromtimestamp(seconds, UTC))
        return _within_years(value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))
    except (ValueError, OverflowError, OSError):
        return None


def time_or_now(value: Any) -> datetime:
    """The time, or the present where there is none: when something was first seen."""
    return time_of(value) or datetime.now(UTC)


def times_of(values: Iterable[Any]) -> list[datetime | None]:
    """Values in the order of their times; one that is not a time has that of the one before, or of the first that is.

    So their order never depends on when they are read.
    """
    times = [time_of(value) for value in values]
    last = next(filter(None, times), None)
    return [last := time or last for time in times]


def json_of(value: Any) -> Any:
    """A JSON value whose texts can be stored. Raises `RecursionError` for one that is nested too deeply."""
    if isinstance(value, dict):
        return {clean(str(name)): json_of(one) for name, one in value.items()}
    if isinstance(value, list):
        return [json_of(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return clean(value) if isinstance(value, str) else value


def _path(given: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return path_of_uri(given) or validate(given)  # pydantic makes no path of a text that is not UTF-8


def _within_years(time: datetime) -> datetime | None:
    return time if time.year in _YEARS else None


Text = Annotated[str, BeforeValidator(text_of)]
Message = Annotated[str, BeforeValidator(message_of)]
Id = Annotated[str, BeforeValidator(text_of), Field(min_length=1)]
Texts = Annotated[tuple[str, ...], BeforeValidator(texts_of)]
LongText = Annotated[str, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)]
"""A text of any length: what a model answers is never cut."""
StoredPath = Annotated[Path, WrapValidator(_path), PlainSerializer(path_text, return_type=str, when_used="json")]
"""The path of a file, whatever its name."""
Number = Annotated[float | None, BeforeValidator(number_of)]
Count = Annotated[int | None, BeforeValidator(count_of)]
Money = Annotated[float | None, BeforeValidator(cost_of)]
Time = Annotated[datetime | None, BeforeValidator(time_of)]
TimeSeen = Annotated[datetime, BeforeValidator(time_or_now)]
JsonObject = Annotated[
    dict[str, Any] | None, BeforeValidator(lambda value: json_of(value) if isinstance(value, dict) else None)
]
