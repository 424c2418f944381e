"""Tasks: chats that wait for an answer, with what a grader knows of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ftbridge.dataset import check, prepare
from ftbridge.dataset.findings import Finding

QUESTION = {"role": "user", "content": "What is two and two?"}


def written(folder: Path, *rows: Any) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def task(**more: Any) -> dict[str, Any]:
    return {"messages": [QUESTION], "reference": {"answer": "four"}, **more}


def only_error(file: Path, format: str | None = None) -> Finding:  # noqa: A002 - the word of the library
    [found] = [finding for finding in check(file, format=format).findings if finding.level == "error"]
    return found


def test_rows_with_a_reference_are_tasks(tmp_path: Path) -> None:
    report = check(written(tmp_path, task(), task(tools=[])))
    assert (report.format, report.examples, report.errors) == ("task", 2, 0)


def test_a_task_ends_with_the_user(tmp_path: Path) -> None:
    found = only_error(written(tmp_path, task(messages=[QUESTION, {"role": "assistant", "content": "four"}])))
    assert (found.code, found.path) == ("last_not_user", "$.messages[1]")
    assert "'reference'" in found.fix


def test_what_the_grader_reads_is_in_the_reference_and_nowhere_else(tmp_path: Path) -> None:
    found = only_error(written(tmp_path, task(), task(solution="four")))
    assert (found.line, found.code, found.path) == (2, "unknown_key", "$.solution")
    assert found.fix == "Move it into 'reference', where the grader looks for it."


def test_a_chat_among_tasks_is_told_and_so_is_a_task_among_chats(tmp_path: Path) -> None:
    chat = {"messages": [QUESTION, {"role": "assistant", "content": "four"}]}
    assert only_error(written(tmp_path, task(), chat)).code == "mixed_shapes"
    found = only_error(written(tmp_path, chat, task()))
    assert (found.code, found.path) == ("unknown_key", "$.reference")
    assert "reinforcement" in found.fix


def test_a_reference_is_an_object(tmp_path: Path) -> None:
    found = only_error(written(tmp_path, task(reference="four")))
    assert (found.code, found.path) == ("wrong_type", "$.reference")
    assert "openai-rft" in found.fix


def test_openais_own_rows_are_read_where_that_is_asked_for(tmp_path: Path) -> None:
    for key in ("answer", "reference_answer", "rubric"):
        found = only_error(written(tmp_path, {"messages": [QUESTION], key: "four"}))
        assert (found.code, found.path) == ("unknown_key", f"$.{key}")
        assert "For reinforcement" in found.fix
        assert found.fix.endswith("--format openai-rft.")
    file = written(tmp_path, *({"messages": [QUESTION], "answer": n, "reference": "R"} for n in range(4)))
    made = prepare(file, tmp_path / "out", format="openai-rft", validation=0)
    rows = [json.loads(line) for line in made.train.path.read_text("utf-8").splitlines()]
    assert sorted(row["reference"]["answer"] for row in rows) == [0, 1, 2, 3]
    assert {row["reference"]["reference"] for row in rows} == {"R"}
