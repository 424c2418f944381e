"""The vendors themselves: off unless FTBRIDGE_LIVE=1 and the vendor's key is set, since it costs money.

    FTBRIDGE_LIVE=1 TOGETHER_API_KEY=… pytest -n 0 tests/live -k together

Each is the smallest job there is: ten short rows, one epoch, the smallest model. At OpenAI and Azure it
is cancelled as soon as it is known there, and costs nothing or some cents; at Together it runs to its
end, of which its weights are fetched. Where the catalogue has a price, `max_cost` forbids more than a dollar.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from ftbridge import Bridge, Status


class Vendor(NamedTuple):
    """`settings` have to be in the environment; a job that is not taken `to_its_end` is cancelled.

    It is `priced` where the catalogue's prices are those that are paid: not where only others serve the API.
    """

    settings: tuple[str, ...]
    target: str
    to_its_end: bool
    priced: bool = True


VENDORS = {
    "openai": Vendor(("OPENAI_API_KEY",), "openai:gpt-4.1-mini-2025-04-14", to_its_end=False),
    "azure": Vendor(
        ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"), "azure:gpt-4.1-mini-2025-04-14", to_its_end=False
    ),
    "together": Vendor(("TOGETHER_API_KEY",), "together:Qwen/Qwen3-0.6B", to_its_end=True),
    "nebius": Vendor(("NEBIUS_API_KEY",), "nebius:Qwen/Qwen3-8B", to_its_end=False),
    "mistral": Vendor(
        ("MISTRAL_API_KEY", "MISTRAL_BASE_URL"), "mistral:open-mistral-7b", to_its_end=False, priced=False
    ),
}
# kept when the tests are collected: the environment of a running test has no keys
ENVIRONMENT = dict(os.environ)
LARGEST_COST = 1.0  # US dollars


def why_not(vendor: Vendor, environment: dict[str, str]) -> str:
    """Why a live test does not run; "" where it may."""
    if environment.get("FTBRIDGE_LIVE") != "1":
        return "FTBRIDGE_LIVE is not 1"
    missing = [name for name in vendor.settings if not environment.get(name)]
    return f"{', '.join(missing)} not set" if missing else ""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    turns = [
        [{"role": "user", "content": f"Add one to {n}."}, {"role": "assistant", "content": str(n + 1)}]
        for n in range(10)
    ]
    file.write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in turns), "utf-8")
    return file


def smallest_job(target: str, vendor: Vendor, data: Path, out: Path) -> None:
    """Submit the job, and cancel it or follow it to its end."""
    with Bridge() as bridge:
        [offer] = bridge.compare(data, [target], epochs=1)
        limit = LARGEST_COST if offer.training_usd_high is not None and vendor.priced else None
        job = bridge.submit(data, target, epochs=1, name="live test", max_cost=limit)
        assert job.remote_id
        if vendor.to_its_end:
            job = bridge.wait(job, timeout=3000)
            assert job.status is Status.SUCCEEDED, job.error
            assert bridge.fetch(job, out).path
        else:
            bridge.cancel(job)
            job = bridge.wait(job, timeout=1800)
            assert job.status in (Status.CANCELLED, Status.SUCCEEDED), job.error
        assert bridge.events(job)
        assert (job.cost.actual_usd or 0.0) < LARGEST_COST


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", VENDORS)
def test_the_smallest_job_there_is(name: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vendor = VENDORS[name]
    if reason := why_not(vendor, ENVIRONMENT):
        pytest.skip(reason)
    for setting in vendor.settings:
        monkeypatch.setenv(setting, ENVIRONMENT[setting])
    smallest_job(vendor.target, vendor, data, tmp_path / "out")


@pytest.mark.parametrize("name", VENDORS)
def test_it_is_rehearsed_against_the_mock(name: str, data: Path, tmp_path: Path) -> None:
    smallest_job(f"mock+{VENDORS[name].target}", VENDORS[name], data, tmp_path / "out")


@pytest.mark.parametrize("name", VENDORS)
def test_it_is_off_by_default(name: str) -> None:
    keys = dict.fromkeys(VENDORS[name].settings, "any")
    assert why_not(VENDORS[name], {})
    assert why_not(VENDORS[name], keys) == "FTBRIDGE_LIVE is not 1"
    assert why_not(VENDORS[name], {**keys, "FTBRIDGE_LIVE": "0"})
    assert VENDORS[name].settings[0] in why_not(VENDORS[name], {"FTBRIDGE_LIVE": "1"})
    assert why_not(VENDORS[name], {**keys, "FTBRIDGE_LIVE": "1"}) == ""
