"""All trials of a sweep together cost no more than their limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import OverBudget
from ftbridge.mock.vendors import MockVendors
from sweep.swept import BOTH, OPENAI, created


def bound(bridge: Bridge, chats: Path, **options: Any) -> list[float]:
    """What the trials of a sweep at OpenAI may cost, each."""
    planned = bridge.sweep(chats, OPENAI, validation=chats, dry_run=True, **options)
    return [trial.estimate_usd_high or 0.0 for trial in sorted(planned.trials, key=lambda trial: trial.number)]


def test_a_budget_with_room_for_one_trial_and_a_half_buys_one(chats: Path, vendors: MockVendors) -> None:
    with Bridge() as bridge:
        one, _other = bound(bridge, chats, epochs=1, seed=[1, 2])
        found = bridge.sweep(chats, OPENAI, validation=chats, epochs=1, seed=[1, 2], max_cost=1.5 * one)
        # the bill is below the bound, and leaves room for the other one once it is known
        assert [trial.outcome for trial in found.trials] == ["succeeded", "succeeded"]
        assert found.usd <= 1.5 * one


def test_while_the_bill_of_the_first_is_open_the_second_is_not_sent(
    chats: Path, vendors: MockVendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ftbridge.costs.spending.billed_so_far", lambda *_given: None)
    monkeypatch.setattr("ftbridge.costs.budgets.billed_so_far", lambda *_given: None)
    with Bridge() as bridge:
        one, _other = bound(bridge, chats, epochs=1, seed=[1, 2])
        found = bridge.sweep(chats, OPENAI, validation=chats, epochs=1, seed=[1, 2], max_cost=1.5 * one, name="two")
        assert [trial.outcome for trial in found.trials] == ["succeeded", "over_budget"]
        assert f"of the ${1.5 * one:.4f} for sweep two" in str(found.trials[1].why)
        assert created(vendors) == 1
        again = bridge.resume_sweep("two", max_cost=2 * one)
        assert [trial.outcome for trial in again.trials] == ["succeeded", "succeeded"]
        assert created(vendors) == 2


def test_a_job_that_a_person_adds_to_the_group_counts_against_its_budget(chats: Path, vendors: MockVendors) -> None:
    with Bridge() as bridge:
        [one] = bound(bridge, chats, epochs=1)
        bridge.sweep(chats, OPENAI, validation=chats, epochs=1, max_cost=1.1 * one, name="all", evaluate=False)
        with pytest.raises(OverBudget, match="for sweep all"):
            bridge.submit(chats, OPENAI, epochs=3, group="all")


def test_where_no_trial_fits_nothing_is_sent(here: Cli, chats: Path, vendors: MockVendors) -> None:
    ran = here("sweep", chats, *BOTH, "--max-cost", "0.000001")
    assert ran.code == 2
    assert "the cheapest trial may cost $0.0" in ran.err
    assert created(vendors) == 0
