"""What holds for every input, hostile ones included."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from as_it_is import AsItIs
from ftbridge.dataset import advise, check, convert, prepare, read_examples
from ftbridge.dataset.canonical.example import SHAPES
from ftbridge.dataset.canonical.verbatim import differences, verbatim
from ftbridge.dataset.formats import FORMATS, recognise
from ftbridge.dataset.reading.batch import Batch
from ftbridge.dataset.reading.compressed import GZIP, ZSTD
from ftbridge.errors import InputError
from ftbridge.wording import printable

words = st.text(st.characters(codec="utf-8"), max_size=12)
KEYS = (
    "messages role content name tools tool_calls tool_call_id weight id type function arguments text input prompt "
    "chosen rejected completion conversations from value contents parts instruction output schemaVersion system "
    "history preferred_output non_preferred_output image_url url functions function_call arguments images "
    "label output context response rejected_response completions score completion references toolConfig toolUse "
    "toolResult functionCall functionResponse functionDeclarations inlineData thought parameters nullable"
)
keys = st.sampled_from(KEYS.split())
values = st.sampled_from(
    ["system", "user", "assistant", "tool", "text", "image_url", "function", "human", "gpt", "model"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | values | words
hostile = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | words, inner, max_size=5), max_leaves=25
)

text = words.filter(lambda word: bool(word.strip()))
user = st.fixed_dictionaries({"role": st.just("user"), "content": text}, optional={"name": text})
answer = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": text}, optional={"weight": st.just(1), "name": text}
)
chats = st.lists(st.tuples(user, answer), min_size=1, max_size=3).map(
    lambda turns: {"messages": [message for turn in turns for message in turn]}
)


def file_of(folder: str, *lines: bytes, suffix: str = ".jsonl") -> Path:
    path = Path(folder) / f"data{suffix}"
    path.write_bytes(b"\n".join(lines))
    return path


@given(st.lists(hostile, max_size=4), st.booleans(), st.sampled_from([None, *FORMATS]))
def test_no_row_gives_a_traceback(rows: list[Any], ascii_only: bool, name: str | None) -> None:
    lines = [json.dumps(row, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(folder, *lines)
        report = check(path, format=name)
        assert report.errors == sum(finding.level == "error" for finding in report.findings)
        assert all(finding.message.isprintable() and finding.path.isprintable() for finding in report.findings)
        assert all(finding.fix.isprintable() for finding in report.findings)
        advise(path, format=name)


@given(st.binary(max_size=200), st.sampled_from([".jsonl", ".csv"]))
@example(b"\x80\n\x00", ".csv")
@example(b"(\xb5/\xfd", ".jsonl")  # the header of a truncated zstd file
def test_no_bytes_give_a_traceback(data: bytes, suffix: str) -> None:
    """What looks compressed and cannot be decompressed is the documented `InputError`; all else is in the report."""
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(folder, data, suffix=suffix)
        if data.startswith((GZIP, ZSTD)):
            with suppress(InputError):
                check(path)
        else:
            check(path)


@given(st.lists(chats, min_size=1, max_size=4), st.booleans())
def test_what_check_passes_convert_accepts_unchanged(rows: list[Any], ascii_only: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(folder, *[json.dumps(row, ensure_ascii=ascii_only).encode() for row in rows], b"")
        assert check(path).errors == 0
        done = convert(path, AsItIs(), Path(folder) / "out.jsonl")
        assert (done.exact, done.changed, done.impossible) == (len(rows), {}, ())
        assert done.out.read_bytes() == path.read_bytes()


@given(hostile)
def test_what_is_read_and_written_again_is_the_same_example(row: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(folder, json.dumps(row).encode())
        if check(path).errors or not check(path).examples:
            return
        [(_, first)] = read_examples(path)
        again = file_of(folder, msgspec.json.encode(first))
        assert [example for _, example in read_examples(again)] == [first]


@given(chats, st.data())
def test_a_repeated_key_is_always_noticed(row: dict[str, Any], data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(row["messages"]))
    key = data.draw(st.sampled_from(sorted(message)))
    extra = data.draw(st.sampled_from(['"', '\\u0022"', '"\\u0022\\u0022']) | words)
    pairs = json.dumps(message)[1:-1]
    spoilt = "{" + json.dumps(key) + ": " + json.dumps(extra) + ", " + pairs + "}"
    raw = json.dumps(row).replace(json.dumps(message), spoilt, 1).encode()
    example = msgspec.json.decode(json.dumps(row), type=SHAPES["chat"])
    canonical = msgspec.json.encode(example)
    assert not verbatim(raw, canonical)
    assert differences(raw, canonical) == {"repeated_keys_removed"}
    assert Batch([1, 2], [json.dumps(row).encode(), raw], [example, example], canonical=True).unusual[-1:] == [1]


@given(st.lists(chats, min_size=1, max_size=12), st.integers(0, 3), st.sampled_from(["exact", "none"]))
def test_preparing_loses_and_invents_nothing(rows: list[Any], seed: int, dedupe: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(folder, *[json.dumps(row).encode() for row in rows])
        outs = [Path(folder) / name for name in ("a", "b")]
        first, again = (prepare(path, out, dedupe=dedupe, validation=0.3, seed=seed) for out in outs)
        parts = [part for part in (first.train, first.validation) if part]
        written = [line for part in parts for line in part.path.read_bytes().splitlines()]
        given_rows = [msgspec.json.encode(example) for _, example in read_examples(path)]
        assert sorted(written) == sorted(given_rows if dedupe == "none" else set(given_rows))
        assert first.train.path.read_bytes() == again.train.path.read_bytes()


@given(st.text())
def test_printable_text_stays_on_one_line(text: str) -> None:
    assert printable(text).isprintable()
    assert text[:59].isprintable() <= (printable(text)[:59] == text[:59])


@given(st.dictionaries(keys, hostile, max_size=4))
def test_recognising_a_row_never_fails(row: dict[str, Any]) -> None:
    known = recognise(row)
    assert known is None or known.name in FORMATS
