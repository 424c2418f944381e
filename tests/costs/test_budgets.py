"""A job that may cost too much is refused before anything is uploaded; what it cost is kept beside the estimate."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import InvalidRequest, OverBudget, ProviderError
from ftbridge.mock import MockVendors
from ftbridge.model import Status, now
from hosted_helpers import asked
from watching_helpers import standing_still

MINI, QWEN, OLD = "openai:gpt-4.1-mini-2025-04-14", "together:Qwen/Qwen3-8B", "mistral:open-mistral-7b"


@pytest.fixture
def vendors(ftbridge_mock: MockVendors, monkeypatch: pytest.MonkeyPatch) -> MockVendors:
    """Mocked vendors at addresses of their own, which the plain targets lead to."""
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
    for name in ("openai", "together", "mistral"):
        ftbridge_mock[name].speed = 600.0
    return ftbridge_mock


def configure(text: str) -> None:
    (Path.cwd() / "ftbridge.toml").write_text(text, "utf-8")


def test_a_job_that_may_cost_more_than_allowed_is_refused_before_anything_is_uploaded(
    vendors: MockVendors, bridge: Bridge, data: Path
) -> None:
    # 12 examples of 13 tokens, 8 times, at $5 a million: $0.0062; their JSON has 976 bytes
    with pytest.raises(OverBudget, match=r"may cost \$0\.0390, and --max-cost is \$0\.0065"):
        bridge.submit(data, MINI, max_cost=0.0065)
    assert asked(vendors["openai"], "upload_file") == 0
    assert bridge.jobs() == []
    job = bridge.submit(data, MINI, max_cost=0.0400)
    assert job.cost.estimate_usd == pytest.approx(0.00624)
    assert job.cost.estimate_usd_high == pytest.approx(8 * 976 * 5e-6)
    assert job.cost.estimate_tokens == 1248


def test_the_same_request_under_another_limit_is_the_same_request(
    vendors: MockVendors, bridge: Bridge, data: Path
) -> None:
    job = bridge.submit(data, MINI, max_cost=1, idempotency_key="monday")
    assert bridge.submit(data, MINI, max_cost=2, idempotency_key="monday").id == job.id


def test_what_has_no_known_price_cannot_stay_within_a_limit(vendors: MockVendors, bridge: Bridge, data: Path) -> None:
    with pytest.raises(OverBudget, match="not known"):
        bridge.submit(data, "mistral:open-mistral-nemo", max_cost=1000)
    assert bridge.jobs() == []


def test_the_vendors_own_price_wins_once_it_has_the_files(
    vendors: MockVendors, bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mock = vendors["together"]
    monkeypatch.setattr(type(mock), "price_usd", lambda _mock, _tokens: 7.5)
    job = bridge.submit(data, QWEN)
    assert job.cost.estimate_usd == 7.5
    with pytest.raises(OverBudget, match=r"together asks \$7\.50"):
        bridge.submit(data, QWEN, max_cost=7.0, again=True)
    assert asked(vendors["together"], "create_job") == 1
    assert [job.status for job in bridge.jobs()][1:] == [Status.FAILED]


def test_a_vendor_that_cannot_tell_its_price_is_no_reason_to_give_up_unless_there_is_a_limit(
    vendors: MockVendors, bridge: Bridge, data: Path
) -> None:
    vendors["together"].faults.add("estimate_price=422")
    assert bridge.submit(data, QWEN).status is not Status.FAILED
    vendors["together"].faults.add("estimate_price=422")
    with pytest.raises(InvalidRequest):
        bridge.submit(data, QWEN, max_cost=10, again=True)


def test_mistrals_validated_price_is_looked_at_before_the_start_and_a_job_above_it_is_cancelled(
    vendors: MockVendors, bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_providers.mistral.adapter import MistralProvider
    from ftbridge_providers.mistral.mock import bodies as mock_bodies

    monkeypatch.setattr(MistralProvider, "validation_poll_seconds", 0.02)
    monkeypatch.setattr(mock_bodies, "DOLLARS_PER_MILLION_TOKENS", 1_000_000)
    with pytest.raises(OverBudget, match="mistral quotes"):
        bridge.submit(data, OLD, epochs=1, max_cost=50)
    assert asked(vendors["mistral"], "create_job") == 1
    assert asked(vendors["mistral"], "start_job") == 0
    assert asked(vendors["mistral"], "cancel_job") == 1
    assert [job.status for job in bridge.jobs()] == [Status.FAILED]


def test_a_job_left_between_mistrals_two_steps_is_judged_before_recover_starts_it(
    vendors: MockVendors, bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_providers.mistral.adapter import MistralProvider
    from ftbridge_providers.mistral.mock import bodies as mock_bodies

    monkeypatch.setattr(MistralProvider, "validation_poll_seconds", 0.02)
    monkeypatch.setattr(mock_bodies, "DOLLARS_PER_MILLION_TOKENS", 1_000_000)
    vendors["mistral"].faults.add("get_job=403")  # so that the submission ends before it has seen the price
    with pytest.raises(ProviderError, match="may not have been started"):
        bridge.submit(data, OLD, epochs=1, max_cost=50)
    [refused] = bridge.recover()
    assert refused.status is Status.FAILED
    assert refused.error
    assert "mistral quotes" in refused.error
    assert asked(vendors["mistral"], "create_job") == asked(vendors["mistral"], "cancel_job") == 1
    assert asked(vendors["mistral"], "start_job") == 0
    assert bridge.recover() == []


def test_a_months_budget_is_kept_against_the_ledger(vendors: MockVendors, data: Path) -> None:
    configure('[budgets]\nopenai = 0.08\n"mock+openai" = 0.001\n')
    with Bridge() as bridge, standing_still(vendors):
        first = bridge.submit(data, MINI)  # estimated at $0.0062, at most $0.0390
        with pytest.raises(OverBudget, match=r"\$0\.00 is spent and \$0\.0390 is reserved for 1 job"):
            bridge.submit(data, MINI, epochs=9)
        second = bridge.submit(data, MINI, epochs=8, name="second")
        with pytest.raises(OverBudget, match=r"for openai, \$0\.00 is spent and \$0\.0781 is reserved for 2 jobs"):
            bridge.submit(data, MINI, epochs=4, name="third")
        assert [job.id for job in bridge.jobs()] == [first.id, second.id]
        with pytest.raises(OverBudget, match=r"mock\+openai"):
            bridge.submit(data, f"mock+{MINI}")
        bridge.submit(data, QWEN)  # has no budget of its own


def test_the_budget_counts_a_finished_job_at_the_price_of_its_billed_tokens(vendors: MockVendors, data: Path) -> None:
    configure("[budgets]\nopenai = 0.06\n")
    with Bridge() as bridge:
        first = bridge.wait(bridge.submit(data, MINI))
        assert first.cost.billed_tokens
        assert first.cost.actual_usd is None
        billed = first.cost.billed_tokens * 5e-6
        high = first.cost.estimate_usd_high
        assert high
        assert billed <= high  # though it is more than the guess and a third
        with pytest.raises(OverBudget, match=rf"\${billed:.4f} is spent"):
            bridge.submit(data, MINI, epochs=14)
        cancelled = bridge.submit(data, MINI, name="cancelled", again=True)
        record = bridge.ledger.job(cancelled.id)
        bridge.ledger.change(record, status=Status.CANCELLED, remote_id=None)  # as if it had never been sent
        with pytest.raises(OverBudget, match=rf"\${billed:.4f} is spent"):
            bridge.submit(data, MINI, epochs=14)


def test_the_budget_counts_this_month_alone_and_what_was_billed_instead_of_what_was_estimated(
    vendors: MockVendors, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("[budgets]\ntogether = 0.002\n")
    with Bridge() as bridge:
        job = bridge.wait(bridge.submit(data, QWEN))
        assert job.cost.actual_usd is not None
        record = bridge.ledger.job(job.id)
        bridge.ledger.change(record, actual_usd=0.0019)
        with pytest.raises(OverBudget, match=r"\$0\.0019 is spent"):
            bridge.submit(data, QWEN, epochs=2)
        later = now() + timedelta(days=31)
        monkeypatch.setenv("FTBRIDGE_TODAY", later.date().isoformat())  # a question about the future buys no job
        with pytest.raises(OverBudget, match=r"\$0\.0019 is spent"):
            bridge.submit(data, QWEN, epochs=2)
        monkeypatch.setattr("ftbridge.costs.budgets.now", lambda: later)
        bridge.submit(data, QWEN, epochs=2)


def test_what_the_vendor_bills_is_kept_beside_the_estimate(vendors: MockVendors, bridge: Bridge, data: Path) -> None:
    together = bridge.wait(bridge.submit(data, QWEN))
    openai = bridge.wait(bridge.submit(data, MINI))
    size = data.stat().st_size
    assert together.cost.billed_tokens == size // 4
    assert together.cost.actual_usd == pytest.approx(size // 4 * 480e-9)
    assert openai.cost.estimate_usd == pytest.approx(0.00624)
    assert openai.cost.billed_tokens == size // 4 * 8
    assert openai.cost.actual_usd is None


def test_the_local_provider_stays_within_every_limit(bridge: Bridge) -> None:
    from ftbridge.costs.budgets import check_cost
    from ftbridge.model import Cost

    check_cost(bridge, bridge.target("local:tiny"), Cost(), 0.01)
