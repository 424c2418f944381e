"""The search that rules rows out never misses a secret that the expressions find."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftbridge.dataset.canonical.example import Assistant, Chat, FunctionCall, ToolCall, User
from ftbridge.dataset.canonical.texts import texts
from ftbridge.dataset.checking.secrets import KINDS, secrets
from ftbridge.dataset.checking.suspects import secrets_of, suspects
from ftbridge.dataset.reading.batch import Batch

WHOLE = (
    *("sk-" + "a" * 20, "AKIA" + "A" * 16, "ghs_" + "b" * 36, "AIza" + "c" * 35, "hf_" + "d" * 34, "whsec_" + "e" * 24),
    *("xoxb-" + "1" * 10, "-----BEGIN PRIVATE KEY-----", f"eyJ{'a' * 10}.eyJ{'b' * 10}.{'c' * 10}"),
    *(
        "ann@example.org",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "٤١١١١١١١١١١١١١١١",
        "５５００ ００００ ００００ ０００4",
    ),
    *(
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
        "NO9386011117947",
        "+49 170 1234567",
        "+1 (212) 555-0123",
    ),
)
PARTS = (
    "sk-",
    "a" * 20,
    "AKIA",
    "eyJ",
    "@",
    ".org",
    "4111",
    "11",
    "0000",
    "７",
    "٤",
    "DE89",
    " 3704",
    "+",
    "+1",
    "é",
    "A",
)
NEAR = st.sampled_from([*WHOLE, *PARTS, *'\n\\"\t\x00\x1f -./()_7'])
"""Secrets, halves of them, and what decides whether they are any: dense with all that a search might miss."""


def plainly(text: str) -> list[tuple[str, str]]:
    """The secrets in a text by the expressions alone."""
    return [
        (code, f"{match[0][:3]}…")
        for code, kind in KINDS.items()
        for match in re.finditer(kind.pattern, text)
        if kind.is_real(match[0])
    ]


def batch_of(*written: str) -> Batch:
    """A row for each text, as a question, and another with it in the arguments of a call."""
    rows = []
    for text in written:
        call = ToolCall(id="1", type="function", function=FunctionCall("look", text))
        rows += [Chat([User(text), Assistant("x")]), Chat([User("x"), Assistant(None, tool_calls=[call])])]
    return Batch(list(range(1, len(rows) + 1)), [b""] * len(rows), list(rows))


@given(st.lists(st.lists(NEAR | st.text(max_size=3), max_size=10).map("".join), min_size=1, max_size=4))
@example([f"{' ' * 3}{text}" for text in WHOLE])
@example(
    ["4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "41 11 11 11 11 11 11 11", "411 111 111 111 111 1", "4111 1111 1111 1 1 1 1"]
)
@example([f"a{text}" for text in WHOLE])
@example(["a@b.co@c.de", "x" * 70 + "@y.org", "@a.org a@@b.org", "a@" + "b." * 9 + "org", "a@b.orgé"])
def test_nothing_is_missed(written: list[str]) -> None:
    batch = batch_of(*written)
    found = [
        (line, *secret)
        for line, row in zip(batch.lines, batch.examples, strict=True)
        for text in texts(row)
        for secret in plainly(text)
    ]
    assert list(secrets_of(batch)) == found


@pytest.mark.parametrize("secret", WHOLE)
def test_each_of_these_is_one(secret: str) -> None:
    assert len(plainly(secret)) == 1
    assert list(secrets(f"it is\n{secret}, yes")) == plainly(secret)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "plain words",
            "the number is 12345",
            "a_b-c",
            "a task-specific, risk-based desk-job",
            "def f(self, x_y): ...",
        ),
        *(
            "Überraschung für Größe, żółć",
            "日本語の文章です。数字は三つ。",
            "Это обычный текст, а это нет",
            "هذا نص عادي",
        ),
        *("on 2026-11-30 at 10:30:00", "v1.2.3-rc.4", "x = a+1 + b + 2", "1 + 2 + 3 = 6", "ISBN 978-3-16", "UTF-8"),
    ],
)
def test_plain_text_is_ruled_out_without_any_expression(text: str) -> None:
    assert suspects(batch_of(text)) == {}


@pytest.mark.parametrize(
    "text",
    [
        *("@@ -1,7 +1234567,8 @@", "+100000000000", "C++ 11 and +10000000", "1+2025550123", "+0123456789"),
        *("order 20261130123456", "DE00 3704 0044 0532 0130 00", "GPT4 ABCD 1234 5678 9012"),
        *(
            "2026-11-30 12:30:00 2026-11-30",
            "192.168.100.100 10.0.0.1",
            "SE45 5000 0000 0583 9825 7467",
            "a@b",
            "@app.route",
        ),
        *("uuid 123e4567-e89b-12d3-a456-426614174000", "0.4111111111111111", "+35236450.6"),
    ],
)
def test_what_only_looks_like_a_secret_is_none(text: str) -> None:
    assert list(secrets_of(batch_of(text))) == []


def test_real_code_has_no_phone_card_and_account_numbers() -> None:
    """Python's own library, and the prose in its comments, as rows: what is found there is found falsely."""
    files = sorted(Path(json.__file__).parent.parent.glob("*.py"))[:150]
    batch = batch_of(*(file.read_text(encoding="utf-8", errors="replace") for file in files))
    falsely = {code for _, code, _ in secrets_of(batch)} & {"phone_number", "iban", "card_number"}
    assert falsely == set()
