"""An organisation at OpenAI that ftbridge never saw moves elsewhere, each job by one command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.ledger import Ledger, moved_from, moved_to
from ftbridge.provider.importing import flattened
from migration_helpers import CHATS, QWEN, Organisation, fields


def test_five_jobs_move_to_together_in_one_command_each_and_nothing_is_lost(
    here: Cli, organisation: Organisation, home: Path
) -> None:
    moved = {}
    for name, job in organisation.jobs.items():
        ran = here("migrate", f"mock+openai:{job['id']}", "--to", QWEN, "--yes", "--json")
        assert ran.code == 0, ran.out
        moved[name] = ran
        output = fields(ran)
        assert output.keys() == flattened(job).keys()
        for field in output.values():
            assert field["outcome"] in ("carried", "changed", "dropped")
            assert field["why"] or field["outcome"] == "carried"
        submitted = ran.json["submitted"]
        assert submitted["target"] == QWEN
        ledger = Ledger(home)
        old = moved_from(ledger, submitted["id"])
        assert old
        assert ledger.job(old).job.remote_id == job["id"]
        assert moved_to(ledger, old) == [submitted["id"]]
        ledger.close()

    output = fields(moved["all set"])
    settings = "method.supervised.hyperparameters."
    epochs = output[f"{settings}n_epochs"]
    assert (epochs["outcome"], epochs["value"], epochs["becomes"]) == ("carried", 2, 2)
    assert epochs["unit"] == "passes over the data"
    assert output[f"{settings}batch_size"]["outcome"] == "carried"
    assert output["seed"]["outcome"] == "carried"
    assert "random_seed" in output["seed"]["why"]
    assert output[f"{settings}learning_rate_multiplier"]["outcome"] == "dropped"
    assert "absolute learning_rate" in output[f"{settings}learning_rate_multiplier"]["why"]
    assert output["model"]["outcome"] == "changed"
    assert output["training_file"]["outcome"] == output["validation_file"]["outcome"] == "carried"
    assert output["fine_tuned_model"]["outcome"] == "dropped"
    spec = moved["all set"].json["submitted"]["spec"]
    assert spec["name"] == "tickets"
    assert spec["hyperparameters"] | {"epochs": 2, "batch_size": 4, "seed": 7} == spec["hyperparameters"]
    assert Path(spec["data"]).read_text("utf-8").count("\n") == 12
    assert fields(moved["with metadata"])["metadata.team"]["outcome"] == "dropped"
    assert fields(moved["left to the vendor"])["validation_file"]["reason"] == "absent"
    assert fields(moved["preferences"])["method.type"]["outcome"] == "carried"
    assert moved["preferences"].json["submitted"]["spec"]["method"] == "dpo"
    assert moved["preferences"].json["submitted"]["spec"]["hyperparameters"]["beta"] == 0.2
    terms = {term["field"]: term for term in moved["all set"].json["terms"]}
    assert terms["context_tokens"] | {"value": 65536, "becomes": 40960} == terms["context_tokens"]
    assert terms["training_usd"]["becomes"] < terms["training_usd"]["value"]

    again = here("migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN, "--yes", "--json")
    assert again.json["submitted"]["id"] == moved["all set"].json["submitted"]["id"]
    assert len(here("jobs", "--json").json["jobs"]) == 10


@pytest.mark.parametrize("words", ["tickets", "last"])
def test_the_same_words_move_the_same_job_though_the_new_one_has_its_name(
    here: Cli, organisation: Organisation, words: str
) -> None:
    here("import", "mock+openai")
    known = here("jobs", "--name", "tickets", "--json").json["jobs"]
    job = known[-1]["id"] if words == "tickets" else here("show", "last", "--json").json["id"]
    first, second = (here("migrate", words, "--to", QWEN, "--yes", "--json").json for _ in range(2))
    assert first["job"] == second["job"] == job
    assert first["submitted"]["id"] == second["submitted"]["id"]


def test_a_move_whose_model_was_deleted_is_made_again_when_asked_for(here: Cli, organisation: Organisation) -> None:
    command = ["migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN, "--yes", "--json"]
    first = here(*command).json["submitted"]["id"]
    assert here("watch", first).code == 0
    assert here("delete", first, "--at-vendor", "--yes").code == 0
    refused = here(*command).json["error"]
    assert f"was moved to {QWEN} before, as {first}, whose model was deleted" in refused["message"]
    assert "--again" in refused["hint"]
    second, third = (here(*command, "--again").json["submitted"]["id"] for _ in range(2))
    assert second == third != first


def test_a_move_that_was_cancelled_is_made_again_when_asked_for(
    here: Cli, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "1")  # minutes, in which it can be cancelled
    command = ["migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN, "--yes"]
    first = here(*command, "--json").json["submitted"]["id"]
    assert here("cancel", first, "--json").json["status"] == "cancelled"
    same = here(*command)
    assert f"{first}, which is cancelled" in same.err
    assert f"--to {QWEN} --again` moves it once more" in " ".join(same.err.split())
    second, third = (here(*command, "--again", "--json").json["submitted"]["id"] for _ in range(2))
    assert second == third != first


def test_five_jobs_move_to_this_machine_in_one_command_each(
    cli: Cli, here: Cli, organisation: Organisation, tmp_path: Path
) -> None:
    # the first one takes the only place, and so the others wait in the queue, each without a process of its own
    (tmp_path / "work" / "ftbridge.toml").write_text("[limits]\nlocal = 1\n", "utf-8")
    submitted = []
    for number, job in enumerate(organisation.jobs.values()):
        migrate = here if number else cli
        ran = migrate("migrate", f"mock+openai:{job['id']}", "--to", "local:tiny", "--yes", "--json", "--epochs", "500")
        output = fields(ran)
        assert output.keys() == flattened(job).keys()
        assert ran.code == 0, ran.out
        kind = job["method"]["type"]
        assert output[f"method.{kind}.hyperparameters.n_epochs"]["outcome"] in ("carried", "changed")
        submitted.append(ran.json["submitted"])
    assert {job["target"] for job in submitted} == {"local:tiny"}
    assert [job["queue_position"] for job in submitted] == [None, 1, 2, 3, 4]
    for job in reversed(submitted):
        assert here("cancel", job["id"], "--json").json["status"] == "cancelled"


def test_the_new_model_is_held_against_the_old_one_on_the_same_rows(
    here: Cli, organisation: Organisation, tmp_path: Path
) -> None:
    old = f"mock+openai:{organisation.jobs['all set']['id']}"
    new = here("migrate", old, "--to", QWEN, "--yes", "--json").json["submitted"]["id"]
    assert here("watch", new).code == 0
    held = tmp_path / "held.jsonl"
    held.write_text("".join(json.dumps(row) + "\n" for row in CHATS * 2), "utf-8")
    found = here("evaluate", new, held, "--against", old, "--margin", "0.2", "--json").json
    assert found["rows"] == 24
    assert found["tuned"]["exact_match"] == found["against"]["exact_match"] == 1.0
    assert found["paired"]["verdict"] == "no worse"
    assert found["paired"]["low"] < 0 < found["paired"]["high"]
    shown = here("evaluate", new, held, "--against", old)
    assert "Not enough rows to tell: about" in shown.out
    assert "+0.0 points" in shown.out
    assert min(shown.out.count(new), shown.out.count(found["rival"])) >= 2
    shown = here("show", new)
    assert "moved from" in shown.out


def test_lifecycle_tells_all_that_ends_by_date(here: Cli, organisation: Organisation) -> None:
    assert here("lifecycle", "--json").json == {"endings": [], "deployments": []}  # nobody has told of this account yet
    here("migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN, "--yes")
    ran = here("lifecycle", "--json")
    found = ran.json["endings"]
    models = {job["fine_tuned_model"] for job in organisation.jobs.values() if job["fine_tuned_model"]}
    assert {ending["name"] for ending in found} == models
    assert {ending["closes_on"] for ending in found} == {"2027-01-14"}
    assert sum(ending["job"] is not None for ending in found) == 1
    shown = here("lifecycle")
    assert "2027-01-14" in shown.out
    assert "53" in shown.out
    offline = here("lifecycle", "--offline", "--json").json["endings"]
    assert [ending["job"] for ending in offline] == [ending["job"] for ending in found if ending["job"]]
    [known] = [ending for ending in found if ending["job"]]
    assert here("delete", known["job"], "--at-vendor", "--yes").code == 0
    left = here("lifecycle", "--json").json["endings"]
    assert {ending["name"] for ending in left} == models - {known["name"]}


def test_a_file_that_the_vendor_does_not_give_back_can_be_given(
    here: Cli, organisation: Organisation, monkeypatch: pytest.MonkeyPatch, rows: Path
) -> None:
    job = f"mock+openai:{organisation.jobs['left to the vendor']['id']}"
    monkeypatch.setenv("FTBRIDGE_MOCK_FAULTS", "get_file_content=403")
    ran = here("migrate", job, "--to", QWEN)
    assert ran.code == 2
    assert "--data FILE" in ran.err
    assert "403" in ran.err
    ran = here("migrate", job, "--to", QWEN, "--data", rows, "--json")
    assert ran.code == 0
    assert fields(ran)["training_file"]["becomes"] == str(rows)


def test_what_is_read_back_is_its_owners_alone(here: Cli, organisation: Organisation, home: Path) -> None:
    ran = here("migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN, "--json")
    data = Path(ran.json["spec"]["data"])
    assert data.parent.parent == home / "imports"
    assert [file.stat().st_mode & 0o777 for file in sorted(data.parent.iterdir())] == [0o600, 0o600]
    assert data.parent.stat().st_mode & 0o777 == 0o700


def test_each_note_is_given_once_that_the_target_is_closed_too(here: Cli, organisation: Organisation) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    ran = here("migrate", job, "--to", "mock+mistral:open-mistral-7b", "--yes")
    notes = [line for line in ran.err.splitlines() if line.startswith("note: ")]
    assert sum("Mistral has retired its hosted training API" in note for note in notes) == 1
    assert sum("the price is what one job of 2024 cost" in note for note in notes) == 1
    assert len(set(notes)) == len(notes)
