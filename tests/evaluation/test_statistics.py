"""Intervals and tests on fixed cases: what scipy, statsmodels and the papers give."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from evaluation.test_verdict import rows
from ftbridge.evaluation.clusters import effective_rows
from ftbridge.evaluation.differences import mean_difference, share_difference
from ftbridge.evaluation.intervals import FEWEST, mean_interval, share_interval


@pytest.mark.parametrize(("correct", "of"), [(0, 1), (0, 10), (3, 7), (55, 60), (60, 60), (399, 400)])
def test_a_share_has_wilsons_interval(correct: int, of: int) -> None:
    found = share_interval([True] * correct + [False] * (of - correct))
    theirs = stats.binomtest(correct, of).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert (found.low, found.high) == pytest.approx(proportion_confint(correct, of, method="wilson"), abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    # worked examples of Newcombe 1998 (Statistics in Medicine 17, 2635), method 10
    [((36, 2, 12, 0), 0.0569, 0.3404), ((36, 0, 14, 0), 0.1528, 0.4167), ((54, 0, 0, 0), -0.0664, 0.0664)],
)
def test_the_interval_of_a_difference_is_newcombes(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found = share_difference(*rows(*counts)).interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize("counts", [(36, 2, 12, 0), (3, 5, 5, 9), (10, 0, 0, 5), (100, 30, 12, 7), (0, 1, 0, 0)])
def test_the_test_of_a_difference_is_mcnemars(counts: tuple[int, int, int, int]) -> None:
    both, only_old, only_new, neither = counts
    found = share_difference(*rows(*counts)).p_value
    assert found == pytest.approx(mcnemar([[both, only_old], [only_new, neither]], exact=True).pvalue)
    if only_old + only_new:
        assert found == pytest.approx(stats.binomtest(only_new, only_old + only_new).pvalue)


def test_the_interval_of_a_mean_is_close_to_students_where_that_is_right() -> None:
    values = stats.norm.ppf((np.arange(60) + 0.5) / 60)
    found = mean_interval(values.tolist())
    theirs = stats.t.interval(0.95, 59, loc=values.mean(), scale=stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx(theirs, rel=0.05)


def test_the_test_of_means_is_close_to_students_where_that_is_right() -> None:
    chance = np.random.default_rng(3)
    old, new = chance.normal([[0.0], [0.4]], 1, (2, 60))
    found = mean_difference(old.tolist(), new.tolist())
    assert found.p_value == pytest.approx(stats.ttest_rel(new, old).pvalue, abs=0.01)


def test_the_same_rows_have_the_same_figures() -> None:
    values = np.random.default_rng(0).gamma(2, size=(2, 50)).tolist()
    assert mean_difference(*values) == mean_difference(*values)


def test_a_mean_of_few_rows_has_no_interval() -> None:
    assert mean_interval([1.0, 2.0] * (FEWEST // 2 - 1)) is None
    assert mean_interval([1.0, 2.0] * FEWEST, clusters=["one"] * FEWEST + ["other"] * FEWEST) is None


def test_a_mean_of_equal_values_is_certain() -> None:
    found = mean_interval([0.5] * 60, weights=[1.0, 2.0] * 30)
    assert found is not None
    assert (found.low, found.high) == (0.5, 0.5)


def test_rows_of_a_cluster_count_for_less_the_more_they_agree() -> None:
    clusters = [number // 6 for number in range(60)]
    agreeing = [number // 6 % 2 == 0 for number in range(60)]
    mixed = [number % 2 == 0 for number in range(60)]
    assert effective_rows(agreeing, None) == 60
    assert effective_rows(agreeing, [*range(60)]) == 60
    assert effective_rows(agreeing, clusters) < 10
    assert effective_rows([True] * 60, clusters) == 10, "nothing shows that they do not agree"
    assert 30 < effective_rows(mixed, clusters) < 60
    assert effective_rows(agreeing, ["all"] * 60) == 1


def test_a_test_of_clusters_swaps_whole_clusters() -> None:
    old, new = rows(20, 0, 6, 4)
    clusters = ["same document" if 20 <= number < 26 else number for number in range(30)]
    assert share_difference(old, new).p_value == pytest.approx(2 * 0.5**6)
    assert share_difference(old, new, clusters).p_value == pytest.approx(1, abs=0.05)
