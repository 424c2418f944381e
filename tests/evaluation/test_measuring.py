"""From single scores to those of models: which rows count, and what is no score."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from ftbridge.answers import Answer
from ftbridge.answers.able import check_answers
from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.errors import Unsupported
from ftbridge.evaluation.answering import Answered
from ftbridge.evaluation.grading import Scored, scored
from ftbridge.evaluation.held_out import held_out_chats, items_of, question_of
from ftbridge.evaluation.measures import Measure
from ftbridge.evaluation.measuring import common_rows, kind_of, measured, scores_of, used, winner
from ftbridge.evaluation.verdict import judge
from ftbridge.graders import GradingContext, StringCheck, sample_of
from ftbridge.graders.item import expected_answer
from ftbridge.graders.metrics import Exact, Label, Text
from ftbridge.model import RowLoss
from ftbridge.plugins import load_provider
from ftbridge.target import parse_target
from small_data import write_rows

NO_LOSS = "the loss is no finite number: the weights may be damaged, or too large for their type"


def of(name: str, answers: list[str], losses: list[RowLoss] | None = None) -> Answered:
    return Answered(
        name, [Answer(text=answer) for answer in answers], [sample_of(answer) for answer in answers], losses
    )


def chats(answers: list[str]) -> list[Chat]:
    return [Chat(messages=[User(content="q"), Assistant(content=answer)]) for answer in answers]


def test_a_loss_that_is_no_number_is_left_out_and_said() -> None:
    losses = [RowLoss(loss=1.0, tokens=4), RowLoss(loss=math.nan, tokens=4), RowLoss(loss=2.0, tokens=12)]
    better = [RowLoss(loss=one.loss / 2, tokens=one.tokens) for one in losses]
    models = [of("new", ["a"] * 3, better), of("old", ["a"] * 3, losses)]
    found = scored(Measure("loss"), chats(["a"] * 3), models, GradingContext())
    assert scores_of(found, None)["old"].score == (1.0 * 4 + 2.0 * 12) / 16
    assert used(found, [1, 2, 5]).problem == f"line 2: {NO_LOSS}"
    assert (used(found, [1, 2, 5]).kind, used(found, [1, 2, 5]).left_out) == ("loss", 1)
    assert [winner(found, row) for row in range(3)] == ["new", None, "new"]
    [comparison] = judge(measured(found, "new", None, 0.05))
    assert (comparison.difference, comparison.verdict) == (-0.875, "not enough rows")


def test_losses_of_other_tokens_are_not_compared() -> None:
    values = {"new": [1.0] * 20, "old": [2.0] * 20}
    found = Scored("loss", values, tokens={"new": [5] * 20, "old": [4] * 20})
    assert measured(found, "new", None, 0.05) == []


def test_models_are_held_against_each_other_on_the_rows_that_all_have_a_score_of() -> None:
    found = Scored("s", {"new": [1.0, None, 0.5, 0.0], "old": [0.0, 1.0, None, 0.0]})
    assert common_rows(found) == [0, 3]
    assert {name: one.score for name, one in scores_of(found, None).items()} == {"new": 0.5, "old": 0.0}
    assert [winner(found, row) for row in range(4)] == ["new", None, None, "tie"]


@pytest.mark.parametrize(
    ("values", "kind"), [([0.0, 1.0], "share"), ([0.5, 1.0], "score"), ([3.0, 1.0], "number"), ([None, None], "share")]
)
def test_the_scores_say_what_they_are(values: list[float | None], kind: str) -> None:
    found = Scored("s", {"new": values})
    assert kind_of(found) == kind
    assert scores_of(found, None)["new"].rows == (0 if None in values else 2)
    assert measured(found, "new", None, 0.05) == []


@pytest.mark.parametrize("metric", [Exact(), Label(), Text()])
def test_empty_answers_and_a_single_label_are_scored(metric: Any) -> None:
    models = [of("new", ["", "a", "a"]), of("old", [""] * 3)]
    found = scored(Measure("m", metric), chats(["a"] * 3), models, GradingContext())
    assert found.values == {"new": [0.0, 1.0, 1.0], "old": [0.0] * 3}
    [comparison] = judge(measured(found, "new", None, 0.05))
    assert comparison.verdict == "not enough rows"
    assert isinstance(scores_of(found, None)["old"].summary, dict)


def test_ties_are_no_worse_once_there_are_enough_rows() -> None:
    for count, verdict in ((20, "not enough rows"), (200, "no worse")):
        found = Scored("s", {"new": [1.0] * count, "old": [1.0] * count})
        assert [one.verdict for one in judge(measured(found, "new", None, 0.05))] == [verdict]


def test_a_row_that_lacks_what_a_grader_reads_is_left_out() -> None:
    grader = StringCheck(
        type="string_check", name="s", input="{{sample.output_text}}", reference="{{item.missing}}", operation="eq"
    )
    found = scored(Measure("s", grader), chats(["a"]), [of("new", ["a"])], GradingContext())
    assert found.values == {"new": [None]}
    assert used(found, [7]).problem == "line 7: the row has no {{item.missing}}"


def test_a_task_is_a_question_with_a_reference(tmp_path: Path) -> None:
    task = {"messages": [{"role": "user", "content": "q"}], "reference": {"city": "Bonn"}}
    [row] = held_out_chats(write_rows(tmp_path / "tasks.jsonl", [task])).values()
    assert question_of(row) == [User(content="q")]
    assert expected_answer(row) == ""
    [item] = items_of([row])
    assert (item["city"], item["reference"], "reference_answer" in item) == ("Bonn", {"city": "Bonn"}, False)


def test_a_provider_that_gives_text_alone_refuses_rows_with_tool_calls(tmp_path: Path) -> None:
    local = load_provider(parse_target("local:tiny"), tmp_path)
    check_answers(local, [])
    with pytest.raises(Unsupported, match="local gives an answer as text alone, and line 3 is about tool calls"):
        check_answers(local, [3, 5])
    check_answers(load_provider(parse_target("openai:gpt-4.1-mini-2025-04-14"), tmp_path), [3])
