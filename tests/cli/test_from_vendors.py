"""A ledger that is damaged or lost is filled again from what the vendors list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import openai
from command_line import Cli
from ftbridge import Bridge, Job, Status
from ftbridge.errors import LedgerDamaged
from ftbridge.mock.vendors import MockVendors
from hosted_helpers import asked

TARGETS = ["openai:gpt-4.1-mini-2025-04-14", "together:Qwen/Qwen3-8B", "mistral:open-mistral-nemo"]


@pytest.fixture
def jobs(rows: Path, ftbridge_mock: MockVendors) -> list[Job]:
    """One job at each of three vendors, seen through to its end, and one at OpenAI that is not ftbridge's."""
    with Bridge() as bridge:
        made = [bridge.submit(rows, to=target, epochs=2, name="support") for target in TARGETS]
        done = [bridge.wait(job) for job in made]
    with openai.OpenAI() as client:
        file = client.files.create(file=rows, purpose="fine-tune")
        client.fine_tuning.jobs.create(model="gpt-4.1-mini-2025-04-14", training_file=file.id)
    return done


def recovered(here: Cli, *words: str) -> dict[str, Any]:
    ran = here("recover", "--from-vendors", "--json", *words)
    assert ran.code == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def test_a_damaged_ledger_is_moved_aside_and_filled_anew(
    jobs: list[Job], home: Path, ftbridge_mock: MockVendors, here: Cli
) -> None:
    ledger = home / "ledger.sqlite"
    half = ledger.read_bytes()[: ledger.stat().st_size // 2]
    ledger.write_bytes(half)
    with pytest.raises(LedgerDamaged, match="damaged") as problem:
        Bridge().jobs()
    assert "ftbridge recover --from-vendors" in problem.value.hint

    found = recovered(here)
    assert {job["id"] for job in found["jobs"]} == {job.id for job in jobs}
    counts = {one["provider"]: (one["adopted"], one["known"], one["foreign"]) for one in found["vendors"]}
    assert counts["openai"] == (1, 0, 1)
    assert counts["together"] == counts["mistral"] == (1, 0, 0)
    assert counts["local"] == (0, 0, 0)
    [aside] = home.glob("ledger.sqlite.damaged-*")
    assert aside.read_bytes() == half

    with Bridge() as bridge:
        again = {job.id: job for job in bridge.refresh()}
        for job in jobs:
            same = again[job.id]
            assert (same.target, same.remote_id, same.status) == (job.target, job.remote_id, Status.SUCCEEDED)
            assert same.result == job.result
            assert same.latest == job.latest
            assert same.spec.hyperparameters.epochs == 2
            assert bridge.events(same)[0].message
        assert again[jobs[0].id].name == "support"
        assert bridge.chat(jobs[0], "Say one.").text == "one"
    for vendor, created in (("openai", 2), ("together", 1), ("mistral", 1)):
        assert asked(ftbridge_mock[vendor], "create_job") == created


def test_doing_it_again_does_nothing_more(jobs: list[Job], home: Path, here: Cli) -> None:
    (home / "ledger.sqlite").unlink()
    assert len(recovered(here, "--provider", "openai", "--provider", "mistral")["jobs"]) == 2
    again = recovered(here)
    assert [job["id"] for job in again["jobs"]] == [jobs[1].id]
    assert {one["provider"]: one["known"] for one in again["vendors"]}["openai"] == 1
    assert recovered(here)["jobs"] == []
    with Bridge() as bridge:
        assert len(bridge.jobs()) == 3
    assert not list(home.glob("*.damaged-*"))


def test_a_second_job_of_one_request_is_told_and_the_oldest_taken(jobs: list[Job], home: Path, here: Cli) -> None:
    with openai.OpenAI() as client:
        first = client.fine_tuning.jobs.retrieve(str(jobs[0].remote_id))
        double = client.fine_tuning.jobs.create(
            model=first.model, training_file=first.training_file, metadata={"ftbridge": jobs[0].id}
        )
    (home / "ledger.sqlite").unlink()
    output = here("recover", "--from-vendors", "--provider", "openai").err
    assert f"{double.id} is" in output
    assert "second job" in output
    with Bridge() as bridge:
        assert bridge.job(jobs[0].id).remote_id == jobs[0].remote_id


def test_a_list_that_breaks_off_keeps_what_it_gave_and_says_so(
    jobs: list[Job], home: Path, here: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ledger.sqlite").unlink()

    def endless(items: list[dict[str, Any]], call: Any, _default: int) -> tuple[list[dict[str, Any]], bool]:
        return ([], True) if call.query.get("after") else (items, True)

    monkeypatch.setattr("ftbridge_providers.openai_api.mock.vendor.page_of", endless)
    ran = here("recover", "--from-vendors", "--provider", "openai", "--json")
    assert ran.code == 1
    [vendor] = ran.json["vendors"]
    assert (vendor["adopted"], vendor["foreign"]) == (1, 1)
    assert "sends nothing new" in vendor["broken_off"]
    with Bridge() as bridge:
        assert bridge.job(jobs[0].id).result == jobs[0].result


def test_vendors_that_cannot_be_asked_are_skipped_unless_they_are_named(here: Cli) -> None:
    vendors = {one["provider"]: one["skipped"] for one in recovered(here)["vendors"]}
    assert "no key" in vendors["openai"]
    assert vendors["local"] is None
    named = here("recover", "--from-vendors", "--provider", "openai")
    assert named.code == 2
    assert "OPENAI_API_KEY" in named.err
    assert here("recover", "--provider", "openai").code == 2
