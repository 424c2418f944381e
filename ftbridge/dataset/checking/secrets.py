"""Keys, addresses and card numbers that nobody meant to send to a vendor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from stringzilla import find  # type: ignore[import-not-found,import-untyped,unused-ignore]  # it has no types

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.canonical.texts import texts
from ftbridge.foreign.redaction import KEY_MARKS, KEY_SHAPE

_KEY_MARKS = tuple(mark.encode() for mark in KEY_MARKS)
_CARD_DIGITS = 13
# Digits stay digits. A byte of a character outside ASCII counts as one, since there are digits among these.
_DIGITS = bytes(ord("0") if byte > 127 or chr(byte).isdigit() else ord(".") for byte in range(256))


class Kind(NamedTuple):
    """One kind of secret: its name in the singular, the ending of the plural, and how it is found.

    `may_hold` is a fast test of an example's canonical JSON: where it is false, `pattern` matches none of its texts.
    """

    name: str
    plural: str
    pattern: re.Pattern[str]
    may_hold: Callable[[bytes], bool]


def _may_hold_key(data: bytes) -> bool:
    for mark in _KEY_MARKS:  # noqa: SIM110  # a generator would take as long as the search
        if find(data, mark) >= 0:
            return True
    return False


def _may_hold_card(data: bytes) -> bool:
    return b"0" * _CARD_DIGITS in data.translate(_DIGITS, b" -")


KINDS: dict[str, Kind] = {
    "api_key": Kind(
        "API key",
        "s",
        KEY_SHAPE,
        _may_hold_key,
    ),
    "email": Kind(
        "e-mail address",
        "es",
        re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
        lambda data: b"@" in data,
    ),
    "card_number": Kind("card number", "s", re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])"), _may_hold_card),
}
_CHECKS = [(code, kind.may_hold) for code, kind in KINDS.items()]


def secrets_of(example: Example, data: bytes) -> list[tuple[str, str]]:
    """The code of each secret in the texts of `example`, with the start of the secret; `data` is its canonical JSON."""
    codes = [code for code, may_hold in _CHECKS if may_hold(data)]
    return [secret for text in texts(example) for secret in secrets(text, codes)] if codes else []


def secrets(text: str, codes: Iterable[str] = KINDS) -> Iterator[tuple[str, str]]:
    """The code of each secret in `text`, and so few of its characters that nobody can use it."""
    for code in codes:
        for match in KINDS[code].pattern.finditer(text):
            if code != "card_number" or _has_check_digit(match[0]):
                yield code, f"{match[0][:3]}…"


def _has_check_digit(number: str) -> bool:
    """Whether the last digit is the check digit that every payment card has (ISO/IEC 7812-1, Luhn)."""
    digits = [int(sign) for sign in reversed(number) if sign.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
