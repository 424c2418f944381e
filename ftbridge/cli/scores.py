"""An evaluation for people: scores with their intervals, differences with their verdicts, and what to be wary of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftbridge.cli.labels import print_labels
from ftbridge.cli.output import console, print_message, print_sentence, table
from ftbridge.evaluation.in_words import name_of_tuned, sentence, verdict, warnings
from ftbridge.evaluation.kinds import shown_interval, shown_score
from ftbridge.evaluation.prompting import SEED
from ftbridge.wording import counted, dollars, printable

if TYPE_CHECKING:
    from ftbridge.answers import AnswerCounts
    from ftbridge.evaluation.results import Evaluation, MetricUsed, ModelScores


def print_scores(evaluation: Evaluation) -> None:
    """The scores as a table, the tuned model last; its labels, where it answers with such; verdicts and warnings."""
    headers = score_headers(evaluation)
    console().print(table(headers, score_rows(evaluation), right=(2, 3), fold=0))
    if evaluation.chosen_because:
        chosen = f"Scored by {evaluation.metrics[0].name}, because {evaluation.chosen_because}; --metric names another."
        print_sentence(printable(chosen, 300))
    print_labels(evaluation)
    if evaluation.clusters is not None:
        clusters, key = counted(evaluation.clusters, "cluster"), printable(evaluation.cluster or "")
        print_sentence(f"The rows are of {clusters} by '{key}', and the intervals allow for that.")
    for one in evaluation.comparisons:
        print_sentence(f"{sentence(evaluation, one)} {verdict(evaluation, one)}")
    if len(evaluation.comparisons) > 1:
        print_sentence(f"The {len(evaluation.comparisons)} verdicts are corrected for their number (Holm).")
    if evaluation.shots:
        lines = ", ".join(map(str, evaluation.shots))
        print_sentence(f"The base had these lines of the training file as examples: {lines} (drawn with seed {SEED}).")
    for counts in evaluation.answers:
        name = name_of_tuned(evaluation) if counts.model == evaluation.models[0].name else counts.model
        print_sentence(answered(counts, name))
    for text in warnings(evaluation):
        print_message(f"warning: {text}", style="yellow")


def score_headers(evaluation: Evaluation) -> list[str]:
    """Those of the table; the last column is there where models are compared."""
    headers = [counted(evaluation.rows, "held-out row"), "metric", "score", "95% interval"]
    return [*headers, f"{name_of_tuned(evaluation)} is"] if evaluation.comparisons else headers


def answered(counts: AnswerCounts, name: str = "") -> str:
    """Where the answers came from, what became of the others, and what they cost."""
    asked = counts.questions - counts.from_ledger
    parts = [f"{counted(asked, 'question')} asked, {counted(counts.from_ledger, 'answer')} from the ledger"]
    parts += [f"{count} {what}" for what, count in counts.others.items()]
    cost = "cost unknown" if counts.cost_usd is None else dollars(counts.cost_usd)
    parts += [cost] if asked and counts.cost_usd != 0 else []
    error = f" The first error: {printable(counts.first_error, 200)}" if counts.first_error else ""
    return f"{name or counts.model}: {'; '.join(parts)}.{error}"


def score_rows(evaluation: Evaluation) -> list[list[str]]:
    """By metric: each model's name, its score with the interval, and the verdict on the tuned model against it."""
    tuned, *others = evaluation.models
    verdicts = {(one.metric, one.rival): one.verdict for one in evaluation.comparisons}
    rows = []
    for metric in evaluation.metrics:
        for model in (*others, tuned):
            name = name_of_tuned(evaluation) if model is tuned else printable(model.name, 200)
            compared = [verdicts.get((metric.name, model.name), "")] if verdicts else []
            rows.append([name, printable(metric.name), *_score(model, metric), *compared])
    return rows


def _score(model: ModelScores, metric: MetricUsed) -> list[str]:
    found = model.scores.get(metric.name)
    if found is None:
        return ["–", "–"]
    return [shown_score(found.score, metric.kind), shown_interval(found.interval, metric.kind)]
