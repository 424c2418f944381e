"""Whatever the example: no text is lost, nothing raises, the example stays, and the row reads back the same."""

from __future__ import annotations

import pickle
import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ftbridge.dataset import check, convert, read_examples
from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Diagnostics
from ftbridge_providers.mistral.tool_ids import rewritten_ids
from random_examples import every_converter, examples

COPIES = 10  # OpenAI takes no fewer examples


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def texts(value: Any, key: str = "") -> list[str]:
    """Every text that a model could learn from, or that a tool is known by."""
    if isinstance(value, dict):
        return [text for name, inner in value.items() for text in texts(inner, name)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner, key)]
    ours = {"content", "text", "arguments", "name", "description", "url", "image_url", "reasoning_content"}
    return [value] if isinstance(value, str) and key in ours else []


@every_converter
@given(example=examples)
def test_convert_loses_no_text_raises_nothing_and_leaves_the_example_alone(
    converter: Converter, example: Example
) -> None:
    before = plain(example)
    diagnostics = Diagnostics()
    row = converter.convert(example, diagnostics)
    assert plain(example) == before
    if any(found.level == "error" for found in diagnostics.findings):
        return
    assert (row is example) == (not set(diagnostics.changes) - {"earlier_answers_not_trained"})
    if "name_dropped" in diagnostics.changes:
        before = without_authors(before)
    everything = "\x02".join(texts(plain(row)))
    assert all(text in everything for text in texts(before))


def without_authors(value: Any) -> Any:
    """The row without the names of those who speak; functions keep theirs."""
    if isinstance(value, dict):
        return {key: without_authors(inner) for key, inner in value.items() if key != "name" or "role" not in value}
    return [without_authors(inner) for inner in value] if isinstance(value, list) else value


@every_converter
@given(example=examples)
def test_what_a_vendor_gets_is_the_example_up_to_the_reported_changes(converter: Converter, example: Example) -> None:
    diagnostics = Diagnostics()
    row = converter.convert(example, diagnostics)
    if any(found.level == "error" for found in diagnostics.findings):
        return
    codes = set(diagnostics.changes)
    assert neutral(plain(row), codes, {}) == neutral(plain(example), codes, {})


@every_converter
@given(example=examples)
def test_what_a_vendor_gets_needs_no_second_conversion(converter: Converter, example: Example) -> None:
    diagnostics = Diagnostics()
    row = converter.convert(example, diagnostics)
    if "image_url_as_string" in diagnostics.changes or any(found.level == "error" for found in diagnostics.findings):
        return
    again = Diagnostics()
    read_back = msgspec.json.decode(msgspec.json.encode(row), type=type(example))
    assert converter.convert(read_back, again) is read_back
    assert again.findings == diagnostics.findings


def file_of(folder: str, example: Example) -> Path:
    path = Path(folder) / "data.jsonl"
    path.write_bytes((msgspec.json.encode(example) + b"\n") * COPIES)
    return path


@every_converter
@given(example=examples)
def test_what_check_passes_convert_accepts_and_what_it_refuses_convert_refuses(
    converter: Converter, example: Example
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = file_of(folder, example)
        report = check(path, converters=[converter])
        done = convert(path, converter, Path(folder) / "out.jsonl")
    errors = [finding for finding in report.findings if finding.level == "error"]
    assert errors == list(done.impossible)


@every_converter
@given(example=examples)
def test_a_vendors_file_reads_back_as_the_example_up_to_the_reported_changes(
    converter: Converter, example: Example
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = convert(file_of(folder, example), converter, Path(folder) / "out.jsonl")
        if done.impossible:
            return
        back = [again for _, again in read_examples(done.out)]
    codes = set(done.changed)
    assert len(back) == COPIES
    assert neutral(plain(back[0]), codes, {}) == neutral(plain(example), codes, {})


@every_converter
def test_a_converter_can_be_sent_to_other_processes(converter: Converter) -> None:
    assert pickle.loads(pickle.dumps(converter)).shapes == converter.shapes


@given(st.lists(st.text(max_size=12) | st.sampled_from(["TX92Jm8Zi", "3XhQnxLsT"])))
def test_rewritten_ids_are_nine_letters_or_digits_and_never_meet(names: list[str]) -> None:
    new = rewritten_ids(names)
    final = [new.get(name, name) for name in dict.fromkeys(names)]
    assert all(re.fullmatch("[a-zA-Z0-9]{9}", name) for name in final)
    assert len(set(final)) == len(final)
    assert rewritten_ids(names) == new


ANY = object()
DROPPED: list[tuple[str, str, Any]] = [
    ("parallel_tool_calls_dropped", "parallel_tool_calls", ANY),
    ("strict_dropped", "strict", ANY),
    ("image_detail_dropped", "detail", ANY),
    ("description_filled", "description", ""),
    ("parameters_filled", "parameters", {"type": "object", "properties": {}}),
]


def neutral(value: Any, codes: set[str], numbers: dict[str, int]) -> Any:
    """The row without what the codes say has changed, so that both sides of the change are equal."""
    if isinstance(value, list):
        return [neutral(inner, codes, numbers) for inner in value]
    if not isinstance(value, dict):
        return value
    row = dict(value)
    if "role" in row:
        neutral_message(row, codes, numbers)
    if "tool_ids_rewritten" in codes and "function" in row and "id" in row:
        row["id"] = numbers.setdefault(row["id"], len(numbers))
    for code, key, value_dropped in DROPPED:
        if code in codes and key in row and value_dropped in (ANY, row[key]):
            del row[key]
    if "image_url_as_string" in codes and isinstance(row.get("image_url"), str):
        row["image_url"] = {"url": row["image_url"]}
    return {key: neutral(inner, codes, numbers) for key, inner in row.items()}


def neutral_message(row: dict[str, Any], codes: set[str], numbers: dict[str, int]) -> None:
    content = row.get("content")
    if "developer_role_renamed" in codes and row["role"] == "developer":
        row["role"] = "system"
    if "name_dropped" in codes:
        row.pop("name", None)
    if "weight_dropped" in codes or ("input_weight_dropped" in codes and row["role"] != "assistant"):
        row.pop("weight", None)
    if "text_as_part" in codes and isinstance(content, str):
        row["content"] = [{"type": "text", "text": content}]
    if "text_parts_joined" in codes and isinstance(content, list) and all("text" in part for part in content):
        row["content"] = content = "\n\n".join(part["text"] for part in content)
    bare = row.get("tool_calls") or content == []
    if "empty_content_dropped" in codes and bare and not "".join(texts(content, "content")):
        row.pop("content", None)
    if "tool_ids_rewritten" in codes and "tool_call_id" in row:
        row["tool_call_id"] = numbers.setdefault(row["tool_call_id"], len(numbers))
