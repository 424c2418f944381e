"""What a report finds in an evaluation: the verdict, rows that changed, failures, labels, and what to add."""

from __future__ import annotations

import pytest

from ftbridge.evaluation.leakage import Code, Leak
from ftbridge.jobs.curves import read_curves
from ftbridge.report.advice import what_to_add
from ftbridge.report.chart import draw
from ftbridge.report.labels import labels_of
from ftbridge.report.rows import changed, failed
from ftbridge.report.scores import judged, score_rows
from report.made_jobs import evaluation_of, events, label_rows

NAMES = {"tuned": "the tuned model", "base": "its base"}
EVALUATION = evaluation_of(label_rows(60, tuned_errors=7, base_errors=30))


def test_the_verdict_is_a_sentence_with_the_scores_and_the_interval() -> None:
    found = judged(EVALUATION, NAMES)
    assert (found.headline, found.short, found.tone) == ("Better than its base", "better", "good")
    assert found.details[0] == "By label on 60 held-out rows: the tuned model 88.3%, its base 50.0%."
    assert found.details[1].startswith("The difference from its base is +38.3 points, and with 95% certainty from +19")


@pytest.mark.parametrize(
    ("leaks", "headline"),
    [
        ([("trained_rows", 2), ("near_trained_rows", 5)], ", but 2 of 60 held-out rows are in the training data"),
        ([("training_file", 60)], ", but 60 of 60 held-out rows are in the training data"),
        ([("near_trained_rows", 1)], ", but 1 of 60 held-out rows is much like training rows"),
        ([("labels_not_held_out", 3)], ""),
    ],
)
def test_the_headline_says_that_the_model_was_trained_on_the_rows(leaks: list[tuple[Code, int]], headline: str) -> None:
    doubtful = tuple(Leak(code=code, file="train.jsonl", count=count) for code, count in leaks)
    found = judged(EVALUATION.model_copy(update={"leaks": doubtful}), NAMES)
    assert found.headline == f"Better than its base{headline}"
    assert found.tone == ("open" if headline else "good")


def test_a_worse_model_is_called_worse_and_few_rows_are_not_enough() -> None:
    worse = judged(evaluation_of(label_rows(60, tuned_errors=40, base_errors=0)), NAMES)
    assert (worse.headline, worse.tone) == ("Worse than its base", "bad")
    few = judged(evaluation_of(label_rows(5, tuned_errors=2, base_errors=1)), NAMES)
    assert (few.headline, few.tone) == ("Not enough rows to tell it from its base", "open")
    assert "rows would tell" in few.details[-1]


def test_an_evaluation_without_a_rival_says_how_to_add_one() -> None:
    alone = EVALUATION.model_copy(update={"models": EVALUATION.models[:1], "comparisons": ()})
    found = judged(alone, NAMES)
    assert found.short == "no comparison"
    assert "--baseline" in found.details[1]


def test_each_score_has_a_bar_on_the_scale_of_its_metric() -> None:
    tuned, base = score_rows(EVALUATION, NAMES)
    assert (tuned.model, tuned.score, tuned.tuned, base.verdict) == ("the tuned model", "88.3%", True, "better")
    assert tuned.bar is not None
    assert 0 <= tuned.bar.low < tuned.bar.at == 88.33 < tuned.bar.high <= 100


def test_rows_that_only_the_base_gets_right_come_first() -> None:
    lost, gained = changed(EVALUATION, NAMES)
    assert (lost.title, lost.total, [row.line for row in lost.rows]) == (
        "Right before, wrong now",
        7,
        [54, 55, 56, 57, 58, 59, 60],
    )
    assert (gained.title, gained.total, gained.rows[0].line) == ("Wrong before, right now", 30, 1)
    base, tuned = lost.rows[0].answers
    assert (base.model, base.right, tuned.model, tuned.right) == ("its base", True, "the tuned model", False)
    assert lost.rows[0].question.role == "user"
    assert [turn.role for turn in lost.rows[0].earlier] == ["system"]


def test_failures_are_not_shown_twice() -> None:
    rows = label_rows(30, tuned_errors=30, base_errors=20)
    evaluation = evaluation_of(rows)
    groups = changed(evaluation, NAMES)
    found = failed(evaluation, NAMES, groups)
    assert (found.total, len(found.rows)) == (30, 12)
    assert not {row.line for row in found.rows} & {row.line for row in groups[0].rows}


def test_labels_have_their_scores_and_their_confusions() -> None:
    found = labels_of(EVALUATION)
    assert found is not None
    assert [row.recall for row in found.rows] == ["83%", "83%", "92%", "92%", "92%"]
    assert found.confusion is not None
    assert sum(cell.rows for _label, cells in found.confusion.rows for cell in cells) == 60
    assert sum(cell.rows for _label, cells in found.confusion.rows for cell in cells if cell.right) == 53
    assert labels_of(evaluation_of(label_rows(), "exact")) is None


def test_a_label_that_is_seldom_told_and_rare_in_training_is_asked_for() -> None:
    rows = [(f"question {number}", "other" if number % 2 else "billing", "billing", "billing") for number in range(40)]
    [first, *_] = what_to_add(evaluation_of(rows), {"billing": 90, "other": 6, "returns": 80})
    assert first == (
        "0 of 20 rows with 'other' are told, and 'billing' is answered most often instead. The training file has 6 "
        "rows with it, and 80 of a typical label: add rows with it."
    )


def test_a_kind_of_row_that_fails_is_named_only_beyond_chance() -> None:
    long = [("why? " * 100, "yes", "no", "no")] * 12
    short = [("why?", "yes", "no", "yes")] * 13
    found = what_to_add(evaluation_of([*long, *short], "exact"), {})
    assert "Rows with questions of more than 4 characters fail more often: 100% of them, 0% of the others." in found
    by_chance = evaluation_of([*long[:1], *short], "exact")
    assert not [text for text in what_to_add(by_chance, {}) if "fail more often" in text]


def test_what_the_base_could_do_is_asked_for_and_success_asks_for_harder_rows() -> None:
    assert any("The base answers 7 rows rightly" in text for text in what_to_add(EVALUATION, {}))
    [only] = what_to_add(evaluation_of(label_rows(tuned_errors=0)), {})
    assert only.startswith("No held-out row failed")


def test_curves_are_drawn_on_one_scale_and_long_ones_keep_their_extremes() -> None:
    chart = draw("Loss", "nats per token", {"one": read_curves(events(6000)), "two": read_curves(events(60))})
    assert chart is not None
    assert [line.name for line in chart.lines] == [
        "one: loss",
        "one: validation loss",
        "two: loss",
        "two: validation loss",
    ]
    assert [line.dashed for line in chart.lines] == [False, True, False, True]
    assert [line.series for line in chart.lines] == [0, 0, 1, 1]
    points = [tuple(map(float, point.split(","))) for point in chart.lines[0].points.split()]
    assert len(points) <= 400
    assert all(0 <= x <= 1000 and 0 <= y <= 1000 for x, y in points)
    assert chart.x_ticks[0].label == "0"
    assert chart.x_ticks[-1].at <= 100
    assert draw("Loss", "nats", {"one": {}}) is None
