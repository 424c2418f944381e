"""`evaluate` by graders, judges and metrics of plugins."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.evaluate.small_chats import BASE, Train, chats, held
from command_line import Cli
from ftbridge.graders import PythonLimits
from third_party import install

SOURCE = """
def grade(sample, item):
    while sample["output_text"] == "loop": pass
    if sample["output_text"] == "fail": raise ValueError("no")
    return len(set(sample["output_text"]) & set(item["reference_answer"])) / 10
"""


def test_a_python_grader_that_loops_costs_its_row_and_the_others_are_scored(
    here: Cli, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbridge.graders.context.PythonLimits", lambda: PythonLimits(seconds=1.5))
    train(chats(["loop", "abc", "fail", *["abcd"] * 9]))
    grader = {"type": "python", "name": "letters", "source": SOURCE}
    Path("python.json").write_text(json.dumps(grader), "utf-8")
    rows = held(chats(["abc"] * 12))
    ran = here("evaluate", "new", rows, "--grader", "python.json", "--rows", "out.jsonl")
    assert ran.code == 0
    said = " ".join(ran.err.split())
    assert "letters: 2 answers could not be graded and count 0. The first reason: line 1: the python grader" in said
    assert "it took longer than 1.5 seconds" in said
    answers = [json.loads(line)["answers"] for line in Path("out.jsonl").read_text("utf-8").splitlines()]
    [scores] = zip(*[[one["scores"]["letters"] for one in row.values()] for row in answers], strict=True)
    assert scores == (0.0, 0.3, 0.0, *[0.3] * 9)
    broken = json.dumps({**grader, "source": "def grade(sample, item) return 1"})
    Path("python.json").write_text(broken, "utf-8")
    refused = here("evaluate", "new", rows, "--grader", "python.json")
    assert (refused.code, "SyntaxError: expected ':'" in refused.err) == (2, True)


def judged(body: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """A judge that likes long answers and, of two as long, the first one."""
    task, asked = body["messages"][0]["content"], body["messages"][-1]["content"]
    if "Longer is better." not in task:
        return answer
    before, _, second = asked.rpartition("nswer:\n\n")
    result: Any = len(second) / 10
    if "The first answer" in before:
        first = before.rpartition("The first answer:\n\n")[2].removesuffix("\n\nThe second a")
        result = "first" if len(first) >= len(second) else "second"
    content = json.dumps({"steps": [], "result": result})
    return {**answer, "choices": [{**answer["choices"][0], "message": {"role": "assistant", "content": content}}]}


def test_a_judge_scores_one_model_and_compares_two_in_both_orders(
    here: Cli, train: Train, answered: Callable[..., None]
) -> None:
    train(chats(["aaaa", "bbbb", "cccc", "dddddd"] * 10))
    train(chats(["aa", "xxxx", "cccc", "ddddddd"] * 10), "old")
    answered(judged)
    Path("rubric.txt").write_text("Longer is better.", "utf-8")
    rows, how = held(chats(["e"] * 40)), ["--judge", BASE, "--rubric", "rubric.txt", "--json"]
    alone = here("evaluate", "new", rows, *how).json
    assert [one["name"] for one in alone["metrics"]] == ["judge"]
    assert alone["models"][0]["scores"]["judge"]["score"] == pytest.approx((0.4 * 3 + 0.6) / 4)
    pair = here("evaluate", "new", rows, "--against", "old", "--rows", "out.jsonl", *how).json
    assert pair["models"][0]["scores"]["judge"]["score"] == 0.5, "won, undecided by position, equal, lost"
    assert pair["comparisons"][0]["difference"] == 0.0
    written = [json.loads(line) for line in Path("out.jsonl").read_text("utf-8").splitlines()]
    assert [row["winner"] for row in written[:4]] == ["tuned", "tie", "tie", pair["rival"]]
    assert written[1]["answers"][pair["rival"]]["details"] == {"judge": {"verdicts": ["first", "first"]}}


def test_a_graders_model_is_a_target_or_the_judge(here: Cli, train: Train, answered: Callable[..., None]) -> None:
    train(chats(["aaaa"] * 12))
    answered(judged)
    message = {"role": "user", "content": "{{item.reference_answer}}, the answer:\n\n{{sample.output_text}}"}
    task = {"role": "system", "content": "Longer is better."}
    grader = {"type": "score_model", "name": "long", "model": "gpt-5", "input": [task, message], "range": [0, 1]}
    Path("grader.json").write_text(json.dumps(grader), "utf-8")
    rows = held(chats(["e"] * 12))
    refused = here("evaluate", "new", rows, "--grader", "grader.json")
    assert refused.code == 2
    assert "--judge openai:gpt-4.1" in refused.err
    found = here("evaluate", "new", rows, "--grader", "grader.json", "--judge", BASE, "--json").json
    assert found["models"][0]["scores"]["long"]["score"] == pytest.approx(0.4)


def test_a_plugins_metric_is_named_like_any_other(
    here: Cli, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "from ftbridge.graders import Grade, Metric\n"
        "class Shortness(Metric):\n"
        "    name = 'shortness'\n"
        "    def grade(self, item, sample):\n"
        "        return Grade(score=1 / len(sample['output_text']))\n"
        "    def summarise(self, rows):\n"
        "        raise ValueError('no summary')\n"
    )
    entry_points = "[ftbridge.metrics]\nshortness = short_metrics:Shortness\n"
    install(tmp_path, monkeypatch, "short-metrics", entry_points, short_metrics=source)
    train(chats(["ab", "abcd"] * 10))
    found = here("evaluate", "new", held(chats(["x"] * 20)), "--metric", "shortness", "--json").json
    score = found["models"][0]["scores"]["shortness"]
    assert (score["score"], score["summary"]) == (0.375, {"problem": "ValueError: no summary"})
