"""Every row of every installed provider's catalogue, and what rows may not say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ftbridge.catalogue import Row, read_rows
from ftbridge.catalogue.facts import PRICES
from ftbridge.errors import ConfigError
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target

UNITS = ("_usd_per_million_tokens", "_usd_per_hour", "_usd_per_job", "_usd_per_month")
ALL = [row for name in provider_names() for row in load_provider(Target(name, ""), Path("unused")).catalogue()]
ROWS = [pytest.param(row, id=f"{number} {row.provider}: {row.models[0]}") for number, row in enumerate(ALL)]
GOOD = """
provider = "acme"
[[row]]
models = ["small"]
sft_usd_per_million_tokens = 1.5
source = "https://acme.example/prices"
as_of = 2026-11-01
confidence = "official"
"""


@pytest.mark.parametrize("row", ROWS)
def test_every_row_says_of_what_from_where_when_and_how_sure(row: Row) -> None:
    assert row.provider in provider_names()
    assert row.given()
    assert row.source.startswith("https://") or row.own_machine
    assert date(2024, 1, 1) <= row.as_of <= date.today()
    assert row.doubt or row.confidence == "official" or not set(row.given()) & set(PRICES)


@pytest.mark.parametrize("row", ROWS)
def test_no_price_is_a_bare_zero_and_each_has_its_unit_in_its_name(row: Row) -> None:
    for name in PRICES:
        assert name.endswith(UNITS)
        price = getattr(row, name)
        assert price is None or price > 0
        assert (row.given().get(name) == 0) is (name in row.free)


def test_the_four_first_rooms_have_a_catalogue_each() -> None:
    assert {"local", "mistral", "openai", "together"} <= {row.provider for row in ALL}


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("1.5", "0", "greater than 0"),
        ("1.5", "0.0", "greater than 0"),
        ("1.5", '"cheap"', "number"),
        ("sft_usd_per_million_tokens", "sft_price", "not permitted"),
        ("as_of = 2026-11-01", "", "as_of"),
        ('confidence = "official"', 'confidence = "sure"', "confidence"),
        ('models = ["small"]', "models = []", "models"),
        ("as_of", 'free = ["sft_usd_per_million_tokens"]\nas_of', "has a price and is free"),
        ("as_of", 'free = ["beer"]\nas_of', "not a price"),
        ('provider = "acme"', "", "provider"),
        ("[[row]]", "[[row]", "not valid toml"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(before: str, after: str, what: str) -> None:
    assert len(read_rows(GOOD, "prices.toml")) == 1
    with pytest.raises(ConfigError) as problem:
        read_rows(GOOD.replace(before, after), "prices.toml")
    assert "prices.toml" in problem.value.message
    assert what in problem.value.message.lower()
