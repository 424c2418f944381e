"""Keys, addresses, phone, card and account numbers that nobody meant to send to a vendor.

The expressions here say what a secret is. `suspects` finds the rows that may have one, many times as fast as they do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from ftbridge.foreign.redaction import KEY_SHAPE

_LONGEST_NAME, _LONGEST_DOMAIN = 64, 8 * 64 + 24  # characters on either side of an @
_IBAN_LENGTHS = {
    15: "NO",
    16: "BE",
    18: "DK|FI|FO|GL|NL|SD",
    19: "MK|SI",
    20: "AT|BA|EE|KZ|LT|LU|XK",
    21: "CH|HR|LI|LV",
    22: "BG|BH|CR|DE|GB|GE|IE|ME|RS|VA",
    23: "AE|GI|IL|IQ|OM|SO|TL",
    24: "AD|CZ|ES|MD|PK|RO|SA|SE|SK|TN|VG",
    25: "LY|PT|ST",
    26: "IS|TR",
    27: "BI|DJ|FR|GR|IT|MC|SM",
    28: "AL|AZ|BY|CY|DO|GT|HU|LB|NI|PL|SV",
    29: "BR|EG|PS|QA|UA",
    30: "JO|KW|MU|YE",
    31: "MT|SC",
    32: "LC",
    33: "RU",
}
"""The countries by the length of their account numbers: SWIFT's IBAN registry, release 99 (2024-12)."""
_IBAN = "|".join(rf"(?:{countries})[0-9]{{2}}(?: ?[A-Z0-9]){{{size - 4}}}" for size, countries in _IBAN_LENGTHS.items())
_FRACTION = re.compile(r"\+[0-9]+\.[0-9]+")
_DIGIT = "[0-9０-９٠-٩۰-۹]"  # ASCII, full-width and the two Arabic ones, in which such numbers are written


Pattern: TypeAlias = str | re.Pattern[str]
"""An expression, compiled when it is first used: most files need none."""


def _all_matches(pattern: Pattern, text: str) -> Iterator[str]:
    return (match[0] for match in re.finditer(pattern, text))


def _addresses(pattern: Pattern, text: str) -> Iterator[str]:
    """All matches of an address, found from the @ on: `pattern` alone would try every letter before it."""
    end, at = 0, text.find("@")
    while at >= 0:
        around = max(end, at - _LONGEST_NAME), at + _LONGEST_DOMAIN + 2
        match = re.compile(pattern).search(text, *around) if at >= end else None
        if match and text.find("@", match.start()) == at:
            yield match[0]
            end = match.end()
        at = text.find("@", at + 1)


def _is_card(number: str) -> bool:
    """Whether it begins as payment cards do, and its last digit is their check digit (ISO/IEC 7812-1, Luhn)."""
    digits = [int(sign) for sign in reversed(number) if sign.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return digits[-1] in range(2, 7) and (sum(digits[::2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def _is_account(number: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616, by ISO/IEC 7064 MOD 97-10)."""
    compact = number.replace(" ", "")
    return int("".join(str(int(sign, 36)) for sign in compact[4:] + compact[:4])) % 97 == 1


def _is_phone_number(number: str) -> bool:
    """Whether the numbering plan of its country has such a number, and it is no decimal fraction."""
    if _FRACTION.fullmatch(number):
        return False
    import phonenumbers  # only a file that has numbers with a + waits for it

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return False


class Kind(NamedTuple):
    """One kind of secret: its name in the singular, the ending of the plural, and how it is found.

    What `pattern` matches and `is_real` accepts is one; `matches` finds what `pattern` does.
    """

    name: str
    plural: str
    pattern: Pattern
    is_real: Callable[[str], bool] = bool
    matches: Callable[[Pattern, str], Iterator[str]] = _all_matches


KINDS: dict[str, Kind] = {
    "api_key": Kind("API key", "s", KEY_SHAPE),
    "email": Kind(
        "e-mail address",
        "es",
        r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b",
        matches=_addresses,
    ),
    "card_number": Kind(
        "card number", "s", rf"(?<![\d-])(?<!\d\.){_DIGIT}(?:[ -]?{_DIGIT}){{12,18}}(?![\d-])", _is_card
    ),
    "iban": Kind("bank account number", "s", rf"\b(?:{_IBAN})\b", _is_account),
    "phone_number": Kind(
        "phone number",
        "s",
        r"(?<![\w+])\+[1-9](?:[ .()/-]{0,2}[0-9]){7,14}(?![\w+])",  # as one writes it for abroad
        _is_phone_number,
    ),
}


def secrets(text: str, codes: Iterable[str] = KINDS) -> Iterator[tuple[str, str]]:
    """The code of each secret in `text`, and so few of its characters that nobody can use it."""
    for code in codes:
        kind = KINDS[code]
        for found in kind.matches(kind.pattern, text):
            if kind.is_real(found):
                yield code, f"{found[:3]}…"
