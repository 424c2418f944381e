"""A question that a vendor in trouble does not answer is no wrong answer: its row counts for no model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.evaluate.small_chats import Train, chats, held
from command_line import Cli
from ftbridge.errors import ServerTrouble
from ftbridge_providers.openai.adapter import OpenAIProvider

ANSWERS = [f"a{n}" for n in range(40)]


@pytest.fixture
def rows(train: Train) -> Path:
    """Held-out rows, all of which the tuned model knows, and its base none."""
    train(chats(ANSWERS))
    return held(chats(ANSWERS))


@pytest.fixture
def unanswered(rows: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The questions to which the vendor of the tuned model answers 503."""
    complete, questions = OpenAIProvider.complete, {"q3", "q17", "q30"}

    def in_trouble(self: OpenAIProvider, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if model.startswith("ft:") and body["messages"][-1]["content"] in questions:
            raise ServerTrouble("openai answered 503", provider="openai", status=503)
        return complete(self, model, body)

    monkeypatch.setattr(OpenAIProvider, "complete", in_trouble)
    return questions


def test_its_row_counts_for_no_model_and_the_next_run_asks_it_again(
    here: Cli, rows: Path, unanswered: set[str]
) -> None:
    options = ["--baseline", "--metric", "exact", "--json"]
    ran = here("evaluate", "new", rows, "--rows", "out.jsonl", *options)
    assert ran.code == 4
    tuned, base = ran.json["models"]
    assert [(one["scores"]["exact"]["score"], one["scores"]["exact"]["rows"]) for one in (tuned, base)] == [
        (1.0, 37),
        (0.0, 37),
    ]
    assert ran.json["tuned"]["exact_match"] == 1.0
    [compared] = ran.json["comparisons"]
    assert (compared["only_old"], compared["only_new"], compared["difference"]) == (0, 37, 1.0)
    counts = ran.json["answers"][0]
    assert (counts["missing"], counts["failed"], counts["first_error"]) == (3, 0, "openai answered 503")
    assert (ran.json["metrics"][0]["left_out"], ran.json["metrics"][0]["failed"]) == (3, 0)
    row = json.loads(Path("out.jsonl").read_text("utf-8").splitlines()[3])
    of_tuned = row["answers"]["tuned"]
    assert (of_tuned["outcome"], of_tuned["scores"], row["winner"]) == ("missing", {"exact": None}, None)
    unanswered.clear()
    again = here("evaluate", "new", rows, *options)
    assert (again.code, again.json["answers"][0]["from_ledger"]) == (0, 37)
    assert again.json["models"][0]["scores"]["exact"]["rows"] == 40


@pytest.mark.usefixtures("unanswered")
def test_a_gate_says_that_it_is_incomplete_and_not_that_the_model_is_bad(
    here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    gate = ["--min", "0.95", "--junit", "out.xml", "--github"]
    ran = here("evaluate", "new", rows, *gate, columns=400)
    assert ran.code == 4
    assert "warning: tuned: 3 of 40 questions got no answer, and their rows count for no model. The same" in ran.err
    assert "tuned: 40 questions asked, 0 answers from the ledger; 3 missing; $" in ran.out
    assert "incomplete" in Path("summary.md").read_text("utf-8").splitlines()[0]
    suite = ElementTree.parse("out.xml").getroot()
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")


@pytest.mark.usefixtures("rows", "unanswered")
def test_a_model_below_the_minimum_on_the_answered_rows_fails_all_the_same(here: Cli) -> None:
    wrong = held(chats(["other", *ANSWERS[1:]]))
    assert here("evaluate", "new", wrong, "--min", "0.99").code == 1
