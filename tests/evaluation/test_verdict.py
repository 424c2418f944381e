"""Whether a new model is better, no worse or worse than an old one, on the same rows."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from ftbridge.evaluation.differences import mean_difference, share_difference
from ftbridge.evaluation.verdict import Comparison, Measured, holm, judge

Answers = tuple[list[bool], list[bool]]


def rows(both: int, only_old: int, only_new: int, neither: int) -> Answers:
    old = [True] * (both + only_old) + [False] * (only_new + neither)
    new = [True] * both + [False] * only_old + [True] * only_new + [False] * neither
    return old, new


def compared(old: list[bool], new: list[bool], margin: float = 0.05) -> Comparison:
    [found] = judge([Measured("exact", "base", share_difference(old, new), len(old), margin)])
    return found


@pytest.mark.parametrize(
    ("counts", "margin", "verdict"),
    [
        ((36, 2, 12, 0), 0.05, "better"),
        ((36, 12, 2, 0), 0.05, "worse"),
        ((54, 0, 0, 0), 0.05, "not enough rows"),
        ((54, 0, 0, 0), 0.07, "no worse"),
        ((500, 5, 5, 490), 0.05, "no worse"),
        ((5, 1, 0, 6), 0.05, "not enough rows"),
        ((0, 0, 0, 1), 0.0, "not enough rows"),
        ((9000, 150, 50, 800), 0.05, "no worse"),
        ((9000, 150, 50, 800), 0.0, "worse"),
    ],
)
def test_a_verdict_is_given_only_where_the_rows_bear_it(
    counts: tuple[int, int, int, int], margin: float, verdict: str
) -> None:
    found = compared(*rows(*counts), margin)
    assert found.verdict == verdict
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert (found.only_old, found.only_new) == counts[1:3]
    assert (found.rows_needed is not None) == (verdict == "not enough rows" and margin > 0)


def test_less_loss_is_better() -> None:
    noise = np.random.default_rng(0)
    old = noise.gamma(2, size=60)
    new = old - 0.1 + 0.1 * noise.normal(size=60)
    for before, after, verdict in ((old, new, "better"), (new, old, "worse")):
        found = mean_difference(before.tolist(), after.tolist())
        assert judge([Measured("loss", "base", found, 60, sign=-1)])[0].verdict == verdict


def test_a_loss_of_few_rows_has_no_verdict() -> None:
    [found] = judge([Measured("loss", "base", mean_difference([1.0] * 9, [0.5] * 9), 9, sign=-1)])
    assert (found.low, found.verdict) == (None, "not enough rows")


def test_several_verdicts_are_corrected_for_their_number() -> None:
    p_values = [0.04, 0.001, 0.03, 0.6, 0.03]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])
    old, new = rows(40, 2, 10, 8)  # McNemar: p = 0.039
    one = Measured("exact", "base", share_difference(old, new), len(old))
    assert judge([one])[0].verdict == "better"
    assert [found.verdict for found in judge([one, one])] == ["no worse"] * 2


@pytest.mark.parametrize(("better", "worse", "margin"), [(0.16, 0.08, 0.0), (0.02, 0.02, 0.05), (0.1, 0.12, 0.06)])
def test_the_rows_that_would_be_enough_give_a_verdict_four_times_in_five(
    better: float, worse: float, margin: float
) -> None:
    few = 50
    changed = rows(few - round(few * better) - round(few * worse), round(few * worse), round(few * better), 0)
    needed = compared(*changed, margin).rows_needed
    assert needed is not None
    chance = np.random.default_rng(0)
    drawn = chance.multinomial(needed, [1 - better - worse, worse, better, 0], size=200)
    verdicts = [compared(*rows(*map(int, counts)), margin).verdict for counts in drawn]
    assert verdicts.count("not enough rows") < 0.3 * len(verdicts)
