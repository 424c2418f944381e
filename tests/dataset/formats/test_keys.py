"""Keys that a format has and an example has not: what they mean decides whether the row is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, USER, WORSE, problems, read, write
from ftbridge.dataset import check
from ftbridge.dataset.data_file import data_file


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"id": "1", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, "$.id"),
        (
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b", "timestamp": 1}]},
            "$.conversations[1].timestamp",
        ),
        ({"instruction": "a", "context": "b", "response": "c", "category": "open_qa"}, "$.category"),
        ({"input": "a", "output": "b", "split": "train"}, "$.split"),
        (
            {
                "contents": [
                    {"role": "user", "parts": [{"text": "a"}]},
                    {"role": "model", "parts": [{"text": "b"}], "index": 0},
                ]
            },
            "$.contents[1].index",
        ),
        ({"interactions": [USER, ANSWER], "source": "web"}, "$.source"),
        ({"messages": [USER, ANSWER], "metadata": {"a": 1}}, "$.metadata"),
        ({"messages": [USER, {**ANSWER, "timestamp": 1}]}, "$.messages[1].timestamp"),
        ({"text": "a", "url": "https://a"}, "$.url"),
        ({"messages": [USER], "reference": {"answer": "b"}, "id": 7}, "$.id"),
        (
            {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [WORSE], "id": 7},
            "$.id",
        ),
        (
            {
                "input": {"messages": [USER], "model": "a"},
                "preferred_output": [ANSWER],
                "non_preferred_output": [WORSE],
            },
            "$.input.model",
        ),
    ],
)
def test_what_has_no_meaning_for_training_is_left_out_and_counted(tmp_path: Path, row: Any, path: str) -> None:
    report = check(write(tmp_path / "rows.jsonl", row, row, row))
    assert [(one.path, one.code, one.times) for one in report.findings] == [(path, "key_not_read", 3)]
    assert report.examples == 3


def test_a_source_that_is_a_passage_is_refused_since_the_answer_may_be_about_it(tmp_path: Path) -> None:
    passage = "The sun is a star, and it has planets around it. " * 5
    row = {"instruction": "What does the source say of the sun?", "output": "It is a star.", "source": passage}
    [finding] = check(write(tmp_path / "rows.jsonl", row)).findings
    assert (finding.code, finding.path) == ("unknown_key", "$.source")
    assert "--map source=unused" in finding.fix


TULU = {"id": "a_1", "messages": [USER, ANSWER], "source": "ai2-adapt-dev/oasst1_converted"}
ULTRACHAT = {"prompt": "Where is it?", "prompt_id": "f0e3", "messages": [USER, ANSWER]}
NO_ROBOTS = {**ULTRACHAT, "category": "Chat"}
ULTRAFEEDBACK = {
    "prompt": "Where is it?",
    "prompt_id": "f0e3",
    "chosen": [USER, ANSWER],
    "rejected": [USER, WORSE],
    "messages": [USER, ANSWER],
    "score_chosen": 8.5,
    "score_rejected": 8.5,
}
ALPACA = {
    "instruction": "Sum up.",
    "input": "A text.",
    "output": "Short.",
    "text": "Below is an instruction.\n\n### Instruction:\nSum up.\n\n### Input:\nA text.\n\n### Response:\nShort.",
}


WILDCHAT = {
    "conversation_hash": "1",
    "conversation": [
        {**USER, "hashed_ip": "2", "state": "Berlin", "header": {"user-agent": "a"}, "toxic": False, "redacted": False},
        {**ANSWER, "hashed_ip": None, "state": None, "header": None, "toxic": False, "redacted": False},
    ],
    "toxic": False,
    "hashed_ip": "2",
    "state": "Berlin",
    "header": {"user-agent": "a"},
}


def test_wildchat_is_read_without_what_it_says_of_the_visitor(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", WILDCHAT)
    assert {one.code for one in check(path).findings} == {"key_not_read"}
    assert read(path) == [{"messages": [USER, ANSWER]}]


@pytest.mark.parametrize(
    "row", [{**WILDCHAT, "toxic": True}, {"conversation": [USER, ANSWER], "state": "rejected"}], ids=["toxic", "state"]
)
def test_a_mark_that_says_something_is_refused(tmp_path: Path, row: Any) -> None:
    found = check(write(tmp_path / "rows.jsonl", row)).findings
    assert [one.code for one in found if one.level == "error"] == ["unknown_key"]


def test_a_label_of_a_text_may_be_the_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", {"text": "Great.", "label": "good"})
    [finding] = check(path).findings
    assert "--map text=prompt --map label=completion" in finding.fix
    assert check(data_file(path, {"text": "prompt", "label": "completion"})).examples == 1


@pytest.mark.parametrize(
    ("row", "left_out", "read_as"),
    [
        (TULU, ["id", "source"], {"messages": [USER, ANSWER]}),
        (ULTRACHAT, ["prompt", "prompt_id"], {"messages": [USER, ANSWER]}),
        (NO_ROBOTS, ["category", "prompt", "prompt_id"], {"messages": [USER, ANSWER]}),
        (
            ULTRAFEEDBACK,
            ["messages", "prompt_id", "score_chosen", "score_rejected"],
            {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [WORSE]},
        ),
        (
            ALPACA,
            ["text"],
            {"messages": [{"role": "user", "content": "Sum up.\nA text."}, {"role": "assistant", "content": "Short."}]},
        ),
    ],
)
def test_rows_as_they_are_published_are_read_without_what_repeats_and_identifies(
    tmp_path: Path, row: Any, left_out: list[str], read_as: Any
) -> None:
    path = write(tmp_path / "rows.jsonl", row, row)
    found = check(path).findings
    assert sorted((one.path.removeprefix("$."), one.level, one.times) for one in found) == [
        (key, "warning", 2) for key in left_out
    ]
    assert read(path) == [read_as, read_as]


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({**ULTRACHAT, "prompt": "Another question?"}, "$.prompt"),
        ({**ULTRAFEEDBACK, "messages": [USER, WORSE]}, "$.messages"),
        ({**ULTRAFEEDBACK, "score_rejected": 9.0}, "$.score_rejected"),
        ({**ALPACA, "text": "Something else."}, "$.text"),
    ],
)
def test_what_seems_to_repeat_the_row_and_says_something_else_is_refused(tmp_path: Path, row: Any, path: str) -> None:
    found = check(write(tmp_path / "rows.jsonl", row)).findings
    assert [one.path for one in found if one.level == "error"] == [path]


@pytest.mark.parametrize("key", ["score", "reward", "quality", "label", "title", "answer"])
@pytest.mark.parametrize(
    "row",
    [
        {"messages": [USER, ANSWER]},
        {"prompt": "a", "completion": "b"},
        {"instruction": "a", "output": "b"},
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"prompt": "a", "chosen": "b", "rejected": "c"},
        {"interactions": [USER, ANSWER]},
        {"text": "a"},
    ],
)
def test_what_may_say_how_a_row_is_meant_is_refused_in_every_format_until_the_user_says_unused(
    tmp_path: Path, row: Any, key: str
) -> None:
    path = write(tmp_path / "rows.jsonl", {**row, key: 0.25})
    [finding] = check(path).findings
    assert (finding.level, finding.path, finding.code) == ("error", f"$.{key}", "unknown_key")
    assert re.search(rf"--map ({key}|KEY)=unused", finding.fix)  # in canonical rows one hint is for all keys
    report = check(data_file(path, {key: "unused"}))
    assert (report.examples, report.findings) == (1, ())


def test_the_hint_names_all_the_keys_of_a_row_at_once(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", {"prompt": "a", "completion": "b", "views": 3, "my title": "c"})
    [finding] = check(path).findings
    assert finding.message == "no rule says what 'views', 'my title' mean for training"
    assert "--map views=unused --map 'my title=unused'" in finding.fix
    assert check(data_file(path, {"views": "unused", "my title": "unused"})).findings == ()


TURNS = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}


@pytest.mark.parametrize("key", ["videos", "audios", "chat_template_kwargs", "chosen", "rejected_response"])
@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "a", "completion": "b"},
        {"input": "a", "output": "b"},
        {"instruction": "a", "output": "b"},
        {"instruction": "a", "response": "b"},
        {"interactions": [USER, ANSWER]},
        TURNS,
    ],
)
def test_what_has_a_meaning_that_a_chat_cannot_say_is_refused_in_every_format(
    tmp_path: Path, row: Any, key: str
) -> None:
    value = {"enable_thinking": False} if key == "chat_template_kwargs" else ["x"]
    assert [finding[:2] for finding in problems(tmp_path, {**row, key: value})] == [("error", f"$.{key}")]


@pytest.mark.parametrize("key", ["system", "tools", "images"])
@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "<image>", "completion": "b"},
        {"prompt": [{"role": "user", "content": "<image>"}], "completion": "b"},
        {"input": "<image>", "output": "b"},
        {"instruction": "<image>", "output": "b"},
        {"interactions": [{"role": "user", "content": "<image>"}, ANSWER]},
        {"messages": [{"role": "user", "content": "<image>"}, ANSWER]},
        {"conversations": [{"from": "human", "value": "<image>"}, {"from": "gpt", "value": "b"}]},
        {"prompt": "<image>", "chosen": "b", "rejected": "c"},
        {"instruction": "<image>", "chosen": "b", "rejected": "c"},
        {
            "messages": [{"role": "user", "content": "<image>"}],
            "chosen": ANSWER,
            "rejected": WORSE,
        },
    ],
)
def test_the_system_prompt_tools_and_images_beside_the_messages_are_read_in_every_format(
    tmp_path: Path, row: Any, key: str
) -> None:
    value = {"system": "s", "tools": [{"name": "f"}], "images": ["https://a/1.png"]}[key]
    assert problems(tmp_path, {**row, key: value}) == []
    [example] = read(tmp_path / "rows.jsonl")
    chat = example.get("input", example)
    if key == "system":
        assert chat["messages"][0] == {"role": "system", "content": "s"}
    elif key == "tools":
        assert chat["tools"] == [{"type": "function", "function": {"name": "f"}}]
    else:
        assert chat["messages"][0]["content"] == [{"type": "image_url", "image_url": {"url": value[0]}}]


@pytest.mark.parametrize("key", ["category", "topic", "domain"])
def test_a_class_of_a_text_may_be_the_answer_and_is_not_left_out(tmp_path: Path, key: str) -> None:
    path = write(tmp_path / "rows.jsonl", {key: "sport", "text": "They won."})  # as in the BBC's news of Kaggle
    [found] = check(path).findings[:1]
    assert (found.path, found.code) == (f"$.{key}", "format")
    assert f"--map text=prompt --map {key}=completion" in found.fix
    assert check(data_file(path, {"text": "prompt", key: "completion"})).errors == 0
    assert check(data_file(path, {key: "unused"})).errors == 0


def test_what_sorts_the_texts_of_the_web_is_left_out(tmp_path: Path) -> None:
    row = {"text": "They won.", "language": "en", "language_score": 0.9, "dump": "CC", "url": "u", "token_count": 3}
    assert check(write(tmp_path / "rows.jsonl", row)).errors == 0  # as in FineWeb
