"""What a plan shows before anything is sent: each field and what becomes of it, and what forbids the move."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.provider.importing import flattened
from migration_helpers import CHATS, QWEN, WORDS, Organisation, fields

OPENAI = "mock+openai:gpt-4.1-mini-2025-04-14"
COLUMNS = ("--map", "question=prompt", "--map", "answer=completion", "--map", "score=unused")


@pytest.mark.parametrize("columns", [80, 200])
def test_without_yes_nothing_is_sent_and_the_plan_shows_first_what_matters(
    here: Cli, organisation: Organisation, columns: int
) -> None:
    job = organisation.jobs["all set"]
    ran = here("migrate", f"mock+openai:{job['id']}", "--to", QWEN, columns=columns)
    assert ran.code == 0
    assert "--yes submits it" in ran.err
    lines = ran.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert len(lines) <= 40
    words = ["US dollars", "2027-01-06 → no known end", "65,536 → 40,960", "learning_rate_multiplier   0.5"]
    model = job["fine_tuned_model"]
    places = [ran.out.index(word) for word in [*words, "unchanged:", model, "more fields have no meaning elsewhere"]]
    assert places == sorted(places)
    assert "organization_id" not in ran.out
    whole = here("migrate", f"mock+openai:{job['id']}", "--to", QWEN, "--all", columns=columns)
    printed = {word.rstrip(",") for word in whole.out.split()}
    for field in flattened(job):
        assert field.rpartition("hyperparameters.")[2] in printed, field
    assert here("jobs", "--json").json["jobs"] == []


def test_a_target_that_cannot_take_the_job_is_told_before_anything_is_sent(
    here: Cli, organisation: Organisation
) -> None:
    job = f"mock+openai:{organisation.jobs['preferences']['id']}"
    ran = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--json")
    assert ran.code == 1
    assert any("dpo" in reason for reason in ran.json["blocking"])
    refused = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--yes")
    assert refused.code == 2
    assert "cannot be moved" in refused.err


def test_each_of_our_words_is_told_once(here: Cli, organisation: Organisation) -> None:
    for name in ("all set", "left to the vendor", "preferences"):
        printed = here("migrate", f"mock+openai:{organisation.jobs[name]['id']}", "--to", QWEN, "--json").json["fields"]
        words = [field["name"] for field in printed if field["name"] not in (None, "repeated")]
        assert len(words) == len(set(words)), words
        again = [field for field in printed if field["name"] == "repeated"]
        assert {field["field"] for field in again} == {
            f"hyperparameters.{word}" for word in ("n_epochs", "batch_size", "learning_rate_multiplier")
        }
        assert {field["reason"] for field in again} == {"repeated"}
    shown = here("migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN).out
    assert shown.count("learning_rate_multiplier   ") == 1


def test_a_vendor_that_has_closed_is_a_hindrance_and_what_stands_for_it_a_note(
    here: Cli, organisation: Organisation
) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    closed = here("migrate", job, "--to", "mistral:open-mistral-nemo", "--json")
    assert closed.code == 1
    [hindrance] = closed.json["blocking"]
    assert hindrance == "Mistral has retired its hosted training API; its routes answer 410 Gone (since 2026-07-13)"
    mocked = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--json")
    assert (mocked.code, mocked.json["blocking"]) == (0, [])
    assert any(
        "is not the vendor itself, so it is tried all the same" in warning for warning in mocked.json["warnings"]
    )
    moved = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--yes")
    assert moved.code == 0, moved.err


def test_one_job_or_all_of_a_provider_are_moved(here: Cli) -> None:
    assert here("migrate", "--to", QWEN).code == 2
    assert here("migrate", "ftb_1", "--all-from", "openai", "--to", QWEN).code == 2
    assert here("migrate", "--all-from", "openai", "--to", QWEN, "--data", "rows.jsonl").code == 2


def test_a_job_of_the_ledger_moves_too_with_every_field_told(here: Cli, rows: Path) -> None:
    job = here(
        "run", rows, "--to", QWEN, "--epochs", "2", "--learning-rate", "0.001", "--lora-rank", "8", "--json"
    ).json
    plan = here("migrate", job["id"], "--to", "mock+openai:gpt-4o-mini-2024-07-18", "--json")
    printed = fields(plan)
    assert printed["spec.hyperparameters.epochs"]["outcome"] == "carried"
    assert printed["spec.hyperparameters.learning_rate"]["outcome"] == "dropped"
    assert printed["spec.hyperparameters.lora_rank"]["outcome"] == "dropped"
    assert printed["remote_id"]["outcome"] == "dropped"
    assert printed["spec.data"]["becomes"] == str(rows)
    assert set(flattened(job)) - {"result.path"} <= printed.keys() | {"result"}


def test_a_file_is_read_for_the_new_job_as_it_was_for_the_old_one(here: Cli, tmp_path: Path) -> None:
    table, held = tmp_path / "rows.csv", tmp_path / "held.csv"
    for file, rows in ((table, WORDS), (held, WORDS[:10])):
        file.write_text("question,answer,score\n" + "".join(f"Say {word}.,{word},5\n" for word in rows))
    old = here("submit", table, "--validation", held, "--to", OPENAI, *COLUMNS, "--name", "tickets", "--json")
    assert old.json["spec"]["map"] == {"question": "prompt", "answer": "completion", "score": "unused"}
    ran = here("migrate", old.json["id"], "--to", QWEN, "--yes", "--json")
    assert ran.code == 0, ran.out
    found = fields(ran)
    assert {found[f"spec.map.{name}"]["outcome"] for name in ("question", "answer", "score")} == {"carried"}
    spec = ran.json["submitted"]["spec"]
    assert (spec["data"], spec["validation"], spec["map"]) == (str(table), str(held), old.json["spec"]["map"])
    assert (
        here("migrate", old.json["id"], "--to", QWEN, "--yes", "--json").json["submitted"]["id"]
        == (ran.json["submitted"]["id"])
    )


def test_a_format_that_was_named_is_named_again_but_not_for_another_file(here: Cli, tmp_path: Path) -> None:
    answers = [{"prompt": f"Say {word}.", "completion": word, "label": True} for word in WORDS]
    labelled, chats = tmp_path / "labelled.jsonl", tmp_path / "chats.jsonl"
    labelled.write_text("".join(json.dumps(row) + "\n" for row in answers))
    chats.write_text("".join(json.dumps(row) + "\n" for row in CHATS))
    old = here("submit", labelled, "--to", OPENAI, "--format", "kto-wanted", "--json").json["id"]
    moved = here("migrate", old, "--to", QWEN, "--yes", "--json")
    assert moved.json["submitted"]["spec"]["format"] == "kto-wanted"
    other = here("migrate", old, "--to", QWEN, "--data", chats, "--yes", "--json")
    assert other.json["submitted"]["spec"]["format"] is None
