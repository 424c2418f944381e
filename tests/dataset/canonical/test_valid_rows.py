"""What the format allows is valid, and has no findings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import check
from planted_rows import ANSWER, CALL, CALLING, GOOD, RESULT, TOOLS, USER, chat, write


def test_a_valid_file_has_no_findings(tmp_path: Path) -> None:
    report = check(write(tmp_path, GOOD, GOOD))
    assert (report.format, report.examples, report.errors, report.warnings) == ("chat", 2, 0, 0)
    assert report.why == "line 1 has the keys 'messages'"


@pytest.mark.parametrize(
    "row",
    [
        chat({"role": "system", "content": "Be kind"}, USER, ANSWER),
        chat({"role": "developer", "content": "Be kind"}, USER, ANSWER),
        chat(USER, CALLING, RESULT, ANSWER, tools=TOOLS),
        chat(USER, CALLING, tools=TOOLS),
        chat(USER, {**ANSWER, "weight": 0}, USER, {**ANSWER, "weight": 1}),
        chat(USER, {**ANSWER, "content": None, "tool_calls": [CALL]}, {**RESULT, "content": ""}, ANSWER, tools=TOOLS),
        chat({**USER, "weight": 0}, {**ANSWER, "reasoning_content": "They greet me."}),
        chat(
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8=", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
                ],
            },
            ANSWER,
        ),
        {"input": chat(USER), "preferred_output": [ANSWER], "non_preferred_output": [{**ANSWER, "content": "No"}]},
        {"text": "Once upon a time"},
    ],
)
def test_what_the_format_allows_has_no_findings(tmp_path: Path, row: dict[str, Any]) -> None:
    report = check(write(tmp_path, row))
    assert report.findings == ()
    assert report.examples == 1
