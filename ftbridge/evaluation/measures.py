"""Which metrics an evaluation has: those that are named, or what fits the rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ftbridge.answers import ask_judges
from ftbridge.context import Context
from ftbridge.dataset.canonical.example import Chat, Task
from ftbridge.errors import MissingExtra, SpecError, Unsupported, UsageError
from ftbridge.evaluation.answering import gives_losses
from ftbridge.evaluation.held_out import items_of
from ftbridge.evaluation.judging import Judge
from ftbridge.graders import (
    Grader,
    GradingContext,
    Metric,
    check_runnable,
    choose_metric,
    models_of_grader,
    parse_grader,
)
from ftbridge.plugins import load_metric
from ftbridge.provider import Provider
from ftbridge.spec import json_object
from ftbridge.wording import printable

LOSS, JUDGE, EXACT = "loss", "judge", "exact"

Scorer: TypeAlias = Grader | Metric | Judge | None


class Measure(NamedTuple):
    """A metric under the name by which results have it, and what scores the answers; nothing does for the loss."""

    name: str
    scorer: Scorer = None


class Wanted(NamedTuple):
    """What an evaluation was asked to measure."""

    metrics: Sequence[str] = ()
    grader: Mapping[str, Any] | str | Path | None = None
    judge: str | None = None
    rubric: str | None = None


def named_measures(wanted: Wanted) -> list[Measure]:
    """The metrics in their order, then the grader, then the judge; empty where none is named.

    Raises `UsageError` for a name that is no metric, and for a judge without a rubric; and as `parse_grader` does.
    """
    named = [Measure(name) for name in dict.fromkeys(wanted.metrics)]
    grader = _grader(wanted.grader)
    if grader is not None:
        named.append(Measure(name := grader.name or grader.type, grader))
        if name in (LOSS, JUDGE, *wanted.metrics):
            raise SpecError(f"a metric is called {name!r} too", hint="Give the grader another name.")
    judge = _judge(wanted, grader)
    if judge is not None and JUDGE not in wanted.metrics:
        named.append(Measure(JUDGE))
    return [_with_scorer(one, judge) for one in named]


def chosen_measures(chats: Mapping[int, Chat], provider: Provider) -> tuple[list[Measure], str]:
    """What fits the rows, and why: the metric that decides, exact answers beside a finer one, and the loss."""
    choice = choose_metric(items_of(chats.values()))
    names = [choice.metric] if choice.metric in (EXACT, "label") else [choice.metric, EXACT]
    reason = choice.reason
    try:
        load_metric(choice.metric).check()
    except MissingExtra as problem:
        names, reason = [EXACT], f"{reason}, but {problem.message}"
    has_loss = gives_losses(provider) and not any(isinstance(chat, Task) for chat in chats.values())
    return [_with_scorer(Measure(name), None) for name in [*names, *[LOSS] * has_loss]], reason


def check_measures(measures: Sequence[Measure], provider: Provider, context: GradingContext) -> None:
    """Raises now what would be wrong with every row: a library, a judge, a loss that nobody tells."""
    for one in measures:
        if one.scorer is None and not gives_losses(provider):
            raise Unsupported(
                f"{provider.name} does not tell the loss of a row",
                provider=provider.name,
                hint="Leave the metric loss out.",
            )
        if one.scorer is not None and not isinstance(one.scorer, Judge):
            check_runnable(one.scorer, context)


def asker(context: Context, measures: Sequence[Measure], judge: str | None, *, fresh: bool) -> GradingContext:
    """Where graders ask other models: all of them the target `judge`, or each the target that its `model` names.

    Raises as `ask_judges` does.
    """
    asked = {model for one in measures for model in models_asked(one.scorer)}
    return GradingContext(ask_judges(context, asked, judge, fresh=fresh))


def models_asked(scorer: Scorer) -> Iterator[str]:
    """The models that it asks."""
    if isinstance(scorer, Judge):
        yield scorer.target
    elif scorer is not None:
        yield from models_of_grader(scorer)


def _with_scorer(one: Measure, judge: Judge | None) -> Measure:
    if one.scorer is not None or one.name == LOSS:
        return one
    if one.name != JUDGE:
        return one._replace(scorer=load_metric(one.name, beside=(JUDGE, LOSS)))
    if judge is None:
        raise UsageError(
            "the metric judge needs a model that judges and a rubric", hint="Name both: --judge TARGET --rubric FILE."
        )
    return one._replace(scorer=judge)


def _grader(given: Mapping[str, Any] | str | Path | None) -> Grader | None:
    found = json_object(given)
    return None if found is None else parse_grader(found)


def _judge(wanted: Wanted, grader: Grader | None) -> Judge | None:
    if wanted.judge is None and wanted.rubric is None:
        return None
    if wanted.judge is None:
        raise UsageError("a rubric is given, and no model that judges by it", hint="Name one: --judge TARGET.")
    if wanted.rubric is not None:
        return Judge(wanted.judge, wanted.rubric)
    if any(models_asked(grader)):
        return None  # it answers for the grader's own model
    raise UsageError(
        f"{printable(wanted.judge)} has no rubric to judge by",
        hint="Write what makes an answer good into --rubric FILE.",
    )
