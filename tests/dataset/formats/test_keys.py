"""Keys that a format has and an example has not: what they mean decides whether the row is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from foreign_rows import ANSWER, USER, WORSE, problems, read, write
from ftbridge.dataset import check


@pytest.mark.parametrize(
    ("row", "path"),
    [
        ({"id": "1", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}, "$.id"),
        (
            {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b", "score": 1}]},
            "$.conversations[1].score",
        ),
        ({"prompt": "a", "chosen": "b", "rejected": "c", "score_chosen": 9.5}, "$.score_chosen"),
        ({"prompt": "a", "chosen": "b", "rejected": "c", "messages": [USER, ANSWER]}, "$.messages"),
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
    ],
)
def test_what_has_no_meaning_for_training_is_left_out_with_a_warning(tmp_path: Path, row: Any, path: str) -> None:
    report = check(write(tmp_path / "rows.jsonl", row))
    assert [(finding.path, finding.code) for finding in report.findings] == [(path, "key_not_read")]
    assert report.examples == 1


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
