"""`compare`: prices are those of the catalogue, of the user, or of this machine."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

import pytest

from comparison_helpers import MINI, NEMO, QWEN
from ftbridge import Bridge, Load, Machine
from ftbridge.comparison import compare as room
from ftbridge.comparison.speed import Speed, speed
from ftbridge.model import Event, Spec, now


def test_prices_are_those_of_the_catalogue_for_the_tokens_counted(bridge: Bridge, data: Path) -> None:
    [offer] = bridge.compare(data, [MINI])
    # 12 examples are shown 8 times: 100 // 12; each has 3 tokens, and 2 messages of 4 and texts of up to 3 bytes
    assert offer.epochs == 8
    assert offer.tokens == 12 * (3 + 2 * 4 + 2 * 1)
    assert offer.training_usd == pytest.approx(8 * 156 * 5 / 1e6)
    assert offer.training_usd_high == pytest.approx(8 * 976 * 5 / 1e6)  # no more tokens than bytes of JSON
    assert offer.minimum_usd == 0
    assert offer.closes_on
    assert offer.closes_on.isoformat() == "2027-01-06"
    assert any("2027-01-06, in 45 days" in warning for warning in offer.warnings)
    assert any("late 2025" in warning and "days old" in warning for warning in offer.warnings)


def test_validation_is_priced_where_it_is_billed(bridge: Bridge, data: Path) -> None:
    without = {offer.target: offer.training_usd for offer in bridge.compare(data, [MINI, QWEN], epochs=2)}
    held = {offer.target: offer.training_usd for offer in bridge.compare(data, [MINI, QWEN], validation=data, epochs=2)}
    assert held[MINI] == without[MINI]
    assert held[QWEN] == pytest.approx(2 * (without[QWEN] or 0))


def test_the_user_may_name_a_price(data: Path) -> None:
    own = f"""[[catalogue.row]]
        provider = "mistral"
        models = ["open-mistral-nemo"]
        sft_usd_per_million_tokens = 1000.0
        training_closes_on = 2030-01-01
        as_of = 2026-11-01
        confidence = "official"
        doubt = "as {Path.cwd().name} pays"
    """
    (Path.cwd() / "ftbridge.toml").write_text(own, "utf-8")
    with Bridge() as bridge:
        [offer] = bridge.compare(data, [NEMO], epochs=100)
    assert offer.open
    assert offer.training_usd == pytest.approx(100 * offer.tokens * 1000 / 1e6)
    assert any("pays" in warning for warning in offer.warnings)


def test_an_own_machine_is_priced_by_the_speed_of_its_last_job_and_by_what_an_hour_costs(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the ledger's part of a past job at local:tiny, without training one
    monkeypatch.setattr(room, "speed", lambda _place, _target: Speed(100.0, date(2026, 11, 20)))
    [unpriced] = bridge.compare(data, ["local:tiny"])
    assert unpriced.training_usd is None
    assert unpriced.seconds == pytest.approx(unpriced.tokens * 8 / 100)
    [offer] = bridge.compare(data, ["local:tiny"], machine=Machine(kwh_usd=0.3, watts=200))
    assert offer.training_usd == pytest.approx(offer.tokens * 8 / 100 / 3600 * 0.06)
    assert offer.monthly_usd == pytest.approx(0.06 * 730)
    assert "200 W" not in " ".join(offer.warnings)
    assert any("by the speed of 2026-11-20, which --measure measures anew" in warning for warning in offer.warnings)
    [assumed] = bridge.compare(data, ["local:tiny"], machine=Machine(kwh_usd=0.3))
    assert any("150 W are assumed" in warning for warning in assumed.warnings)


def test_the_speed_of_a_target_is_the_median_of_its_newest_job_that_tells(bridge: Bridge, data: Path) -> None:
    assert speed(bridge, bridge.target("local:tiny")) is None
    from ftbridge.jobs.request.identity import make_intent
    from ftbridge.ledger import Prepared
    from ftbridge.model import Cost

    for figures in ([1.0], [10.0, 30.0, 20.0], []):
        intent = make_intent(Spec(target="local:tiny", data=data), Prepared(training="k"), None, Cost())
        record = bridge.ledger.add(intent)
        shown = [Event(at=now(), kind="metric", step=1, tokens_per_second=figure) for figure in figures]
        bridge.ledger.change(record, shown)
    assert speed(bridge, bridge.target("local:tiny")) == Speed(20.0, now().astimezone().date())
    assert speed(bridge, bridge.target("local:./other")) is None


def test_more_months_cost_more(bridge: Bridge, data: Path) -> None:
    load = Load(months=2, requests_per_month=100, tokens_in=1000, tokens_out=1000)
    [offer] = bridge.compare(data, [MINI], load=load)
    assert offer.request_usd == pytest.approx(0.004)
    assert offer.total_usd == pytest.approx((offer.training_usd or 0) + 2 * 100 * 0.004)


@pytest.mark.parametrize("tuning", ["lora", "rslora", "full"])
def test_every_tuning_has_a_price_that_of_an_adapter_or_of_all_weights(
    bridge: Bridge, data: Path, tuning: Literal["lora", "rslora", "full"]
) -> None:
    [offer] = bridge.compare(data, [QWEN], tuning=tuning)
    price = 0.54 if tuning == "full" else 0.48
    assert offer.training_usd == pytest.approx(offer.tokens * price / 1e6)


def test_a_load_is_of_one_month_and_of_requests_of_a_usual_size(bridge: Bridge, data: Path) -> None:
    from ftbridge.costs.quote import Load

    [offer] = bridge.compare(data, [MINI], load=Load(months=1, requests_per_month=10_000))
    assert offer.inference_usd == pytest.approx(10.4)
    [hosted] = bridge.compare(data, [QWEN])
    assert hosted.monthly_usd
    assert hosted.total_usd
    assert hosted.total_usd > hosted.monthly_usd
