"""What a job at Hugging Face costs: its flavor's hours, and never more than its limit of time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import JobHardware

from ftbridge import Bridge
from ftbridge.catalogue import Catalogue
from ftbridge.costs.billable_work import Work
from ftbridge.costs.quote import Load, quote
from ftbridge.errors import OverBudget
from ftbridge.testing import ROWS
from ftbridge_local.hugging_face.provider import HfProvider
from ftbridge_local.hugging_face.table import HfTable
from runners.hub_stub import HubStub

WORK = Work(examples=10, tokens=36_000, epochs=1)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    tables = {"big": HfTable(flavor="a100-large", timeout="90m"), "l4x1": HfTable(timeout="2d")}
    return Catalogue(HfProvider(tmp_path, runners=tables).catalogue())


@pytest.mark.parametrize(
    ("host", "hourly", "most"),
    [("a10g-small", 1.0, 4.0), ("h200x8", 40.0, 160.0), ("big", 2.5, 3.75), ("l4x1", 0.8, 38.4)],
)
def test_a_host_has_the_price_of_its_flavor_and_its_own_limit(
    catalogue: Catalogue, host: str, hourly: float, most: float
) -> None:
    facts = catalogue.entry("hf", f"{host}/Qwen/Qwen3-0.6B").facts
    priced = quote(facts, WORK, Load(), tokens_per_second=10.0)
    assert priced.seconds == 3600
    assert priced.training_usd == hourly
    assert priced.training_usd_high == pytest.approx(most)
    assert priced.total_usd == hourly, "a tuned model answers here, and costs nothing there"


def test_without_a_speed_the_limit_bounds_the_costs_all_the_same(catalogue: Catalogue) -> None:
    priced = quote(catalogue.entry("hf", "t4-small/tiny").facts, WORK, Load())
    assert priced.training_usd is None
    assert priced.training_usd_high == pytest.approx(1.6)


def test_each_flavor_that_the_sdk_knows_has_a_price(catalogue: Catalogue) -> None:
    unpriced = [
        one for one in JobHardware if not catalogue.entry("hf", f"{one.value}/tiny").facts.training_usd_per_hour
    ]
    assert unpriced == []


def test_a_job_that_may_cost_more_than_allowed_is_not_begun(hub: HubStub, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    with Bridge(home=tmp_path / "home") as bridge, pytest.raises(OverBudget, match=r"may cost \$4\.00"):
        bridge.submit(rows, to="hf:a10g-small/tiny", max_cost=3.99)
    assert hub.jobs == {}


def test_when_a_job_ends_and_what_it_may_cost_is_said_before(hub: HubStub, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    said: list[str] = []
    hub.machines = 0
    with Bridge(home=tmp_path / "home", warn=said.append) as bridge:
        job = bridge.submit(rows, to="hf:a10g-small/tiny", max_cost=4)
        bridge.cancel(job)
    assert "hf ends the job after 4 h, which costs $4.00 at most; it pauses before that" in said
    assert job.cost.estimate_usd_high == 4.0


def test_a_name_of_ftbridge_toml_has_its_price_and_its_limit(hub: HubStub, tmp_path: Path) -> None:
    home, rows = tmp_path / "home", tmp_path / "rows.jsonl"
    home.mkdir()
    (home / "ftbridge.toml").write_text('[runners.big]\nkind = "hf"\nflavor = "a100-large"\ntimeout = "90m"\n')
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
    with Bridge(home=home) as bridge, pytest.raises(OverBudget, match=r"may cost \$3\.75"):
        bridge.submit(rows, to="hf:big/tiny", max_cost=3.74)
