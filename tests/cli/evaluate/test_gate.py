"""`evaluate` as a gate: its exit code, what it tells CI, and what it warns of. The mocked models repeat their rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cli.evaluate.small_chats import BASE, Train, chats, held
from command_line import Cli
from small_data import write_rows


def numbered(answer: str, count: int = 40) -> list[dict[str, Any]]:
    return chats([answer.format(n=n) for n in range(count)])


@pytest.fixture
def held_out(here: Cli) -> Path:
    return held(numbered("a{n}"))


def test_a_worse_model_fails_and_a_better_one_passes(here: Cli, train: Train, held_out: Path, tmp_path: Path) -> None:
    right, wrong = train(numbered("a{n}"), "right"), train(numbered("wrong {n}"), "wrong")
    ran = here("evaluate", wrong, held_out, "--against", right, "--junit", tmp_path / "out.xml", columns=80)
    assert ran.code == 1
    assert f"failed: {wrong} is worse than {right}" in ran.err
    assert "The new model is worse." in ran.out
    assert f"{wrong}: 40 questions asked" in ran.out
    assert f"{right}: 40 questions asked" in ran.out
    assert "0.0 to 8.8" in ran.out
    assert "with another answer" in " ".join(ran.err.split())
    suite = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "1",
        "failures": "1",
        "skipped": "0",
    }
    better = here("evaluate", right, held_out, "--against", wrong, "--json")
    assert better.code == 0
    assert better.json["failures"] == []
    assert better.json["paired"] == better.json["comparisons"][0]
    assert better.json["paired"]["verdict"] == "better"
    assert better.json["paired"]["only_new"] == 40
    assert [leak["code"] for leak in better.json["leaks"]] == ["training_file"]


def test_below_the_minimum_it_fails(here: Cli, train: Train, held_out: Path) -> None:
    wrong = train(numbered("wrong {n}"))
    ran = here("evaluate", wrong, held_out, "--min", "0.8", "--json")
    assert (ran.code, ran.json["failures"], ran.json["tuned"]["exact_match"]) == (1, ["below_minimum"], 0.0)
    assert here("evaluate", wrong, held_out, "--min", "0").code == 0
    assert here("evaluate", wrong, held_out, "--min", "80").code == 2


def test_rows_of_a_document_widen_the_interval(here: Cli, train: Train, held_out: Path) -> None:
    job = train(numbered("a{n}"))
    rows = [{**row, "document": n // 4} for n, row in enumerate(numbered("a{n}"))]
    clustered = write_rows(held_out.with_name("clustered.jsonl"), rows)
    found = here("evaluate", job, clustered, "--cluster", "document", "--json").json
    alone = here("evaluate", job, held_out, "--json").json
    assert found["clusters"] == 10
    assert found["tuned"]["exact_match_interval"]["low"] == pytest.approx(0.722, abs=1e-3), "Wilson's, of 10 of 10"
    assert alone["tuned"]["exact_match_interval"]["low"] == pytest.approx(0.912, abs=1e-3), "Wilson's, of 40 of 40"
    missing = here("evaluate", job, clustered, "--cluster", "doc")
    assert missing.code == 1
    assert "line 1: the row has no key 'doc'" in missing.err


def test_github_gets_annotations_and_a_summary(
    here: Cli, train: Train, held_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    ran = here("evaluate", train(numbered("wrong {n}")), held_out, "--min", "0.5", "--github")
    assert ran.code == 1
    assert "::error title=ftbridge evaluate::exact: 0.0%25 is below the minimum, 50.0%25" in ran.err
    assert "::warning title=ftbridge evaluate::the questions of 40 rows" in ran.err
    written = summary.read_text("utf-8")
    assert "| 40 held-out rows | metric | score | 95% interval |" in written
    assert "- **failed**: exact: 0.0% is below the minimum" in written


def test_a_file_that_cannot_be_written_is_said_before_anything_is_asked(here: Cli, tmp_path: Path) -> None:
    ran = here("evaluate", "last", tmp_path / "rows.jsonl", "--junit", tmp_path / "none" / "out.xml")
    assert ran.code == 2
    assert "there is no folder" in ran.err


def test_answers_are_asked_for_once_and_deleted_with_their_job(here: Cli, train: Train, held_out: Path) -> None:
    job = train(numbered("a{n}"))
    first, second = here("evaluate", job, held_out), here("evaluate", job, held_out)
    assert "tuned: 40 questions asked, 0 answers from the ledger; $" in first.out
    assert "tuned: 0 questions asked, 40 answers from the ledger." in second.out
    assert here("evaluate", job, held_out, "--fresh", "--json").json["answers"][0]["from_ledger"] == 0
    deleted = here("delete", job, "--yes", "--json").json["items"]
    assert [item["name"].partition(" of ft:")[0] for item in deleted if item["kind"] == "answers"] == ["40"]
    assert here("evaluate", job, held_out, "--json").json["answers"][0]["from_ledger"] == 0
    pruned = here("prune", "--older-than", "1d", "--json").json["items"]
    assert not [item for item in pruned if item["kind"] == "answers"]
    pruned = here("prune", "--json").json["items"]
    assert [item["outcome"] for item in pruned if item["kind"] == "answers"] == ["removed"]


def test_a_limit_of_costs_is_checked_before_anything_is_asked(here: Cli, train: Train, held_out: Path) -> None:
    job = train(numbered("a{n}"))
    ran = here("evaluate", job, held_out, "--max-cost", "0.00001")
    assert (ran.code, "asking may cost $0.0" in ran.err) == (2, True)
    unknown = here("evaluate", job, held_out, "--max-cost", "1", "--baseline")
    assert (unknown.code, "what asking base costs is not known" in unknown.err) == (2, True)
    ran = here("evaluate", job, held_out, "--max-cost", "1", "--json")
    [told] = ran.json["answers"]
    assert (told["from_ledger"], 0 < told["cost_usd"] < 1) == (0, True), "nothing had been asked"


def test_the_base_is_asked_with_a_prompt_and_examples(here: Cli, train: Train, held_out: Path, tmp_path: Path) -> None:
    job, prompt = train(numbered("wrong {n}")), tmp_path / "system.txt"
    prompt.write_text("Repeat the number.", "utf-8")
    unseen = write_rows(held_out.with_name("unseen.jsonl"), numbered("b{n}", 80)[40:])
    ran = here("evaluate", job, unseen, "--prompt", prompt, "--few-shot", "2")
    assert "The base had these lines of the training file as examples:" in ran.out
    assert "base: 40 questions asked" in ran.out
    for option in (("--few-shot", "3"), ("--baseline",)):
        assert here("evaluate", job, unseen, *option, "--json").json["answers"][1]["from_ledger"] == 0
    prompt.write_text(" ", "utf-8")
    empty = here("evaluate", job, unseen, "--prompt", prompt)
    assert (empty.code, "is empty" in empty.err) == (2, True)


def test_no_name_begins_a_line_that_ci_takes_for_a_command(
    here: Cli, train: Train, held_out: Path, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad\n::error::x.jsonl", tmp_path / "good\n::error::x.jsonl"
    write_rows(bad, [{"messages": []}])
    write_rows(good, numbered("a{n}"))
    job = json.loads(here("run", good, "--to", BASE, "--json").out.splitlines()[-1])["id"]
    for words in (("evaluate", job, bad), ("evaluate", job, good, "--github"), ("check", tmp_path / "no\n::error::")):
        ran = here(*words)
        lines = [line for line in (ran.out + ran.err).splitlines() if line.lstrip().startswith("::")]
        assert all(line.startswith("::warning title=ftbridge evaluate::") for line in lines), lines
        assert "\\n::error::" in ran.err
