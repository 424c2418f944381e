"""What becomes of each kind of row for each trainer: the same meaning, a change with its code, or a refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from trainer_configs.rows_of_all_kinds import (
    CALL,
    ONE,
    PAIR,
    PARAMETERS,
    SYSTEM,
    TEXT,
    THOUGHT,
    THOUGHT_BEFORE,
    TOOLS,
    TWO,
    ZERO,
    Row,
    export,
    said,
)

HI, HELLO, BYE, SEE_YOU = TWO["messages"]
WHAT = said("assistant", "What?")
OF_TEXT = ("trl", "axolotl", "llama-factory", "unsloth")
BY_DPO = ("trl", "axolotl", "llama-factory")
AS_OBJECT = {"unit": "C", "city": "Oslo"}

EXACT: list[tuple[str, Row, list[Row]]] = [
    ("trl", ONE, [{"prompt": [HI], "completion": [HELLO]}]),
    ("trl", ZERO, [{"prompt": [HI, WHAT, BYE], "completion": [SEE_YOU]}]),
    ("trl", THOUGHT, [{"prompt": THOUGHT["messages"][:1], "completion": THOUGHT["messages"][1:]}]),
    ("axolotl", TWO, [TWO]),
    ("axolotl", ZERO, [{"messages": [HI, said("assistant", "What?", training=False), BYE, SEE_YOU]}]),
    ("axolotl", THOUGHT, [THOUGHT]),
    (
        "axolotl",
        {"messages": [said("user", "Hi", weight=1), HELLO]},
        [{"messages": [said("user", "Hi", training=True), HELLO]}],
    ),
    ("llama-factory", SYSTEM, [SYSTEM]),
    ("llama-factory", ZERO, [{"messages": [HI, WHAT, BYE, SEE_YOU]}]),
    ("unsloth", TWO, [TWO]),
    *((trainer, TEXT, [TEXT]) for trainer in OF_TEXT),
]


@pytest.mark.parametrize(("to", "row", "written"), EXACT)
def test_a_row_keeps_its_meaning(to: str, row: Row, written: list[Row], bridge: Bridge, tmp_path: Path) -> None:
    made, rows = export(bridge, tmp_path, [row], to)
    assert rows == written
    assert (made.training.exact, made.training.changed, made.rows) == (1, {}, 1)


CHANGED: list[tuple[str, list[Row], list[Row], str]] = [
    (
        "trl",
        [TWO],
        [{"prompt": [HI], "completion": [HELLO]}, {"prompt": [HI, HELLO, BYE], "completion": [SEE_YOU]}],
        "one_row_per_answer",
    ),
    (
        "llama-factory",
        [ZERO, TWO],
        [{"messages": [HI, WHAT, BYE, SEE_YOU]}, ONE, TWO],
        "one_row_per_answer",
    ),
    (
        "axolotl",
        [THOUGHT_BEFORE],
        [
            THOUGHT,
            {
                "messages": [
                    THOUGHT["messages"][0],
                    {**THOUGHT["messages"][1], "training": False},
                    *THOUGHT_BEFORE["messages"][2:],
                ]
            },
        ],
        "one_row_per_answer",
    ),
    (
        "unsloth",
        [{"messages": [said("developer", "Brief."), HI, HELLO]}],
        [{"messages": [said("system", "Brief."), HI, HELLO]}],
        "developer_role_renamed",
    ),
    (
        "trl",
        [{"messages": [said("user", "Hi", name="jo"), HELLO]}],
        [{"prompt": [HI], "completion": [HELLO]}],
        "names_left_out",
    ),
    ("axolotl", [ONE | {"parallel_tool_calls": False}], [ONE], "parallel_tool_calls_left_out"),
    ("unsloth", [{"messages": [said("user", "Hi", weight=0), HELLO]}], [ONE], "input_weight_dropped"),
]


@pytest.mark.parametrize(("to", "given", "written", "code"), CHANGED)
def test_a_change_has_a_code_and_a_count(
    to: str, given: list[Row], written: list[Row], code: str, bridge: Bridge, tmp_path: Path
) -> None:
    made, rows = export(bridge, tmp_path, given, to)
    assert rows == written
    assert made.training.changed == {code: (1, len(given))}


ASKED = {"messages": [said("user", "Hi", weight=1), HELLO]}
NEW = said("system", "New.")
SEEN = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}
QUESTION, CALLED, *REST = CALL["messages"]
SAID_AND_CALLED = {"messages": [QUESTION, {**CALLED, "content": "Let me see."}, *REST], "tools": TOOLS}

REFUSED: list[tuple[str, Row, str, str]] = [
    *((to, ASKED, "$.messages[0].weight", "input_not_trained") for to in ("trl", "llama-factory", "unsloth")),
    ("unsloth", ZERO, "$.messages[1].weight", "weight_not_offered"),
    ("unsloth", CALL, "$.tools", "tools_not_taken"),
    ("unsloth", {"messages": CALL["messages"]}, "$.messages[1]", "tools_not_taken"),
    ("unsloth", THOUGHT, "$.messages[1].reasoning_content", "reasoning_not_trained"),
    ("llama-factory", THOUGHT, "$.messages[1].reasoning_content", "reasoning_not_trained"),
    ("llama-factory", {"messages": [HI, HI, HELLO]}, "$.messages[1].role", "roles_do_not_alternate"),
    ("llama-factory", {"messages": [HI, HELLO, NEW, HI, HELLO]}, "$.messages[2].role", "system_not_first"),
    ("llama-factory", SAID_AND_CALLED, "$.messages[1].content", "content_and_tool_calls"),
    *((to, {"messages": [SEEN, HELLO]}, "$.messages[0].content", "image_not_trained") for to in OF_TEXT),
]


@pytest.mark.parametrize(("to", "row", "path", "code"), REFUSED)
def test_what_a_trainer_would_lose_is_refused_and_nothing_is_written(
    to: str, row: Row, path: str, code: str, bridge: Bridge, tmp_path: Path
) -> None:
    made, _rows = export(bridge, tmp_path, [ONE, row], to)
    [finding] = made.training.impossible
    assert (finding.line, finding.path, finding.code, finding.target) == (2, path, code, to)
    assert finding.fix
    assert not (tmp_path / "out").exists()


def test_tools_for_trl_are_one_text_and_arguments_are_objects(bridge: Bridge, tmp_path: Path) -> None:
    made, rows = export(bridge, tmp_path, [CALL], "trl")
    assert [json.loads(row["tools"]) for row in rows] == [TOOLS, TOOLS]
    assert rows[0]["completion"][0]["tool_calls"][0]["function"]["arguments"] == AS_OBJECT
    assert rows[1]["prompt"][2] == CALL["messages"][2]
    assert list(made.training.changed) == ["one_row_per_answer"]


def test_tools_for_axolotl_are_objects_whose_schemas_are_texts(bridge: Bridge, tmp_path: Path) -> None:
    made, [row] = export(bridge, tmp_path, [CALL], "axolotl")
    assert json.loads(row["tools"][0]["function"]["parameters"]) == PARAMETERS
    assert row["messages"][1]["tool_calls"] == CALL["messages"][1]["tool_calls"]
    assert made.training.exact == 1


def test_tools_for_llama_factory_are_texts_in_roles_of_its_own(bridge: Bridge, tmp_path: Path) -> None:
    made, rows = export(bridge, tmp_path, [CALL, ONE], "llama-factory")
    roles = [one["role"] for one in rows[0]["messages"]]
    assert roles == ["user", "function_call", "tool", "assistant"]
    assert json.loads(rows[0]["messages"][1]["content"]) == [{"name": "weather", "arguments": AS_OBJECT}]
    assert json.loads(rows[0]["tools"]) == TOOLS
    assert rows[1] == {**ONE, "tools": ""}
    assert made.training.changed == {"tools_by_trainers_template": (1, 1)}


PROMPT, [BETTER], [WORSE] = PAIR["input"]["messages"], PAIR["preferred_output"], PAIR["non_preferred_output"]
PAIRS: list[tuple[str, Row]] = [
    ("trl", {"prompt": PROMPT, "chosen": [BETTER], "rejected": [WORSE]}),
    ("axolotl", {"messages": PROMPT, "chosen": BETTER, "rejected": WORSE}),
    ("llama-factory", {"messages": PROMPT, "chosen": BETTER, "rejected": WORSE}),
]


@pytest.mark.parametrize(("to", "written"), PAIRS)
def test_a_preference_keeps_which_answer_is_better(to: str, written: Row, bridge: Bridge, tmp_path: Path) -> None:
    made, rows = export(bridge, tmp_path, [PAIR], to, method="dpo")
    assert rows == [written]
    assert made.training.exact == 1


SEVERAL = {**PAIR, "preferred_output": [HELLO, BYE, SEE_YOU]}
SILENT = {**PAIR, "non_preferred_output": [{**WORSE, "weight": 0}]}
REASONED = {**PAIR, "preferred_output": THOUGHT["messages"][1:]}
EQUIPPED = {**PAIR, "input": {**PAIR["input"], "tools": TOOLS}}
BROKEN: list[tuple[str, Row, str, str]] = [
    *((to, SEVERAL, "$.preferred_output", "output_not_one_assistant") for to in BY_DPO),
    *((to, SILENT, "$.non_preferred_output[0].weight", "output_weight_zero") for to in BY_DPO),
    *((to, REASONED, "$.preferred_output[0].reasoning_content", "reasoning_not_trained") for to in BY_DPO[1:]),
    ("axolotl", EQUIPPED, "$.input.tools", "tools_not_taken"),
]


@pytest.mark.parametrize(("to", "row", "path", "code"), BROKEN)
def test_a_preference_that_a_trainer_would_read_otherwise_is_refused(
    to: str, row: Row, path: str, code: str, bridge: Bridge, tmp_path: Path
) -> None:
    made, _rows = export(bridge, tmp_path, [row], to, method="dpo")
    assert [(one.path, one.code) for one in made.training.impossible] == [(path, code)]


@pytest.mark.parametrize(("method", "rows"), [("dpo", [ONE]), ("sft", [PAIR])])
def test_rows_of_another_method_are_refused(method: str, rows: list[Any], bridge: Bridge, tmp_path: Path) -> None:
    made, _rows = export(bridge, tmp_path, rows, "trl", method=method)
    assert [one.code for one in made.training.impossible] == ["shape"]
