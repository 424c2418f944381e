"""Figures worked out by hand from the installed catalogues, beside those that are computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ftbridge.catalogue import Catalogue
from ftbridge.costs.billable_work import Work
from ftbridge.costs.quote import Load, epochs_of, quote
from ftbridge.model import Method
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target
from ftbridge.wording import counted

PROVIDERS = [load_provider(Target(name, ""), Path("unused")) for name in provider_names()]
BOOK = Catalogue(row for provider in PROVIDERS for row in provider.catalogue())
MINI, QWEN = "openai:gpt-4.1-mini-2025-04-14", "together:Qwen/Qwen3-8B"
NEMO, OLD = "open-mistral-nemo", "open-mistral-7b"
NONE: Mapping[str, Any] = {}


class Case(NamedTuple):
    """What is asked, and what comes of it: dollars by hand, `None` for what nobody knows."""

    why: str
    target: str
    work: dict[str, Any]
    figures: dict[str, Any]
    load: Mapping[str, Any] = NONE
    changed: Mapping[str, Any] = NONE
    speed: float | None = None


CASES = [
    # 3 epochs of 0.1M tokens at $5; at most 35,000 more
    Case(
        "three epochs where they show 100 to 25,000 examples",
        MINI,
        {"examples": 1000, "tokens": 100_000, "tokens_at_most": 135_000},
        {"epochs": 3, "training_usd": 1.5, "training_usd_high": 2.025, "billed_tokens": 300_000, "minimum_usd": 0},
    ),
    # 100 // 10 = 10 epochs of 20k tokens
    Case(
        "few examples are shown more often",
        MINI,
        {"examples": 10, "tokens": 20_000},
        {"epochs": 10, "training_usd": 1.0},
    ),
    # 100 // 3 = 33, of which 25
    Case("but never more than 25 times", MINI, {"examples": 3, "tokens": 1000}, {"epochs": 25, "training_usd": 0.125}),
    # 25,000 // 10,000 = 2
    Case("many are shown less", MINI, {"examples": 10_000, "tokens": 1_000_000}, {"epochs": 2, "training_usd": 10.0}),
    Case("and at least once", MINI, {"examples": 30_000, "tokens": 1_000_000}, {"epochs": 1, "training_usd": 5.0}),
    Case(
        "OpenAI does not bill validation",
        MINI,
        {"examples": 1000, "tokens": 100_000, "validation_tokens": 50_000},
        {"training_usd": 1.5},
    ),
    # 1M + 0.2M, and 3 * (1M + 0.2M), at $0.48
    Case(
        "Together bills validation, once an epoch",
        QWEN,
        {"examples": 1000, "tokens": 1_000_000, "validation_tokens": 200_000},
        {"epochs": 1, "training_usd": 0.576, "minimum_usd": 0},
    ),
    Case(
        "and with three epochs three times",
        QWEN,
        {"examples": 1000, "tokens": 1_000_000, "validation_tokens": 200_000, "epochs": 3},
        {"billed_tokens": 3_600_000, "training_usd": 1.728},
    ),
    # 2 * 1M at $1.20
    Case(
        "preferences cost more",
        QWEN,
        {"examples": 1000, "tokens": 1_000_000, "epochs": 2, "method": Method.DPO},
        {"training_usd": 2.4},
    ),
    Case("so do all weights", QWEN, {"examples": 10, "tokens": 1_000_000, "full": True}, {"training_usd": 0.54}),
    Case(
        "and both",
        QWEN,
        {"examples": 10, "tokens": 1_000_000, "full": True, "method": Method.DPO},
        {"training_usd": 1.35},
    ),
    # 2 * 100 rows * 2,048 tokens = 409,600 at $0.48
    Case(
        "without packing each row is billed whole, however short",
        QWEN,
        {"examples": 100, "tokens": 5000, "epochs": 2, "max_seq_length": 2048, "tokens_relative_error": 0.35},
        {"billed_tokens": 409_600, "training_usd": 0.196608, "training_usd_high": 0.196608},
        changed={"packing": False},
    ),
    # 3 * 0.5M at $2 is $3, and 3 * 1M is $6
    Case("a minimum charge", f"mistral:{OLD}", {"examples": 9, "tokens": 500_000, "epochs": 3}, {"training_usd": 4.0}),
    Case("a larger job", f"mistral:{OLD}", {"examples": 9, "tokens": 1_000_000, "epochs": 3}, {"training_usd": 6.0}),
    Case(
        "epochs that nobody knows make a price that nobody knows",
        f"mistral:{OLD}",
        {"examples": 9, "tokens": 1_000_000},
        {"epochs": None, "training_usd": None, "training_usd_high": None, "total_usd": None, "minimum_usd": 4.0},
    ),
    Case(
        "an unknown price is not nothing, and what is known of the rest is kept",
        f"mistral:{NEMO}",
        {"examples": 9, "tokens": 1_000_000, "epochs": 3},
        {"training_usd": None, "monthly_usd": 2.0, "inference_usd": 0.0, "total_usd": None, "partial_total_usd": 12.0},
        load={"months": 6},
    ),
    # 730 hours at $3.99 a month
    Case(
        "hosting by the hour, and tokens that then cost nothing",
        QWEN,
        {"examples": 10, "tokens": 1_000_000},
        {"training_usd": 0.48, "monthly_usd": 2912.7, "inference_usd": 0, "total_usd": 5825.88},
        load={"months": 2, "requests_per_month": 1000, "tokens_in": 500, "tokens_out": 200},
    ),
    # 10,000 * (500 * $0.80 + 200 * $3.20) / 1M
    Case(
        "requests by the token",
        MINI,
        {"examples": 1000, "tokens": 100_000},
        {"monthly_usd": 0, "inference_usd": 10.4, "total_usd": 1.5 + 3 * 10.4},
        load={"months": 3, "requests_per_month": 10_000, "tokens_in": 500, "tokens_out": 200},
    ),
    # 8 epochs of 3,600 tokens at 10 a second are 0.8 hours
    Case(
        "an own machine by its hours",
        "local:tiny",
        {"examples": 10, "tokens": 3600},
        {"epochs": 8, "seconds": 2880, "training_usd": 1.6, "monthly_usd": 1460, "total_usd": 1461.6},
        changed={"training_usd_per_hour": 2.0, "hosting_usd_per_hour": 2.0},
        speed=10.0,
    ),
    Case(
        "an own machine at no known price",
        "local:tiny",
        {"examples": 10, "tokens": 3600},
        {"seconds": 2880, "training_usd": None, "monthly_usd": None, "total_usd": None},
        speed=10.0,
    ),
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.why) for case in CASES])
def test_a_figure_is_what_a_person_works_out(case: Case) -> None:
    provider, _, model = case.target.partition(":")
    facts = BOOK.entry(provider, model).facts.model_copy(update=case.changed)
    found = quote(facts, Work(**case.work), Load(**case.load), tokens_per_second=case.speed)
    for name, figure in case.figures.items():
        assert getattr(found, name) == (None if figure is None else pytest.approx(figure, rel=1e-9)), name


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(1, 25), (4, 25), (5, 20), (33, 3), (34, 3), (8333, 3), (8334, 2), (12_500, 2), (12_501, 1), (10**6, 1)],
)
def test_epochs_follow_openais_cookbook(examples: int, epochs: int) -> None:
    facts = BOOK.entry("openai", "gpt-4o-2024-08-06").facts
    assert epochs_of(facts, Work(examples=examples, tokens=1)) == epochs


def test_a_price_that_nobody_has_named_stays_unknown_for_every_model() -> None:
    nothing = quote(BOOK.entry("acme", "unheard-of").facts, Work(examples=10, tokens=100, epochs=1), Load(months=1))
    assert (nothing.training_usd, nothing.monthly_usd, nothing.total_usd, nothing.minimum_usd) == (None,) * 4
    assert nothing.partial_total_usd == 0


def test_so_many_of_a_thing_are_told_in_words_that_agree() -> None:
    assert [counted(number, "row") for number in (0, 1, 1_234_567)] == ["0 rows", "1 row", "1,234,567 rows"]
    assert [counted(number, "month") for number in (1.0, 1.5, 12.0)] == ["1 month", "1.5 months", "12 months"]
