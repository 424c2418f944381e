"""A job of which nobody knows whether the vendor has it is told of as such, until it is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import Cli
from ftbridge.mock.vendors import MockVendors
from ftbridge_providers.openai.adapter import OpenAIProvider
from hosted_helpers import asked

TARGET = "openai:gpt-4.1-mini-2025-04-14"


@pytest.fixture
def unclear(here: Cli, rows: Path, ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a job that the vendor was asked for, and has not, and whose answer was lost."""
    monkeypatch.setattr(OpenAIProvider, "listing_lag_seconds", 60.0)
    ftbridge_mock["openai"].faults.add("create_job=cut")
    assert here("submit", rows, "--to", TARGET, "--idempotency-key", "one").code == 4
    [job] = here("jobs", "--json").json["jobs"]
    return str(job["id"])


def test_nothing_is_open_where_nothing_was_asked_for(here: Cli) -> None:
    ran = here("recover")
    assert (ran.code, ran.out) == (0, "There is nothing to recover.\n")
    assert here("recover", "--json").json == {"jobs": [], "open": []}


def test_a_job_that_may_or_may_not_be_there_is_not_nothing(here: Cli, unclear: str) -> None:
    ran = here("recover")
    assert ran.code == 4
    assert f"{unclear} is still unclear: it is not known whether openai has job {unclear}. " in ran.out
    assert "so does `ftbridge recover` from " in ran.out
    found = here("recover", "--json")
    assert found.code == 4
    [left] = found.json["open"]
    assert left["unclear"] == "not_listed"
    assert left["id"] == unclear
    assert left["unclear_until"] > left["created_at"]
    assert "unclear until" in here("show", unclear).out


def test_asking_again_by_the_same_key_tells_that_it_is_not_known_yet(
    here: Cli, rows: Path, unclear: str, ftbridge_mock: MockVendors
) -> None:
    ran = here("submit", rows, "--to", TARGET, "--idempotency-key", "one")
    assert (ran.code, ran.out.strip()) == (4, unclear)
    assert f"it is not known whether openai has job {unclear}" in ran.err
    assert asked(ftbridge_mock["openai"], "create_job") == 0


def test_once_the_listing_would_show_it_the_job_is_asked_for_again(
    here: Cli, unclear: str, ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIProvider, "listing_lag_seconds", 0.0)
    monkeypatch.setattr(OpenAIProvider, "in_flight_seconds", 0.0)
    ran = here("recover")
    assert ran.code == 0
    assert ran.out.startswith(f"{unclear} is ")
    assert asked(ftbridge_mock["openai"], "create_job") == 1
