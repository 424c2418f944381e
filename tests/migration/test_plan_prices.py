"""What a plan says of the cost of the old job and of the new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import Cli
from migration_helpers import CHATS, QWEN, Organisation, terms_of


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


def test_the_most_that_the_job_may_cost_is_judged(here: Cli, organisation: Organisation) -> None:
    job = f"mock+openai:{organisation.jobs['all set']['id']}"
    refused = here("migrate", job, "--to", QWEN, "--max-cost", "0.00001", "--yes")
    assert refused.code == 2
    assert "--max-cost is $0.0000" in refused.err
    assert here("migrate", job, "--to", QWEN, "--max-cost", "1", "--yes").code == 0


def test_epochs_that_two_vendors_choose_otherwise_are_told(here: Cli, rows: Path) -> None:
    rows.write_text("".join(json.dumps(row) + "\n" for row in CHATS * 10), "utf-8")
    job = here("submit", rows, "--to", "mock+openai:gpt-4o-mini-2024-07-18").out.strip()
    terms = {term["field"]: term for term in here("migrate", job, "--to", QWEN, "--json").json["terms"]}
    epochs = terms["default_epochs"]
    assert (epochs["value"], epochs["becomes"]) == (3, 1)
