"""Answers in the ledger: found by who was asked, how and what; counted and deleted by model and age."""

from __future__ import annotations

from datetime import timedelta

from ftbridge.ledger import Asked, Ledger, count_answers, forget_answers, store_answer, stored_answers
from ftbridge.model import now

MINE, OTHER = Asked("openai/1", "ft:mine", "v1"), Asked("openai/1", "ft:other", "v1")


def test_an_answer_is_found_by_all_that_was_asked(ledger: Ledger) -> None:
    store_answer(ledger, MINE, "q1", '{"text": "\\u0000 é"}')
    store_answer(ledger, MINE, "q2", "{}")
    assert stored_answers(ledger, MINE, ["q1", "q3"]) == {"q1": '{"text": "\\u0000 é"}'}
    for asked in (OTHER, MINE._replace(account="openai/2"), MINE._replace(variant="v2")):
        assert stored_answers(ledger, asked, ["q1"]) == {}
    many = [f"n{number}" for number in range(1200)]
    assert stored_answers(ledger, MINE, [*many, "q2"]) == {"q2": "{}"}


def test_a_newer_answer_takes_the_place_of_an_earlier_one(ledger: Ledger) -> None:
    for text in ("1", "2"):
        store_answer(ledger, MINE, "q", text)
    assert stored_answers(ledger, MINE, ["q"]) == {"q": "2"}


def test_answers_are_deleted_by_model_and_by_age(ledger: Ledger) -> None:
    for asked in (MINE, OTHER):
        store_answer(ledger, asked, "q", "{}")
    yesterday = now() - timedelta(days=1)
    assert count_answers(ledger, until=yesterday) == {}
    assert not forget_answers(ledger, until=yesterday)
    assert count_answers(ledger) == {"ft:mine": 1, "ft:other": 1}
    assert forget_answers(ledger, model="ft:mine")
    assert count_answers(ledger) == {"ft:other": 1}
    assert forget_answers(ledger, until=now())
    assert count_answers(ledger) == {}
