"""An organisation at OpenAI that ftbridge never saw moves elsewhere, each job by one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import openai
from command_line import Cli, Ran
from ftbridge.ledger import Ledger, moved_from, moved_to
from ftbridge.loopback import LoopbackServer
from ftbridge.provider.importing import flattened
from ftbridge_providers.openai.mock.vendor import OpenAIMock

QWEN = "mock+together:Qwen/Qwen3-8B"
WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
CHATS = [
    {"messages": [{"role": "user", "content": f"Say {word}."}, {"role": "assistant", "content": word}]}
    for word in WORDS
]
PAIRS = [
    {
        "input": {"messages": [{"role": "user", "content": f"Say {word}."}]},
        "preferred_output": [{"role": "assistant", "content": word}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
    for word in WORDS
]


class Organisation(NamedTuple):
    """The vendor's own account of each job, by what it is."""

    jobs: dict[str, dict[str, Any]]


def supervised(**settings: Any) -> dict[str, Any]:
    return {"type": "supervised", "supervised": {"hyperparameters": settings}}


@pytest.fixture
def organisation(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """Five jobs made through OpenAI's SDK: four models, and a job that was cancelled."""
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    mock = OpenAIMock(home / "mock" / "openai", speed=600.0)
    model = "gpt-4.1-mini-2025-04-14"
    with LoopbackServer(mock.app()) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="any") as client:

        def upload(rows: list[dict[str, Any]]) -> str:
            file = tmp_path / "upload.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
            return client.files.create(file=file, purpose="fine-tune").id

        chats, pairs = upload(CHATS), upload(PAIRS)
        create = client.fine_tuning.jobs.create
        dpo: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}}
        set_: Any = supervised(n_epochs=2, batch_size=4, learning_rate_multiplier=0.5)
        slow: Any = supervised(n_epochs=1)
        made = {
            "left to the vendor": create(model=model, training_file=chats),
            "all set": create(
                model=model, training_file=chats, validation_file=chats, method=set_, seed=7, suffix="tickets"
            ),
            "with metadata": create(model=model, training_file=chats, method=slow, metadata={"team": "support"}),
            "preferences": create(model=model, training_file=pairs, method=dpo),
        }
        mock.speed = 1.0
        stopped = create(model=model, training_file=chats, method=slow)
        client.fine_tuning.jobs.cancel(stopped.id)
        mock.speed = 600.0
        for job in made.values():
            while client.fine_tuning.jobs.retrieve(job.id).status not in ("succeeded", "failed"):
                pass
        ids = {name: job.id for name, job in made.items()} | {"cancelled": stopped.id}
        jobs = {name: client.fine_tuning.jobs.retrieve(id_).to_dict(mode="json") for name, id_ in ids.items()}
        assert [job["status"] for job in jobs.values()] == ["succeeded"] * 4 + ["cancelled"]
    return Organisation(jobs)


def fields(ran: Ran) -> dict[str, dict[str, Any]]:
    return {field["field"]: field for field in ran.json["fields"]}


def test_five_jobs_move_to_together_in_one_command_each_and_nothing_is_lost(
    here: Cli, organisation: Organisation, home: Path
) -> None:
    moved = {}
    for name, job in organisation.jobs.items():
        ran = here("migrate", f"mock+openai:{job['id']}", "--to", QWEN, "--yes", "--json")
        assert ran.code == 0, ran.out
        moved[name] = ran
        told = fields(ran)
        assert told.keys() == flattened(job).keys()
        for field in told.values():
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

    told = fields(moved["all set"])
    settings = "method.supervised.hyperparameters."
    epochs = told[f"{settings}n_epochs"]
    assert (epochs["outcome"], epochs["value"], epochs["becomes"]) == ("carried", 2, 2)
    assert epochs["unit"] == "passes over the data"
    assert told[f"{settings}batch_size"]["outcome"] == "carried"
    assert told["seed"]["outcome"] == "carried"
    assert "random_seed" in told["seed"]["why"]
    assert told[f"{settings}learning_rate_multiplier"]["outcome"] == "dropped"
    assert "absolute learning_rate" in told[f"{settings}learning_rate_multiplier"]["why"]
    assert told["model"]["outcome"] == "changed"
    assert told["training_file"]["outcome"] == told["validation_file"]["outcome"] == "carried"
    assert told["fine_tuned_model"]["outcome"] == "dropped"
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


def test_five_jobs_move_to_this_machine_in_one_command_each(
    cli: Cli, here: Cli, organisation: Organisation, tmp_path: Path
) -> None:
    # the first one takes the only place, and so the others wait in the queue, each without a process of its own
    (tmp_path / "work" / "ftbridge.toml").write_text("[limits]\nlocal = 1\n", "utf-8")
    submitted = []
    for number, job in enumerate(organisation.jobs.values()):
        migrate = here if number else cli
        ran = migrate("migrate", f"mock+openai:{job['id']}", "--to", "local:tiny", "--yes", "--json", "--epochs", "500")
        told = fields(ran)
        assert told.keys() == flattened(job).keys()
        assert ran.code == 0, ran.out
        kind = job["method"]["type"]
        assert told[f"method.{kind}.hyperparameters.n_epochs"]["outcome"] in ("carried", "changed")
        submitted.append(ran.json["submitted"])
    assert {job["target"] for job in submitted} == {"local:tiny"}
    assert [job["queue_position"] for job in submitted] == [None, 1, 2, 3, 4]
    for job in reversed(submitted):
        assert here("cancel", job["id"], "--json").json["status"] == "cancelled"


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
    words = ["US dollars", "2027-01-06 → no end known", "65,536 → 40,960", "learning_rate_multiplier   0.5"]
    model = job["fine_tuned_model"]
    places = [ran.out.index(word) for word in [*words, "unchanged:", model, "more fields lose nothing"]]
    assert places == sorted(places)
    assert "organization_id" not in ran.out
    whole = here("migrate", f"mock+openai:{job['id']}", "--to", QWEN, "--all", columns=columns)
    told = {word.rstrip(",") for word in whole.out.split()}
    for field in flattened(job):
        assert field.rpartition("hyperparameters.")[2] in told, field
    assert here("jobs", "--json").json["jobs"] == []


def test_epochs_that_two_vendors_choose_otherwise_are_told(here: Cli, rows: Path) -> None:
    rows.write_text("".join(json.dumps(row) + "\n" for row in CHATS * 10), "utf-8")
    job = here("submit", rows, "--to", "mock+openai:gpt-4o-mini-2024-07-18").out.strip()
    terms = {term["field"]: term for term in here("migrate", job, "--to", QWEN, "--json").json["terms"]}
    epochs = terms["default_epochs"]
    assert (epochs["value"], epochs["becomes"]) == (3, 1)


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
    assert found["paired"]["verdict"] == "as good"
    assert found["paired"]["low"] < 0 < found["paired"]["high"]
    shown = here("evaluate", new, held, "--against", old)
    assert "So it is undecided whether it loses more than 5 points: give more held-out rows" in shown.out
    assert "+0.0 points" in shown.out
    assert shown.out.count(new) == shown.out.count(found["rival"]) == 2
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


def test_a_job_of_the_ledger_moves_too_with_every_field_told(here: Cli, rows: Path) -> None:
    job = here(
        "run", rows, "--to", QWEN, "--epochs", "2", "--learning-rate", "0.001", "--lora-rank", "8", "--json"
    ).json
    plan = here("migrate", job["id"], "--to", "mock+openai:gpt-4o-mini-2024-07-18", "--json")
    told = fields(plan)
    assert told["spec.hyperparameters.epochs"]["outcome"] == "carried"
    assert told["spec.hyperparameters.learning_rate"]["outcome"] == "dropped"
    assert told["spec.hyperparameters.lora_rank"]["outcome"] == "dropped"
    assert told["remote_id"]["outcome"] == "dropped"
    assert told["spec.data"]["becomes"] == str(rows)
    assert set(flattened(job)) - {"result.path"} <= told.keys() | {"result"}


def test_a_target_that_cannot_take_the_job_is_told_before_anything_is_sent(
    here: Cli, organisation: Organisation
) -> None:
    job = f"mock+openai:{organisation.jobs['preferences']['id']}"
    ran = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--json")
    assert ran.code == 1
    assert any("dpo" in said for said in ran.json["blocking"])
    refused = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--yes")
    assert refused.code == 2
    assert "cannot be moved" in refused.err


def terms_of(ran: Ran) -> dict[str, dict[str, Any]]:
    return {term["field"]: term for term in ran.json["terms"]}


@pytest.mark.parametrize(
    ("option", "value", "times"), [("--epochs", "6", 3.0), ("--epochs", "1", 0.5), ("--batch-size", "8", 1.0)]
)
def test_the_new_job_is_priced_as_it_will_be_submitted_and_the_old_one_as_it_was(
    here: Cli, organisation: Organisation, option: str, value: str, times: float
) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    as_it_was = here("migrate", job, "--to", QWEN, "--json")
    changed = here("migrate", job, "--to", QWEN, option, value, "--json")
    before, after = (terms_of(ran)["training_usd"] for ran in (as_it_was, changed))
    assert before["value"] == after["value"] > 0
    assert after["becomes"] == pytest.approx(before["becomes"] * times)
    old, new = changed.json["offers"]
    assert old["epochs"] == 2
    assert new["epochs"] == changed.json["spec"]["hyperparameters"]["epochs"]
    submitted = here("migrate", job, "--to", QWEN, option, value, "--yes", "--json").json["submitted"]
    assert submitted["cost"]["estimate_usd"] == pytest.approx(after["becomes"], rel=0.2)  # Together asks for itself


def test_full_training_there_is_priced_as_that(here: Cli, organisation: Organisation) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    lora, full = (
        terms_of(here("migrate", job, "--to", QWEN, "--tuning", how, "--json"))["training_usd"]["becomes"]
        for how in ("lora", "full")
    )
    assert full > lora > 0


def test_a_move_to_the_same_target_shows_both_jobs_prices(here: Cli, organisation: Organisation) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    ran = here("migrate", job, "--to", "mock+openai:gpt-4.1-mini-2025-04-14", "--epochs", "4", "--json")
    assert [offer["epochs"] for offer in ran.json["offers"]] == [2, 4]
    price = terms_of(ran)["training_usd"]
    assert price["becomes"] == pytest.approx(2 * price["value"])


def test_a_month_of_the_new_model_is_part_of_what_changes(here: Cli, organisation: Organisation) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    ran = here("migrate", job, "--to", QWEN, "--json")
    terms = terms_of(ran)
    hosting = terms["hosting_usd_per_month"]
    assert (hosting["value"], hosting["becomes"]) == (0.0, pytest.approx(730 * 3.99))
    month, training = terms["first_month_usd"], terms["training_usd"]
    assert month["value"] == pytest.approx(training["value"])
    assert month["becomes"] == pytest.approx(training["becomes"] + 730 * 3.99)
    assert terms["input_usd_per_million_tokens"]["value"] == 0.8
    assert terms["deployment_needed"]["becomes"] is False
    shown = here("migrate", job, "--to", QWEN, columns=80).out
    assert "$0.00 → $2,912.70" in shown
    azure = terms_of(here("migrate", job, "--to", "mock+azure:gpt-4.1-mini-2025-04-14", "--json"))
    assert (azure["deployment_needed"]["value"], azure["deployment_needed"]["becomes"]) == (False, True)


def test_each_of_our_words_is_told_once(here: Cli, organisation: Organisation) -> None:
    for name in ("all set", "left to the vendor", "preferences"):
        told = here("migrate", f"mock+openai:{organisation.jobs[name]['id']}", "--to", QWEN, "--json").json["fields"]
        words = [field["name"] for field in told if field["name"] not in (None, "repeated")]
        assert len(words) == len(set(words)), words
        again = [field for field in told if field["name"] == "repeated"]
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
    assert any("is not the vendor itself, and so is tried" in said for said in mocked.json["warnings"])
    moved = here("migrate", job, "--to", "mock+mistral:open-mistral-nemo", "--yes")
    assert moved.code == 0, moved.err


def test_the_most_that_the_job_may_cost_is_judged(here: Cli, organisation: Organisation) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    refused = here("migrate", job, "--to", QWEN, "--max-cost", "0.00001", "--yes")
    assert refused.code == 2
    assert "--max-cost is $0.0000" in refused.err
    assert here("migrate", job, "--to", QWEN, "--max-cost", "1", "--yes").code == 0


def test_what_is_read_back_is_its_owners_alone(here: Cli, organisation: Organisation, home: Path) -> None:
    ran = here("migrate", f"mock+openai:{organisation.jobs['all set']['id']}", "--to", QWEN, "--json")
    data = Path(ran.json["spec"]["data"])
    assert data.parent.parent == home / "imports"
    assert [file.stat().st_mode & 0o777 for file in sorted(data.parent.iterdir())] == [0o600, 0o600]
    assert data.parent.stat().st_mode & 0o777 == 0o700


def test_one_job_or_all_of_a_provider_are_moved(here: Cli) -> None:
    assert here("migrate", "--to", QWEN).code == 2
    assert here("migrate", "ftb_1", "--all-from", "openai", "--to", QWEN).code == 2
    assert here("migrate", "--all-from", "openai", "--to", QWEN, "--data", "rows.jsonl").code == 2
