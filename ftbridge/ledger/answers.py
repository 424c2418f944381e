"""What models have answered, so that no question is paid for twice; the questions themselves are not stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Column, ColumnElement, delete, func, select, text

from ftbridge.ledger.schema import answers
from ftbridge.ledger.store import Ledger
from ftbridge.model import now

_READ_AT_ONCE = 500  # questions: SQLite takes 32,766 parameters, and older ones 999
# as text, because SQLAlchemy has a different upsert for each database
_STORE = text("""
    INSERT INTO answers (account, model, variant, question, answer, answered_at)
    VALUES (:account, :model, :variant, :question, :answer, :answered_at)
    ON CONFLICT (account, model, variant, question)
    DO UPDATE SET answer = excluded.answer, answered_at = excluded.answered_at
""")


class Asked(NamedTuple):
    """Who is asked, and how: `variant` is the hash of the options, and of whatever else changes the answers."""

    account: str
    model: str
    variant: str


def store_answer(ledger: Ledger, asked: Asked, question: str, answer: str) -> None:
    """Store the answer, as JSON, to the question with that hash, in place of an earlier one."""
    row = {**asked._asdict(), "question": question, "answer": answer, "answered_at": now().isoformat()}
    with ledger.writing() as connection:
        connection.execute(_STORE, row)


def stored_answers(ledger: Ledger, asked: Asked, questions: Sequence[str]) -> dict[str, str]:
    """Those of the questions that were answered, by their hashes, each with its answer as JSON."""
    return _read(ledger, asked, questions, answers.c.answer)


def times_of_answers(ledger: Ledger, asked: Asked, questions: Sequence[str]) -> dict[str, str]:
    """When those of the questions that are stored were answered, by their hashes, as ISO text."""
    return _read(ledger, asked, questions, answers.c.answered_at)


def _read(ledger: Ledger, asked: Asked, questions: Sequence[str], column: Column[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    same = (
        (answers.c.account == asked.account) & (answers.c.model == asked.model) & (answers.c.variant == asked.variant)
    )
    with ledger.reading() as connection:
        for start in range(0, len(questions), _READ_AT_ONCE):
            some = questions[start : start + _READ_AT_ONCE]
            query = select(answers.c.question, column).where(same, answers.c.question.in_(some))
            found |= {row[0]: row[1] for row in connection.execute(query)}
    return found


def count_answers(ledger: Ledger, *, model: str | None = None, until: datetime | None = None) -> dict[str, int]:
    """How many answers there are, by model: of one model, or of all, and given until then."""
    query = select(answers.c.model, func.count()).where(*_chosen(model, until)).group_by(answers.c.model)
    with ledger.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query.order_by(answers.c.model))}


def forget_answers(ledger: Ledger, *, model: str | None = None, until: datetime | None = None) -> bool:
    """Delete the same answers; whether there were any."""
    with ledger.writing() as connection:
        return connection.execute(delete(answers).where(*_chosen(model, until))).rowcount > 0


def _chosen(model: str | None, until: datetime | None) -> list[ColumnElement[bool]]:
    of_model = [] if model is None else [answers.c.model == model]
    return of_model if until is None else [*of_model, answers.c.answered_at <= until.isoformat()]
