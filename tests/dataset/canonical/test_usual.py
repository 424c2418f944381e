"""A row in a usual spelling is told from its bytes, and every other row of the same example is found to be equal."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ftbridge.dataset import check, convert
from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.canonical.usual import COMPACT, SIGNS, SPACED, Spelling, spaced, unusual
from ftbridge.dataset.canonical.verbatim import differences
from ftbridge.dataset.checking.advice import Advice
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.batch import Batch, batches
from ftbridge.dataset.reading.source import open_source
from ftbridge.model import Method
from ftbridge_providers.openai.format import OpenAIFormat

PIECES = ('"', "\\", "/", "\n", "\x01", "\x7f", "é", "日", "\u2028", "😀", "null", "{", "]", '", "content": "')
TEXTS = st.lists(st.sampled_from([*PIECES, "a", "weight", '"role"', "<|endoftext|>"]), min_size=1, max_size=6).map(
    lambda pieces: "x" + "".join(pieces)
)
USER = st.fixed_dictionaries({"role": st.sampled_from(["user", "system", "developer"]), "content": TEXTS})
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ANSWER = st.fixed_dictionaries(
    {
        "role": st.just("assistant"),
        "content": TEXTS | st.none() | st.just([]) | st.just([{"type": "text", "text": 'a "b"'}]),
    },
    optional={
        "weight": st.just(1),
        "name": TEXTS,
        "refusal": st.none(),
        "reasoning": TEXTS,
        "tool_calls": st.just([CALL]),
    },
)
PLAIN = st.fixed_dictionaries({"role": st.just("assistant"), "content": TEXTS})
CHATS = st.lists(st.tuples(USER, PLAIN | ANSWER), min_size=1, max_size=3).map(
    lambda turns: {"messages": [message for turn in turns for message in turn]}
)


RESPELLED = (
    ("/", "\\/"),
    ('"role"', '"role" '),
    ("user", "us\\u0065r"),
    ('"messages', ' "messages'),
    ("}]", "} ]"),
    ('"content"', '"content": "", "content"'),
    ('{"role"', '{"role": "user", "role"'),
    ('\\"', "\\u0022"),
)


@st.composite
def spelled(draw: st.DrawFn, chats: st.SearchStrategy[Any] = CHATS) -> bytes:
    """One row, written in one of many ways."""
    row = draw(chats)
    separators = draw(st.sampled_from([(", ", ": "), (",", ":"), (", ", ":"), (" ,", ": ")]))
    written = json.dumps(row, ensure_ascii=draw(st.booleans()), separators=separators)
    for old, new in draw(st.lists(st.sampled_from(RESPELLED), max_size=1)):
        written = written.replace(old, new, 1)
    return written.encode() + draw(st.sampled_from([b"\n", b"\r\n", b" \n"]))


def read(lines: list[bytes]) -> list[Batch]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        path.write_bytes(b"".join(lines))
        with open_source(path, "chat") as source:
            return list(batches(source.rows, source.reader, Diagnostics()))


@given(st.lists(spelled(), min_size=1, max_size=5))
def test_a_usual_row_is_what_python_or_a_compact_writer_makes_of_its_example(lines: list[bytes]) -> None:
    for batch in read(lines):
        usual = set(range(len(batch.raws))) - set(batch.unusual)
        for index, one in enumerate(batch.examples):
            canonical = msgspec.json.encode(one)
            if index in usual:
                assert batch.raws[index] in (canonical + b"\n", spaced(canonical) + b"\n")
                assert differences(batch.raws[index], canonical) == set()  # type: ignore[arg-type]  # a line
            assert batch.rows[index] == spaced(canonical) + b"\n"
            assert batch.sizes[index] == len(canonical)
            assert batch.canonical_row(index) == canonical


@given(CHATS, st.data())
def test_two_rows_are_equal_where_their_examples_are_however_they_are_written(row: Any, data: st.DataObject) -> None:
    lines = data.draw(st.lists(spelled(st.just(row)), min_size=2, max_size=3))
    read_rows = [batch for line in lines for batch in read([line])]
    rows = [(batch.examples[0], batch.rows[0]) for batch in read_rows]
    for one, spelt in rows:
        for other, again in rows:
            assert (msgspec.json.encode(one) == msgspec.json.encode(other)) == (spelt == again)


@pytest.mark.parametrize("spelling", [SPACED, COMPACT])
@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=4))
@example([['a\\\\"', "b"]])
def test_plain_chats_as_programs_write_them_are_usual(spelling: Spelling, pairs: list[list[str]]) -> None:
    separators = (", ", ": ") if spelling is SPACED else (",", ":")
    rows = [
        {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
        for question, answer in pairs
    ]
    lines = [json.dumps(row, ensure_ascii=False, separators=separators).encode() + b"\n" for row in rows]
    examples = [msgspec.json.decode(line, type=Chat) for line in lines]
    assert unusual(lines, examples, spelling) == [
        index for index, line in enumerate(lines) if any(sign in line for sign in SIGNS)
    ]


TEN = [
    b'{"messages": [{"role": "user", "content": "%d"}, {"role": "assistant", "content": "x"}]}\n' % number
    for number in range(10)
]


class Slow:
    """OpenAI's rules, with no word of what they let pass."""

    def __init__(self) -> None:
        self._format = OpenAIFormat("openai:gpt-4.1", "gpt-4.1-mini-2025-04-14", Method.SFT)
        self.target, self.shapes, self.limits = self._format.target, self._format.shapes, self._format.limits

    def convert(self, one: Any, diagnostics: Diagnostics) -> Any:
        return self._format.convert(one, diagnostics)


@given(st.lists(spelled(), min_size=1, max_size=5))
def test_rows_that_are_not_converted_one_by_one_give_the_same_findings_and_bytes(lines: list[bytes]) -> None:
    quick = OpenAIFormat("openai:gpt-4.1", "gpt-4.1-mini-2025-04-14", Method.SFT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.jsonl"
        path.write_bytes(b"".join(lines))
        first, second = check(path, converters=[quick]), check(path, converters=[Slow()])
        assert first == second
        many = Path(folder) / "many.jsonl"
        many.write_bytes(path.read_bytes() + b"".join(TEN))
        outs = [convert(many, one, Path(folder) / name) for one, name in ((quick, "a"), (Slow(), "b"))]
        for one in outs:
            assert (one.exact, one.changed, one.key) == (outs[0].exact, outs[0].changed, outs[0].key)
            assert one.impossible == outs[0].impossible


def test_equal_examples_in_different_spellings_are_duplicates(tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "ü/?"}, {"role": "assistant", "content": 'It is "so".'}]}
    other = json.loads(json.dumps(row).replace("so", "no"))
    lines = [
        json.dumps(row, ensure_ascii=False),
        json.dumps(row),
        json.dumps(row, ensure_ascii=False, separators=(",", ":")),
        json.dumps(row, ensure_ascii=False).replace("/", "\\/"),
        json.dumps(other),
    ]
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines))
    advice = Advice()
    check(path, observers=[advice])
    [found] = [finding for finding in advice.findings() if finding.code == "duplicates"]
    assert (found.line, found.message) == (2, "3 rows repeat an earlier one")
