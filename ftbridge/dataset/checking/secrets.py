"""Keys, addresses and card numbers that nobody meant to send to a vendor."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PATTERNS = {
    "api_key": re.compile(
        r"\b(?:sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|AIza[0-9A-Za-z_-]{35}"
        r"|hf_[A-Za-z0-9]{34}|xox[abprs]-[A-Za-z0-9-]{10,})|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    ),
    "email": re.compile(r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
    "card_number": re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])"),
}
SECRETS = {"api_key": ("API key", "s"), "email": ("e-mail address", "es"), "card_number": ("card number", "s")}


def secrets(text: str) -> Iterator[tuple[str, str]]:
    """The code of each secret in `text`, with the secret so shortened that it is none any more."""
    for code, pattern in _PATTERNS.items():
        for match in pattern.finditer(text):
            if code != "card_number" or _luhn(match[0]):
                yield code, f"{match[0][:3]}…"


def _luhn(number: str) -> bool:
    """The check digit that every payment card has (ISO/IEC 7812-1)."""
    digits = [int(sign) for sign in reversed(number) if sign.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
