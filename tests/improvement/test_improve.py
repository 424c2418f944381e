"""`improve` as people use it: what it lists, what it drafts, and what it asks. The mocked models repeat their rows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli, in_this_process
from ftbridge import Bridge
from ftbridge.errors import DataError, InputError, OverBudget
from ftbridge.model import Event, now
from improvement.planted import Planted, lines_of, plant
from small_data import write_rows

MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_this_process(capsys, monkeypatch)


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return plant(tmp_path)


@pytest.fixture
def job(here: Cli, planted: Planted) -> str:
    ran = here("run", planted.training, "--to", MOCKED, "--json")
    assert ran.code == 0, ran
    return str(json.loads(ran.out.splitlines()[-1])["id"])


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_the_list_has_each_kind_with_the_lines_of_both_files(here: Cli, job: str, planted: Planted) -> None:
    ran = here("improve", job, planted.held_out, columns=80)
    assert ran.code == 0, ran
    assert "67 of 67 held-out rows are not answered as expected." in ran.out
    first, second = planted.contradictions[0]
    assert f"training lines {first}, {second}: " in ran.out
    assert "Suspected label errors:" in ran.out
    assert "line 61: category: praise: What a wonderful service." in ran.out
    assert "words that no training row has: soil, tomatoes" in ran.out
    assert "Errors of 'priority' were not looked for" in ran.out
    assert "held-out rows: 67 questions asked, 0 answers from the ledger" in ran.out


def test_the_document_has_all_issues(here: Cli, job: str, planted: Planted) -> None:
    found = here("improve", job, planted.held_out, "--json").json
    assert (found["training_rows"], found["held_out_rows"], found["failures"]) == (416, 67, 67)
    assert found["training_file"] == str(planted.training)
    contradictions = [issue["training"] for issue in found["issues"] if issue["kind"] == "contradiction"]
    assert contradictions == [[*pair] for pair in planted.contradictions]
    assert "draft" not in found


def test_the_draft_passes_check_and_holds_training_rows_alone(
    here: Cli, job: str, planted: Planted, tmp_path: Path
) -> None:
    out = tmp_path / "improve.jsonl"
    draft = here("improve", job, planted.held_out, "--out", out, "--json").json["draft"]
    assert here("check", out, "--to", MOCKED).code == 0
    trained = lines(planted.training)
    drafted = lines(out)
    assert draft["rows"] == len(drafted) > 0
    assert all(row in trained for row in drafted)
    assert [row for row in lines(planted.held_out) if row in drafted] == []
    assert not lines_of(planted.contradictions) & {*draft["repeated"], *draft["kept"]}, "nobody has decided them"
    assert {*planted.rare} <= {*draft["repeated"]}
    assert len(draft["kept"]) <= 3 * len({*draft["repeated"], *draft["repaired"]})


def test_templates_are_refused_until_somebody_has_written_them(
    here: Cli, job: str, planted: Planted, tmp_path: Path
) -> None:
    out = tmp_path / "improve.jsonl"
    draft = here("improve", job, planted.held_out, "--out", out, "--json").json["draft"]
    templates = Path(draft["templates"])
    written = lines(templates)
    assert draft["to_write"] == len(written) == 3 + 5 + 5 + 5, "praise, legal, tomatoes, and the German row"
    assert json.loads(written[0]["messages"][-1]["content"]) == {"category": "legal", "priority": ""}
    refused = here("check", templates)
    assert refused.code == 1
    for row in written:
        row["messages"][1]["content"] = "A text of one's own."
        row["messages"][2]["content"] = '{"category": "legal", "priority": "low"}'
    assert here("check", write_rows(templates, written), "--no-advice").code == 0


def test_held_out_rows_are_drafted_only_where_that_is_asked_for(
    here: Cli, job: str, planted: Planted, tmp_path: Path
) -> None:
    out = tmp_path / "with.jsonl"
    ran = here("improve", job, planted.held_out, "--out", out, "--include-held-out", columns=200)
    drafted = lines(out)
    inside = [number for number, row in enumerate(lines(planted.held_out), 1) if row in drafted]
    assert "cannot be judged by them: remove them from the held-out file" in ran.err
    assert {*planted.region} < {*inside}
    assert not {*planted.held_out_errors} & {*inside}, "what they expect is in doubt"


def test_a_draft_that_somebody_may_have_worked_on_is_not_overwritten(
    here: Cli, job: str, planted: Planted, tmp_path: Path
) -> None:
    out = write_rows(tmp_path / "improve.jsonl")
    ran = here("improve", job, planted.held_out, "--out", out)
    assert (ran.code, len(lines(out))) == (2, 12)
    assert "exists already" in ran.err


def test_each_question_is_paid_for_once(job: str, planted: Planted) -> None:
    with Bridge() as bridge:
        scores = bridge.evaluate(job, planted.held_out)
        found = bridge.improve(job, planted.held_out)
    assert scores.answers[0].from_ledger == 0
    assert (found.answers[0].questions, found.answers[0].from_ledger) == (67, 67)


def test_what_it_may_cost_is_said_before_and_can_be_limited(job: str, planted: Planted) -> None:
    said: list[str] = []
    with Bridge(warn=said.append) as bridge:
        with pytest.raises(OverBudget, match="asking may cost"):
            bridge.improve(job, planted.held_out, max_cost_usd=0.0)
        bridge.improve(job, planted.held_out, ask_training=30, max_cost_usd=1.0)
    told = [warning for warning in said if "is asked" in warning]
    assert [warning.partition(", for about $")[0] for warning in told] == [
        f"{MOCKED} is asked 67 questions (held-out rows)",
        f"{MOCKED} is asked 30 questions (training rows)",
    ]


def test_asked_training_rows_show_what_was_not_learned(job: str, planted: Planted) -> None:
    with Bridge() as bridge:
        found = bridge.improve(job, planted.held_out, ask_training=1000)
    wrong = {issue.training[0] for issue in found.of("not_learned") if not issue.held_out}
    assert found.training_asked == 416
    assert wrong == {second for _first, second in planted.contradictions}, "of two answers the mock gives the first"


def test_the_training_file_itself_says_what_was_not_learned(here: Cli, job: str, planted: Planted) -> None:
    out = planted.training.with_name("again.jsonl")
    ran = here("improve", job, planted.training, "--out", out, columns=200)
    assert "8 of 416 training rows are not answered as expected." in ran.out
    assert "These are the rows that the model was trained on: nothing is said about new ones." in ran.out
    trained, drafted = lines(planted.training), lines(out)
    assert [line for line in lines_of(planted.contradictions) if trained[line - 1] in drafted] == []
    assert all(trained[line - 1] in drafted for line in planted.rare)


def test_rows_that_training_has_named_are_found_by_their_numbers(
    job: str, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {"learned": 414, "not_learned": [{"number": 7, "loss": 1.25}, {"number": 9, "loss": 0.5}]}
    event = Event(at=now(), kind="message", code="rows", message="…", rows=named)
    blank_line_first = planted.training.read_text("utf-8")
    planted.training.write_text("\n" + blank_line_first, "utf-8")
    with Bridge() as bridge:
        monkeypatch.setattr(bridge.ledger, "events", lambda _job: [(1, event)])
        found = bridge.improve(job, planted.held_out)
    assert {issue.training: issue.loss for issue in found.of("not_learned") if not issue.held_out} == {
        (8,): 1.25,
        (10,): 0.5,
    }


def test_texts_and_tool_calls_are_compared_too(tmp_path: Path) -> None:
    rows = [_called(f"Weather in town {n}?", "weather" if n else "map") for n in range(12)]
    rows += [_said(f"Tell me about the river number {n} and its length.", f"It is {n} miles long.") for n in range(12)]
    held = [_called("Show town 5 on the map.", "map"), _said("Tell me about the river number 3 and its length.", "No.")]
    with Bridge() as bridge:
        job = bridge.wait(bridge.submit(write_rows(tmp_path / "rows.jsonl", rows), MOCKED))
        found = bridge.improve(job, write_rows(tmp_path / "held.jsonl", held))
    assert [(issue.label, issue.held_out, issue.training) for issue in found.of("rare_label")] == [
        ("tool: map", (1,), (1,))
    ]
    assert [issue.held_out for issue in found.of("neighbours_disagree")] == [(2,)]


def test_what_cannot_be_compared_is_said(job: str, planted: Planted, tmp_path: Path) -> None:
    no_answer = write_rows(tmp_path / "texts.jsonl", [{"text": "a"}])
    with Bridge() as bridge:
        with pytest.raises(DataError, match=r"line 1: this row has no answer to compare with"):
            bridge.improve(job, no_answer)
        shutil.move(planted.training, tmp_path / "elsewhere.jsonl")
        with pytest.raises(InputError, match="is not there") as gone:
            bridge.improve(job, planted.held_out)
    assert gone.value.hint.startswith("Put it back")


def _said(question: str, answer: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def _called(question: str, tool: str) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": '{"town": "A"}'}}
    tools = [{"type": "function", "function": {"name": name, "parameters": _TOWN}} for name in ("weather", "map")]
    return {
        "messages": [{"role": "user", "content": question}, {"role": "assistant", "tool_calls": [call]}],
        "tools": tools,
    }


_TOWN = {"type": "object", "properties": {"town": {"type": "string"}}}


def test_a_foreign_format_is_read_as_it_is_told_and_the_jobs_own_files_as_the_job_read_them(
    here: Cli, tmp_path: Path
) -> None:
    rows = [{"Frage": f"ticket {n}", "Antwort": ("late", "lost")[n % 2]} for n in range(12)]
    training = write_rows(tmp_path / "train.jsonl", rows)
    held_out = write_rows(tmp_path / "held.jsonl", [{"question": "ticket 40", "reply": "late"}])
    names = ["--map", "Frage=prompt", "--map", "Antwort=completion"]
    assert here("run", training, "--to", MOCKED, "--name", "tickets", *names).code == 0
    own = here("improve", "tickets", training, "--json").json
    assert (own["same_file"], own["training_rows"], own["failures"]) == (True, 12, 0)
    told = here("improve", "tickets", held_out, "--map", "question=prompt", "--map", "reply=completion", "--json").json
    assert (told["same_file"], told["held_out_rows"]) == (False, 1)
    wrong = here("improve", "tickets", held_out, "--format", "sharegpt")
    assert (wrong.code, f"ftbridge check {held_out} --format sharegpt" in wrong.err.replace("\n", " ")) == (1, True)
