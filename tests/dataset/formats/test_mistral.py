"""The keys of mistral-finetune's rows."""

from __future__ import annotations

from pathlib import Path

from foreign_rows import ANSWER, SYSTEM, TOOL, USER, WORSE, problems, translated


def test_the_row_has_a_system_prompt_tools_and_only_its_last_answer_trained() -> None:
    row = {
        "interactions": [USER, WORSE, USER, ANSWER],
        "system_prompt": "Be brief.",
        "available_tools": [TOOL],
        "only_last": True,
    }
    assert translated(row) == {"messages": [SYSTEM, USER, {**WORSE, "weight": 0}, USER, ANSWER], "tools": [TOOL]}


def test_a_given_beginning_is_refused(tmp_path: Path) -> None:
    row = {"messages": [USER, {**ANSWER, "prefix": True}]}
    [(level, path, _)] = problems(tmp_path, row)
    assert (level, path) == ("error", "$.messages[1].prefix")
    assert problems(tmp_path, {"messages": [USER, {**ANSWER, "prefix": False}]}) == []
