"""Whatever a row holds, every command about datasets ends with findings and never with a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ftbridge.dataset import Survey, advise, check, convert, count_tokens, guess, prepare
from ftbridge.errors import DataError, InputError
from ftbridge_providers.mistral.tokens import MistralCounter
from ftbridge_providers.openai_api.gpt.tokens import OpenAICounter
from random_examples import CONVERTERS, examples

COUNTERS = (guess(), OpenAICounter(guess(), "gpt-4o-2024-08-06"), MistralCounter(guess(), "pixtral-12b-latest"))
DEEP = b"[" * 3000 + b"]" * 3000

odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        1,
        1e308,
        -0.0,
        10**400,
        float("nan"),
        float("inf"),
        "",
        "\x00",
        "\ud800",
        "\u202e\x1b[31m",
        [],
        {},
        [{}],
    ]
)
mended = st.recursive(
    odd,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def spoilt_rows(draw: st.DrawFn) -> bytes:
    """A row that was an example until something in it was replaced, added, or said twice."""
    row: Any = msgspec.json.decode(msgspec.json.encode(draw(examples)))
    for _ in range(draw(st.integers(0, 3))):
        spoil(draw, row)
    data = json.dumps(row, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        at = draw(st.integers(0, len(data)))
        data = (
            data[:at]
            + draw(st.sampled_from([b"", b"\x00", b"\xff", b"\\u0000", DEEP, b'"role":"user",', b"9" * 5000]))
            + data[at:]
        )
    return data.replace(b"\n", b" ")


def spoil(draw: st.DrawFn, row: Any) -> None:
    """Go down into the row at random, and replace what is there."""
    while row:
        key = draw(st.sampled_from(sorted(row) if isinstance(row, dict) else range(len(row))))
        if not isinstance(row[key], dict | list) or draw(st.booleans()):
            row[key] = draw(mended)
            return
        row = row[key]


@settings(max_examples=max(150, settings().max_examples))
@given(rows=st.lists(spoilt_rows(), min_size=1, max_size=3))
@example(rows=[b'{"messages":' * 2000])
@example(rows=[b"[" * 300 + b"]" * 300, b'{"text":"x"}'])
@example(rows=[b'{"text":"' + b"x" * 10**6, b'{"text":"x"}'])
def test_no_row_gives_a_traceback_to_any_vendor(rows: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        path.write_bytes(b"\n".join(rows))
        try:
            report = check(path, converters=list(CONVERTERS.values()))
        except InputError:  # the first row may begin what is then read as one array or object, to its end
            return
        assert all(finding.message.isprintable() and finding.path.isprintable() for finding in report.findings)
        for converter in CONVERTERS.values():
            convert(path, converter, Path(folder) / "out.jsonl")
        for counter in COUNTERS:
            assert count_tokens(path, counter, exact=True).tokens >= 0
        advise(path)
        Survey(path)
        if report.examples:
            prepare(path, Path(folder) / "out")
            return
        with pytest.raises(DataError, match="has no valid examples"):
            prepare(path, Path(folder) / "out")
