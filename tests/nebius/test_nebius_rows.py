"""The rows that Nebius takes, and those it would refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ftbridge.dataset import convert
from ftbridge.dataset.canonical.example import Chat, Example, Preference, Text
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Spec, Status
from ftbridge.provider import Files
from ftbridge_providers.nebius.adapter import NebiusProvider
from ftbridge_providers.nebius.format import NebiusFormat
from hosted_helpers import finished

MODEL = "Qwen/Qwen3-8B"
TAG = "ftb_0123456789ab"
ROWS: list[tuple[str, str]] = [
    ('{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo"}]}', "same"),
    ('{"text": "Once upon a time"}', "same"),
    (
        '{"messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi", "name": "Ada"},'
        ' {"role": "assistant", "content": "Yo", "weight": 1}]}',
        "changed developer_role_renamed name_dropped weight_dropped",
    ),
    (
        '{"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]},'
        ' {"role": "assistant", "content": "Yo"}], "parallel_tool_calls": false}',
        "changed parallel_tool_calls_dropped text_parts_joined",
    ),
    ('{"messages": [{"role": "user", "content": "Hi"}]}', "refused last_not_an_answer $.messages[0]"),
    (
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [{"id": "1", "type":'
        ' "function", "function": {"name": "f", "arguments": "{}"}}]}]}',
        "refused last_not_an_answer $.messages[1]",
    ),
    (
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yo", "weight": 0},'
        ' {"role": "user", "content": "So?"}, {"role": "assistant", "content": "Well"}]}',
        "refused weight_not_offered $.messages[1].weight",
    ),
    (
        '{"messages": [{"role": "user", "content": "Hi", "weight": 0}, {"role": "assistant", "content": "Yo"}]}',
        "changed input_weight_dropped",
    ),
    (
        '{"messages": [{"role": "user", "content": "Hi", "weight": 1}, {"role": "assistant", "content": "Yo",'
        ' "reasoning_content": "A greeting."}]}',
        "refused reasoning_not_trained $.messages[1].reasoning_content input_not_trained $.messages[0].weight",
    ),
    (
        '{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.org/b.png"}}]},'
        ' {"role": "assistant", "content": "Yo"}]}',
        "refused no_images $.messages[0].content[0].image_url.url",
    ),
    (
        '{"input": {"messages": [{"role": "user", "content": "Hi"}]}, "preferred_output": [{"role": "assistant",'
        ' "content": "a"}], "non_preferred_output": [{"role": "assistant", "content": "b"}]}',
        "refused shape_not_trained $",
    ),
]


@pytest.mark.parametrize(("row", "verdict"), ROWS)
def test_each_row_has_its_verdict(row: str, verdict: str) -> None:
    keys = json.loads(row).keys()
    kind: Any = Text if "text" in keys else Preference if "input" in keys else Chat
    example: Example = msgspec.json.decode(row, type=kind)
    diagnostics = Diagnostics()
    made = NebiusFormat("nebius:m").convert(example, diagnostics)
    errors = [f"{found.code} {found.path}" for found in diagnostics.findings if found.level == "error"]
    if errors:
        assert f"refused {' '.join(errors)}" == verdict
    else:
        assert verdict == (f"changed {' '.join(sorted(diagnostics.changes))}" if diagnostics.changes else "same")
        assert (made is example) is (verdict == "same")


def test_what_ftbridge_writes_is_what_nebius_takes(provider: NebiusProvider, spec: Spec, tmp_path: Path) -> None:
    rows = tmp_path / "some.jsonl"
    rows.write_text("".join(row + "\n" for row, verdict in ROWS[2:4] if verdict.startswith("changed")), "utf-8")
    out = tmp_path / "out.jsonl"
    assert not convert(rows, provider.converter(spec, MODEL), out).impossible
    job = provider.create(spec, MODEL, Files(training=provider.upload(out, key="k3")), tag=TAG)
    assert finished(provider, job.remote_id).status is Status.SUCCEEDED
