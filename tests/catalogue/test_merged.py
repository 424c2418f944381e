"""What holds of a model: the last row to name a fact, what the vendor says now, how old it is, when it ends."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest

from ftbridge.catalogue import Catalogue, Row, today
from ftbridge.errors import ConfigError
from ftbridge.model import Method

DAY = date(2026, 11, 22)


def row(*models: str, provider: str = "acme", **facts: Any) -> Row:
    known = {"source": "https://acme.example", "as_of": DAY, "confidence": "official", **facts}
    return Row(provider=provider, models=models, **known)


def test_the_last_row_to_name_a_fact_holds_and_is_remembered_as_its_source() -> None:
    book = Catalogue(
        [
            row("*", sft_usd_per_million_tokens=1.0, minimum_usd_per_job=4.0),
            row("big-*", sft_usd_per_million_tokens=9.0, source="https://acme.example/big"),
        ]
    )
    entry = book.entry("acme", "big-one")
    assert entry.facts.sft_usd_per_million_tokens == 9.0
    assert entry.facts.minimum_usd_per_job == 4.0
    assert entry.rows["sft_usd_per_million_tokens"].source == "https://acme.example/big"
    assert entry.rows["minimum_usd_per_job"].source == "https://acme.example"
    assert book.entry("acme", "small").facts.sft_usd_per_million_tokens == 1.0
    assert book.entry("other", "small").facts.sft_usd_per_million_tokens is None


def test_what_is_free_is_known_to_cost_nothing_until_a_later_row_has_a_price() -> None:
    free = row("*", free=("minimum_usd_per_job",))
    assert Catalogue([free]).entry("acme", "m").facts.minimum_usd_per_job == 0
    assert Catalogue([free, row("m", minimum_usd_per_job=2.0)]).entry("acme", "m").facts.minimum_usd_per_job == 2.0
    assert Catalogue([row("m", minimum_usd_per_job=2.0), free]).entry("acme", "m").facts.minimum_usd_per_job == 0


def test_what_the_vendor_says_now_wins() -> None:
    book = Catalogue([row("m", inference_closes_on=date(2027, 6, 1))])
    live = row("m", inference_closes_on=date(2027, 1, 14))
    assert book.entry("acme", "m", [live]).closes_on == date(2027, 1, 14)


def test_figures_older_than_ninety_days_are_marked_and_doubts_are_said() -> None:
    book = Catalogue(
        [
            row("m", sft_usd_per_million_tokens=1.0, as_of=date(2026, 8, 23)),
            row("m", minimum_usd_per_job=1.0, as_of=date(2026, 8, 25), doubt="nobody is sure"),
            row("m", storage_usd_per_month=1.0, confidence="third-party"),
        ]
    )
    entry = book.entry("acme", "m")
    [old] = entry.doubts(DAY, ["sft_usd_per_million_tokens"])
    assert "2026-08-23" in old
    assert "91 days old" in old
    assert entry.doubts(DAY, ["minimum_usd_per_job"]) == ["nobody is sure (https://acme.example, 2026-08-25)"]
    assert "third-party" in entry.doubts(DAY, ["storage_usd_per_month"])[0]
    assert entry.doubts(DAY, ["hosting_usd_per_hour"]) == []


def test_a_model_is_open_through_its_last_day_and_closed_the_day_after() -> None:
    entry = Catalogue([row("m", methods=("sft",), training_closes_on=date(2027, 1, 6))]).entry("acme", "m")
    assert entry.closed_on(date(2027, 1, 6)) is None
    assert entry.closed_on(date(2027, 1, 7)) == date(2027, 1, 6)
    assert entry.closing_soon(date(2026, 10, 7)) == {}
    assert entry.closing_soon(date(2026, 10, 8)) == {"training": date(2027, 1, 6)}
    assert not entry.is_open(date(2026, 1, 1), Method.DPO)


def test_alternatives_are_open_offer_the_method_and_come_from_many_providers() -> None:
    book = Catalogue(
        [
            row("a1", "a2", "a3", "a*", provider="acme", methods=("sft", "dpo")),
            row("b1", provider="best", methods=("sft",)),
            row("c1", provider="closed", methods=("sft",), training_closes_on=date(2026, 1, 1)),
            row("d1", provider="dying", methods=("sft",), inference_closes_on=date(2026, 12, 24)),
            row("t1", provider="toys", methods=("sft",), trial=True),
        ]
    )
    assert book.alternatives(DAY, Method.SFT, instead_of="acme:a1") == ["best:b1", "acme:a2", "acme:a3"]
    assert book.alternatives(DAY, Method.DPO, instead_of="closed:c1", count=2) == ["acme:a1", "acme:a2"]


def test_the_day_can_be_set_for_looking_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2027-01-07")
    assert today() == date(2027, 1, 7)
    monkeypatch.setenv("FTBRIDGE_TODAY", "soon")
    with pytest.raises(ConfigError, match="soon"):
        today()


def test_models_lists_what_is_open_and_what_has_closed(here: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
    found = {model["target"]: model for model in here("catalogue", "--json").json["models"]}
    mini, nemo = found["openai:gpt-4.1-mini-2025-04-14"], found["mistral:open-mistral-nemo"]
    assert mini["open"]
    assert not nemo["open"]
    assert mini["facts"]["training_closes_on"] == "2027-01-06"
    assert mini["facts"]["minimum_usd_per_job"] == 0
    assert set(mini["sources"]) == set(mini["facts"])
    assert "sft_usd_per_million_tokens" not in nemo["facts"]
    shown = here("catalogue", "openai").out
    assert "open until 2027-01-06, not to all accounts" in shown
    assert "closed since 2026-10-23" in shown
    assert "mistral" not in shown
    assert "$5.00 " in shown
    assert "$0.48 per" in here("catalogue", "together", columns=80).out
    refused = here("catalogue", "opnai")
    assert refused.code == 2
    assert "Installed" in refused.err


@pytest.mark.parametrize("columns", [80, 110, 200])
def test_models_shows_every_name_whole_and_where_each_fact_is_from(
    here: Any, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
    names = [model["target"] for model in here("catalogue", "--json").json["models"]]
    shown = here("catalogue", columns=columns).out
    words = shown.split()
    assert set(names) <= set(words)
    assert "…" not in shown
    assert "$0.4800" not in shown
    text = " ".join(words)
    assert "2025-12-01, 356 days old, third-party; prices, one for both methods" in text
    assert "takes jobs only from organisations that have used tuned models in the past 60 days" in text
    assert "for others it ended with the base in October 2026" in text
    numbers = re.findall(r"^ +(\d+):", shown, re.MULTILINE)
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
