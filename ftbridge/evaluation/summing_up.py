"""From answers and their scores to the parts of an `Evaluation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ftbridge.answers import Answer
from ftbridge.dataset.canonical.example import Chat
from ftbridge.evaluation.answering import Answered, answered_by_all
from ftbridge.evaluation.asking import Contender
from ftbridge.evaluation.clusters import Clusters, of_rows
from ftbridge.evaluation.grading import Scored
from ftbridge.evaluation.held_out import expected_calls, items_of, question_of
from ftbridge.evaluation.intervals import share_interval
from ftbridge.evaluation.measures import EXACT, LOSS
from ftbridge.evaluation.measuring import scores_of, winner
from ftbridge.evaluation.results import EvaluatedRow, ModelScores, RowAnswer, Score
from ftbridge.graders import BUILT_IN, GradingContext, run_grader
from ftbridge.graders.item import expected_answer


def model_scores(
    found: Sequence[Scored], models: Sequence[Answered], contenders: Sequence[Contender], clusters: Clusters
) -> tuple[ModelScores, ...]:
    """The scores of each model."""
    by_metric = {one.name: scores_of(one, clusters) for one in found}
    return tuple(
        ModelScores(
            name=one.name,
            target=str(contender.target._replace(model=contender.model)),
            scores={name: scores[one.name] for name, scores in by_metric.items() if one.name in scores},
            empty=sum(map(_is_empty, one.answers)),
        )
        for one, contender in zip(models, contenders, strict=True)
    )


def evaluated_rows(
    found: Sequence[Scored], models: Sequence[Answered], chats: Mapping[int, Chat]
) -> tuple[EvaluatedRow, ...]:
    """Each row with the answers and scores of all models."""
    return tuple(
        EvaluatedRow(
            line=line,
            question=[msgspec.to_builtins(message) for message in question_of(chat)],
            expected=expected_answer(chat),
            expected_calls=expected_calls(chat),
            answers={one.name: _answer(one.name, index, one.answers[index], found) for one in models},
            winner=winner(found[0], index),
        )
        for index, (line, chat) in enumerate(chats.items())
    )


def plain_scores(
    found: Sequence[Scored], models: Sequence[Answered], chats: Mapping[int, Chat], clusters: Clusters
) -> dict[str, Score]:
    """Exact answers, on the rows that all models have answered, and loss of each model, whatever the metrics."""
    losses = next((scores_of(one, clusters) for one in found if one.name == LOSS), {})
    exact, context = BUILT_IN[EXACT](), GradingContext()
    items, rows = items_of(chats.values()), answered_by_all(models)
    plain = {}
    for one in models:
        samples = [(items[row], sample) for row in rows if (sample := one.samples[row])]
        correct = [run_grader(exact, item, sample, context).score == 1 for item, sample in samples]
        loss = losses.get(one.name)
        plain[one.name] = Score(
            exact_match=sum(correct) / len(correct),
            exact_match_interval=share_interval(correct, of_rows(clusters, rows)),
            loss=loss.score if loss else None,
            loss_interval=loss.interval if loss else None,
        )
    return plain


def _answer(model: str, index: int, answer: Answer, found: Sequence[Scored]) -> RowAnswer:
    return RowAnswer(
        answer=answer.text,
        tool_calls=answer.tool_calls,
        refusal=answer.refusal,
        outcome=answer.outcome,
        error=answer.error,
        scores={one.name: one.values[model][index] for one in found if model in one.values},
        problems={one.name: text for one in found if (text := one.problems.get(model, {}).get(index)) is not None},
        details={one.name: of for one in found if (of := one.details.get(model, {}).get(index)) is not None},
    )


def _is_empty(answer: Answer) -> bool:
    return answer.error is None and not (answer.text.strip() or answer.tool_calls or answer.refusal)
