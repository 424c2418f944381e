"""What to add to the training data, as far as the failures tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from ftbridge.evaluation.kinds import IN_POINTS
from ftbridge.evaluation.results import EvaluatedRow, Evaluation
from ftbridge.graders.sample import text_of_content
from ftbridge.report.rows import is_failure
from ftbridge.wording import counted, printable

_LOW_RECALL, _FEWEST = 0.8, 3
_CERTAIN = 0.05
_MOST_LABELS, _MOST_LINES = 5, 8


def what_to_add(evaluation: Evaluation, trained_labels: Mapping[str, int]) -> list[str]:
    """Sentences, the weightiest first; `trained_labels` are the rows of each answer in the training file."""
    if evaluation.metrics[0].kind not in IN_POINTS:
        return []
    failures = [row for row in evaluation.row_results if _failed(row, evaluation)]
    if not failures:
        return ["No held-out row failed: add harder ones to the held-out file, which would tell more."]
    found = [*_labels(evaluation, trained_labels), *_kinds(evaluation, failures), *_lost(evaluation)]
    found += [text for one in evaluation.comparisons[:1] if (text := _more_rows(one.rows_needed, evaluation.rows))]
    truncated = sum(row.answers[evaluation.models[0].name].outcome == "truncated" for row in failures)
    if truncated:
        found.append(
            f"{counted(truncated, 'answer')} that failed end at the limit of tokens: train on shorter answers, or "
            "allow more tokens."
        )
    return found or [
        f"{counted(len(failures), 'row')} failed, and they have nothing in common that shows: "
        "read them above, and add rows like them."
    ]


def _failed(row: EvaluatedRow, evaluation: Evaluation) -> bool:
    return is_failure(row, evaluation.metrics[0], evaluation.models[0].name)


def _labels(evaluation: Evaluation, trained: Mapping[str, int]) -> Iterator[str]:
    """Labels that are seldom told, with what they are taken for."""
    summary = next((one.summary for one in evaluation.models[0].scores.values() if "confusion" in one.summary), None)
    if not summary:
        return
    low = [(of["recall"], label, of["support"]) for label, of in summary["labels"].items() if of["support"]]
    typical = sorted(trained.values())[len(trained) // 2] if trained else 0
    for recall, label, support in sorted(low)[:_MOST_LABELS]:
        if recall >= _LOW_RECALL:
            continue
        told = f"{round(recall * support)} of {counted(int(support), 'row')} with '{printable(label)}' are told"
        wrong = {answer: count for answer, count in summary["confusion"].get(label, {}).items() if answer != label}
        taken = max(wrong, key=wrong.__getitem__, default=None)
        instead = f", and '{printable(taken)}' is answered most often instead" if taken else ""
        rows = trained.get(label, 0)
        known = f" The training file has {counted(rows, 'row')} with it" if trained else ""
        few = f", and {typical:,} of a typical label" if known and rows < typical else ""
        yield f"{told}{instead}.{known}{few}{': ' if known else ' '}{'add' if known else 'Add'} rows with it."


def _kinds(evaluation: Evaluation, failures: Sequence[EvaluatedRow]) -> Iterator[str]:
    """Kinds of rows that fail more often than the others, beyond chance."""
    from scipy.stats import fisher_exact

    failed = {row.line for row in failures}
    lengths = sorted(map(_question_length, evaluation.row_results))
    expected = sorted(len(row.expected) for row in evaluation.row_results)
    median, median_answer = lengths[len(lengths) // 2], expected[len(expected) // 2]
    kinds: dict[str, Callable[[EvaluatedRow], bool]] = {
        f"with questions of more than {median:,} characters": lambda row: _question_length(row) > median,
        f"with expected answers of more than {median_answer:,} characters": lambda row: (
            len(row.expected) > median_answer
        ),
        "with several turns": lambda row: Counter(message.get("role") for message in row.question)["user"] > 1,
    }
    for kind, belongs in kinds.items():
        table = [[0, 0], [0, 0]]
        for row in evaluation.row_results:
            table[not belongs(row)][row.line not in failed] += 1
        (inside, inside_right), (outside, outside_right) = table
        count, others = inside + inside_right, outside + outside_right
        if inside < _FEWEST or not others or inside / count <= outside / others:
            continue
        if fisher_exact(table, alternative="greater").pvalue < _CERTAIN:
            yield f"Rows {kind} fail more often: {inside / count:.0%} of them, {outside / others:.0%} of the others."


def _lost(evaluation: Evaluation) -> Iterator[str]:
    """Rows that the base answers rightly, and the tuned model does not."""
    metric, tuned = evaluation.metrics[0], evaluation.models[0].name
    rivals = [model.name for model in evaluation.models[1:] if model.name == "base"]
    for rival in rivals:
        lost = [
            row.line
            for row in evaluation.row_results
            if is_failure(row, metric, tuned) and (row.answers[rival].scores.get(metric.name) or 0) >= 1
        ]
        if lost:
            lines = ", ".join(map(str, lost[:_MOST_LINES])) + (", …" if len(lost) > _MOST_LINES else "")
            yield (
                f"The base answers {counted(len(lost), 'row')} rightly that the tuned model does not (line {lines}): "
                "add rows like them, so that it keeps what it could."
            )


def _more_rows(needed: int | None, rows: int) -> str:
    return f"About {needed:,} held-out rows in place of {rows:,} would give a verdict." if needed else ""


def _question_length(row: EvaluatedRow) -> int:
    return len(text_of_content(row.question[-1].get("content"))) if row.question else 0
