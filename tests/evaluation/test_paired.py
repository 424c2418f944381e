"""Whether a new model is as good as an old one, on the same rows."""

from __future__ import annotations

import pytest

from ftbridge.evaluation.paired import paired


def rows(both: int, only_old: int, only_new: int, neither: int) -> tuple[list[bool], list[bool]]:
    old = [True] * (both + only_old) + [False] * (only_new + neither)
    new = [True] * both + [False] * only_old + [True] * only_new + [False] * neither
    return old, new


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    # worked examples of Newcombe 1998 (Statistics in Medicine 17, 2635), method 10
    [((36, 2, 12, 0), 0.0569, 0.3404), ((36, 0, 14, 0), 0.1528, 0.4167), ((54, 0, 0, 0), -0.0664, 0.0664)],
)
def test_the_interval_is_newcombes(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    found = paired(*rows(*counts))
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "margin", "verdict"),
    [
        ((36, 2, 12, 0), 0.05, "better"),
        ((36, 12, 2, 0), 0.05, "worse"),
        ((54, 0, 0, 0), 0.05, "undecided"),
        ((54, 0, 0, 0), 0.07, "as good"),
        ((500, 5, 5, 490), 0.05, "as good"),
        ((5, 1, 0, 6), 0.05, "undecided"),
        ((0, 0, 0, 1), 0.0, "undecided"),
    ],
)
def test_a_verdict_is_given_only_where_the_rows_bear_it(
    counts: tuple[int, int, int, int], margin: float, verdict: str
) -> None:
    found = paired(*rows(*counts), margin=margin)
    assert found.verdict == verdict
    assert -1 <= found.low <= found.difference <= found.high <= 1
    assert (found.only_old, found.only_new) == counts[1:3]
