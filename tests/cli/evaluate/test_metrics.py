"""`evaluate` by metrics, chosen by looking at the rows or named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.evaluate.small_chats import BASE, Train, calling, chat, chats, held
from command_line import Cli
from small_data import write_rows

LABELS = ["billing", "delivery", "fault", "praise"] * 10
MIXED_UP = ["delivery" if n % 8 == 0 else label for n, label in enumerate(LABELS)]


def test_labels_have_their_own_scores_and_a_table_of_confusions(here: Cli, train: Train) -> None:
    train(chats(MIXED_UP))
    rows = held(chats(LABELS))
    shown = here("evaluate", "new", rows, "--baseline", columns=80)
    assert shown.code == 0
    assert "Scored by label, because the expected answers are 4 short texts that recur" in shown.out
    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "billing 100.0% 50.0% 66.7% 10" in lines, "precision, recall, F1 and rows"
    assert "1 billing 5 5 · ·" in lines
    tables = [line for line in shown.out.splitlines() if not line.startswith(("Scored", "label:"))]
    assert max(map(len, tables)) <= 80
    found = here("evaluate", "new", rows, "--json").json
    summary = found["models"][0]["scores"]["label"]["summary"]
    assert summary["confusion"]["billing"] == {"billing": 5, "delivery": 5}
    assert summary["labels"]["delivery"] == {"precision": 10 / 15, "recall": 1.0, "f1": 0.8, "support": 10}
    assert found["models"][0]["scores"]["label"]["score"] == 35 / 40
    assert found["chosen_because"].startswith("the expected answers are 4 short texts")


def test_many_labels_become_a_list_of_the_most_frequent_confusions(here: Cli, train: Train) -> None:
    labels = [f"the label number {n % 20}" for n in range(60)]
    train(chats([label if n % 20 else "the label number 7" for n, label in enumerate(labels)]))
    shown = here("evaluate", "new", held(chats(labels)), columns=80)
    assert "'the label number 0' was answered with 'the label number 7' in 3 rows." in shown.out


def test_json_is_scored_by_its_fields_and_as_a_whole(here: Cli, train: Train) -> None:
    expected = [json.dumps({"kind": "a", "number": n}) for n in range(12)]
    train(chats([text if n % 2 else json.dumps({"number": 99, "kind": "a"}) for n, text in enumerate(expected)]))
    found = here("evaluate", "new", held(chats(expected)), "--json").json
    assert [one["name"] for one in found["metrics"]] == ["json", "exact"]
    assert [one["kind"] for one in found["metrics"]] == ["score", "share"]
    scores = found["models"][0]["scores"]
    assert (scores["json"]["score"], scores["exact"]["score"]) == (0.75, 0.5)
    assert scores["json"]["summary"] == {"valid": 1.0, "equal": 0.5}
    assert scores["json"]["interval"]["low"] < 0.75 < scores["json"]["interval"]["high"]


def test_rows_that_end_in_a_tool_call_are_scored(here: Cli, train: Train) -> None:
    expected = [calling(f"q{n}", f"city {n}") for n in range(12)]
    train([row if n % 3 else calling(f"q{n}", "elsewhere") for n, row in enumerate(expected)])
    ran = here("evaluate", "new", held(expected), "--rows", "out.jsonl", "--json")
    found = ran.json
    assert (ran.code, [one["name"] for one in found["metrics"]]) == (0, ["tools", "exact"])
    assert found["models"][0]["scores"]["tools"]["score"] == pytest.approx(8 / 12)
    assert found["models"][0]["scores"]["tools"]["summary"]["names_equal"] == 1.0
    assert found["tuned"]["exact_match"] == pytest.approx(8 / 12)
    [first, second, *_] = map(json.loads, Path("out.jsonl").read_text("utf-8").splitlines())
    assert first["expected_calls"][0]["function"]["arguments"] == '{"city": "city 0"}'
    assert first["answers"]["tuned"]["scores"] == {"tools": 0.0, "exact": 0.0}
    assert second["answers"]["tuned"]["tool_calls"] == second["expected_calls"]


def test_several_rivals_stand_in_one_table_and_the_first_metric_decides(here: Cli, train: Train) -> None:
    expected = [json.dumps({"kind": label}) for label in LABELS]
    spaced = [text.replace(" ", "") if n % 2 else text for n, text in enumerate(expected)]
    new, old = train(chats(spaced)), train(chats(expected), "old")
    rivals = ["--against", "old", "--against", BASE]
    ran = here("evaluate", "new", held(chats(expected)), *rivals)
    assert ran.code == 0, "it is worse by its exact answers alone"
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert f"40 held-out rows metric score 95% interval {new} is" in lines
    assert f"{BASE} json 0.0% 0.0 to 8.8 better" in lines
    assert f"{old} json 100.0% 91.2 to 100.0 not enough rows" in lines
    assert f"{old} exact 100.0% 91.2 to 100.0 worse" in lines
    assert f"{new} exact 50.0% 35.2 to 64.8" in lines
    assert "The 4 verdicts are corrected for their number (Holm)." in ran.out
    worse = here("evaluate", "new", held(chats(expected)), *rivals, "--metric", "exact", "--metric", "json", "--json")
    assert (worse.code, worse.json["failures"], worse.json["rival"]) == (1, ["worse"], old)
    assert [one["name"] for one in worse.json["models"]] == ["tuned", old, BASE]
    assert worse.json["job"] == new
    assert worse.json["against"]["exact_match"] == 1.0
    assert worse.json["paired"]["verdict"] == "worse"


def test_a_minimum_is_of_the_first_metric_or_of_the_named_one(here: Cli, train: Train) -> None:
    train(chats(MIXED_UP))
    rows = held(chats(LABELS))
    ran = here("evaluate", "new", rows, "--metric", "label", "--min", "0.8", "--min", "exact=0.9", "--json")
    assert (ran.code, ran.json["failures"]) == (1, ["below_minimum"])
    assert (ran.json["minimum"], ran.json["minima"]) == (0.8, {"label": 0.8, "exact": 0.9})
    assert "exact: 87.5% is below the minimum, 90.0%" in here("evaluate", "new", rows, "--min", "exact=0.9").err
    for wrong in ("exact=", "exact=2", "nan", "loss=0.5", "eksact=0.5"):
        assert here("evaluate", "new", rows, "--min", wrong).code == 2, wrong


def test_rows_are_written_as_the_ending_says(here: Cli, train: Train) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    train(chats(MIXED_UP))
    rows = held([*chats(LABELS)[:9], {"messages": [{"role": "system", "content": "s"}, *chat("=q", "b")["messages"]]}])
    for file in ("out.csv", "out.parquet", "out.jsonl"):
        assert here("evaluate", "new", rows, "--baseline", "--metric", "exact", "--rows", file).code == 0
    with Path("out.csv").open(encoding="utf-8", newline="") as lines:
        read = [*csv.DictReader(lines)]
    assert [*read[0].values()] == [
        "1",
        "q0",
        "billing",
        "delivery",
        "0.0",
        "I have not been tuned on that.",
        "0.0",
        "tie",
    ]
    columns = ["line", "question", "expected", "tuned answer", "tuned exact", "base answer", "base exact", "winner"]
    assert [*read[0]] == columns
    assert [row["winner"] for row in read] == ["tie"] + ["tuned"] * 7 + ["tie"] * 2
    assert json.loads(read[-1]["question"])[1] == {"role": "user", "content": "=q"}
    table = parquet.read_table("out.parquet")
    assert table.column_names == columns
    assert [str(table.schema.field(name).type) for name in ("line", "tuned exact", "winner")] == [
        "int64",
        "double",
        "string",
    ]
    assert [str(value) for value in table.to_pylist()[0].values()] == [*read[0].values()]
    nested = [json.loads(line) for line in Path("out.jsonl").read_text("utf-8").splitlines()]
    assert [row["winner"] for row in nested] == [row["winner"] for row in read]
    assert nested[0]["answers"]["base"]["answer"] == read[0]["base answer"]
    wrong = here("evaluate", "new", rows, "--rows", "out.xls")
    assert (wrong.code, wrong.err.splitlines()[0]) == (2, "error: out.xls is none of .jsonl, .csv, .parquet")


def test_answers_that_are_none_are_counted(here: Cli, train: Train, answered: Callable[..., None]) -> None:
    train(chats(["a"] * 12))
    refusal = {"role": "assistant", "content": None, "refusal": "I will not."}
    kinds: dict[str, dict[str, Any]] = {
        "q0": {"finish_reason": "length"},
        "q1": {"message": {"content": ""}},
        "q2": {"message": refusal},
    }
    answered(
        lambda body, answer: {
            **answer,
            "choices": [{**answer["choices"][0], **kinds.get(body["messages"][-1]["content"], {})}],
        }
    )
    ran = here("evaluate", "new", held(chats(["a"] * 4)), "--rows", "out.jsonl")
    said = " ".join(ran.err.split())
    assert "tuned: 4 questions asked, 0 answers from the ledger; 1 truncated; 1 refused" in " ".join(ran.out.split())
    assert "tuned: 1 of 4 answers have no text and no tool call." in said
    third = json.loads(Path("out.jsonl").read_text("utf-8").splitlines()[2])
    assert third["answers"].popitem()[1]["refusal"] == "I will not."


def test_a_dataset_in_another_format_is_named_or_detected(here: Cli, train: Train) -> None:
    train(chats(LABELS))
    rows = [{"instruction": f"q{n}", "input": "", "output": label} for n, label in enumerate(LABELS)]
    ran = here("evaluate", "new", write_rows(Path("alpaca.jsonl"), rows), "--format", "alpaca", "--json")
    assert ran.json["tuned"]["exact_match"] == 1.0
    assert here("evaluate", "new", Path("alpaca.jsonl"), "--format", "sharegpt").code == 1


WRONG = {
    ("--metric", "exakt"): "no metric is called 'exakt'",
    ("--metric", "jugde"): "Did you mean 'judge'? Known: exact, json, judge, label, loss, text, tools.",
    ("--metric", "judge"): "the metric judge needs a model that judges and a rubric",
    ("--metric", "loss"): "openai does not tell the loss of a row",
    ("--judge", BASE): "has no rubric to judge by",
    ("--rubric", "held.jsonl"): "a rubric is given, and no model that judges by it",
    ("--judge", "nobody:x", "--rubric", "held.jsonl"): "who judges is no target",
    ("--judge", BASE, "--rubric", "none.txt"): "none.txt cannot be read",
    ("--grader", "held.jsonl"): "held.jsonl is not JSON",
    ("--grader", "exact.json", "--metric", "exact"): "a metric is called 'exact' too",
    ("--against", "nobody"): "nobody",
    ("--against", "new"): "cannot be compared with itself",
    ("--rows", "none/out.csv"): "there is no folder none",
}


def test_what_cannot_be_measured_is_said_before_anything_is_asked(
    here: Cli, train: Train, answered: Callable[..., None]
) -> None:
    train(chats(LABELS))
    asked: list[Any] = []

    def remembered(body: Any, answer: dict[str, Any]) -> dict[str, Any]:
        asked.append(body)
        return answer

    answered(remembered)
    check = {"type": "string_check", "name": "exact", "input": "a", "reference": "a", "operation": "eq"}
    Path("exact.json").write_text(json.dumps(check), "utf-8")
    rows = held(chats(LABELS))
    for options, sentence in WRONG.items():
        ran = here("evaluate", "new", rows, *options, columns=400)
        assert (ran.code in (2, 3), sentence in ran.err) == (True, True), (options, ran)
    assert asked == []


def test_one_row_has_scores_and_no_verdict(here: Cli, train: Train) -> None:
    train(chats(LABELS))
    for metric in ("exact", "label", "text"):
        ran = here("evaluate", "new", held(chats(LABELS[:1])), "--baseline", "--metric", metric)
        assert (ran.code, "Not enough rows to tell" in ran.out) == (0, True), ran
    no_json = here("evaluate", "new", held(chats(LABELS)), "--baseline", "--metric", "json")
    assert no_json.code == 0
    assert "json: 40 of 40 rows have no score of every model and are left out." in " ".join(no_json.err.split())
    assert "line 1: the expected answer is no JSON" in no_json.err
    empty = here("evaluate", "new", held([]))
    assert (empty.code, "Traceback" in empty.err) == (1, False)
