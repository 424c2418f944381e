"""An evaluation for people: scores with their intervals, differences with their verdicts, and what to be wary of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ftbridge.cli.output import console, number, print_message, print_sentence, table
from ftbridge.evaluation.prompting import SEED
from ftbridge.wording import counted, dollars, printable

if TYPE_CHECKING:
    from ftbridge.answers import AnswerCounts
    from ftbridge.evaluation.evaluate import Evaluation
    from ftbridge.evaluation.intervals import Interval
    from ftbridge.evaluation.leakage import Leak
    from ftbridge.evaluation.verdict import Comparison

HEADERS = ("exact answers", "95% interval", "loss", "95% interval")


def print_scores(evaluation: Evaluation) -> None:
    """The scores as a table, the base model first where it was scored too; then the verdicts, and the leaks."""
    rows = score_rows(evaluation)
    console().print(table([counted(evaluation.rows, "held-out row"), *HEADERS], rows, right=(1, 2, 3, 4)))
    if evaluation.clusters is not None:
        clusters, key = counted(evaluation.clusters, "cluster"), printable(evaluation.cluster or "")
        print_sentence(f"The rows are of {clusters} by '{key}', and the intervals allow for that.")
    for one in evaluation.comparisons:
        print_sentence(f"{sentence(one, name_of_tuned(evaluation))} {verdict(one)}")
    if len(evaluation.comparisons) > 1:
        print_sentence(f"The {len(evaluation.comparisons)} verdicts are corrected for their number (Holm).")
    if evaluation.shots:
        lines = ", ".join(map(str, evaluation.shots))
        print_sentence(f"The base had these lines of the training file as examples: {lines} (drawn with seed {SEED}).")
    for counts in evaluation.answers:
        print_sentence(answered(counts))
    for leak in evaluation.leaks:
        print_message(f"warning: {warning(leak)}", style="yellow")


def answered(counts: AnswerCounts) -> str:
    """Where the answers came from, what became of the others, and what they cost."""
    asked = counts.questions - counts.from_ledger
    parts = [f"{counted(asked, 'question')} asked, {counted(counts.from_ledger, 'answer')} from the ledger"]
    parts += [f"{count} {what}" for what in ("truncated", "refused", "failed") if (count := getattr(counts, what))]
    cost = "cost unknown" if counts.cost_usd is None else dollars(counts.cost_usd)
    parts += [cost] if asked and counts.cost_usd != 0 else []
    error = f" The first error: {printable(counts.first_error, 200)}" if counts.first_error else ""
    return f"{counts.model}: {'; '.join(parts)}.{error}"


def score_rows(evaluation: Evaluation) -> list[list[str]]:
    """The name of each model, its exact answers and its loss, each with the interval."""
    tuned = name_of_tuned(evaluation)
    scores = {"base": evaluation.baseline, evaluation.rival or "": evaluation.against, tuned: evaluation.tuned}
    return [
        [
            name,
            f"{score.exact_match:.1%}",
            _span(score.exact_match_interval, 100, 1),
            number(score.loss),
            _span(score.loss_interval, 1, 3),
        ]
        for name, score in scores.items()
        if score
    ]


def name_of_tuned(evaluation: Evaluation) -> str:
    """Its job where there is another one, as in the table."""
    return evaluation.job if evaluation.rival else "tuned"


def sentence(one: Comparison, tuned: str) -> str:
    """The difference and its interval."""
    if one.metric == "exact_match":
        what, unit, factor, digits = "Exact answers", " points", 100, 1
    else:
        what, unit, factor, digits = "Loss", "", 1, 3
    difference = f"{what}, {tuned} minus {one.rival}: {factor * one.difference:+.{digits}f}{unit}"
    if one.low is None or one.high is None:
        return f"{difference}."
    low, high = (f"{factor * bound:+.{digits}f}" for bound in (one.low, one.high))
    return f"{difference} (95% interval: {low} to {high})."


def verdict(one: Comparison) -> str:
    """The verdict as a sentence."""
    if one.verdict == "no worse":
        most = f"{100 * one.margin:g} points" if one.metric == "exact_match" else "nothing"
        return f"The new model is no worse: it loses {most} at most."
    if one.verdict == "not enough rows":
        return "Not enough rows to tell" + (
            f": about {_rounded(one.rows_needed)} would be." if one.rows_needed else "."
        )
    return f"The new model is {one.verdict}."


def warning(leak: Leak) -> str:
    """What a leak is, and what to do."""
    file = printable(leak.file, 200)
    lines = ", ".join(f"{line}" for line in leak.lines) + (", …" if leak.count > len(leak.lines) else "")
    where = f"line{'s' * (len(leak.lines) > 1)} {lines}"
    are, rows = "is" if leak.count == 1 else "are", counted(leak.count, "row")
    labels = ", ".join(f"'{printable(label)}'" for label in leak.labels) + (
        ", …" if leak.count > len(leak.labels) else ""
    )
    return {
        "training_file": f"these rows are the training file, {file}: use rows that the model has not seen.",
        "trained_rows": f"{rows} ({where}) {are} in the training file {file}: remove them from one of the two.",
        "trained_questions": f"the questions of {rows} ({where}) {are} in the training file {file} with another "
        "answer: remove them from one of the two.",
        "near_trained_rows": f"{rows} ({where}) {are} almost the same as rows of the training file {file}.",
        "labels_not_trained": f"{counted(leak.count, 'label')} ({labels}; {where}) {are} not in the training file "
        f"{file}: add rows with it there.",
        "labels_not_held_out": f"{counted(leak.count, 'label')} of the training file ({labels}) {are} not among the "
        "held-out rows, and so not tested.",
        "not_checked": f"whether these rows were trained on is not known: {file}: {leak.reason}.",
        "near_not_checked": "rows that are almost the same as training rows were not looked for: that needs "
        "pip install 'ftbridge[near]'.",
    }[leak.code]


def _span(interval: Interval | None, factor: int, digits: int) -> str:
    if interval is None:
        return "–"
    return f"{factor * interval.low:.{digits}f} to {factor * interval.high:.{digits}f}"


def _rounded(rows: int) -> str:
    """Up to two digits: it is an estimate."""
    unit = 10 ** max(0, math.floor(math.log10(rows)) - 1)
    return f"{math.ceil(rows / unit) * unit:,}"
