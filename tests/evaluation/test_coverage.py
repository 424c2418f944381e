"""Of a hundred 95 % intervals about 95 have the truth in them: by simulation, for 60 rows and for 400.

In a quick run fewer are drawn, of fewer kinds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from every_case import EVERY_CASE
from ftbridge.evaluation.differences import share_difference
from ftbridge.evaluation.intervals import bootstrap, share_interval

Floats = NDArray[np.float64]
SIZES = (60, 400)
SHARES = (0.5, 0.7, 0.9) if EVERY_CASE else (0.7,)
DRAWN = 4_000 if EVERY_CASE else 1_000
RESAMPLED = 1_000 if EVERY_CASE else 400

DRAWS: dict[str, Callable[[Generator, tuple[int, int]], Floats]] = {
    "normal": lambda chance, shape: chance.normal(1, 1, shape),
    "uniform": lambda chance, shape: chance.uniform(0, 2, shape),
    "skewed as losses are": lambda chance, shape: chance.gamma(2, 0.5, shape),
}


def share_covered(low: object, high: object, truth: float) -> float:
    return float(np.mean((np.asarray(low) <= truth) & (truth <= np.asarray(high))))


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("size", SIZES)
def test_of_a_share(size: int, share: float) -> None:
    """Exactly, over every number of correct answers: Wilson's coverage varies around 95 % with the share."""
    from scipy import stats

    intervals = [share_interval([True] * correct + [False] * (size - correct)) for correct in range(size + 1)]
    inside = [found.low <= share <= found.high for found in intervals]
    assert 0.93 <= stats.binom.pmf(np.arange(size + 1), size, share) @ inside <= 0.97


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("draw", DRAWS if EVERY_CASE else ["skewed as losses are"])
@pytest.mark.parametrize("size", SIZES)
def test_of_a_mean(size: int, draw: str, weighted: bool) -> None:
    chance = np.random.default_rng(1)
    shape = (RESAMPLED if size == min(SIZES) or EVERY_CASE else RESAMPLED // 2, size)
    weights = chance.integers(5, 40, shape).astype(float) if weighted else np.ones(shape)
    low, high = bootstrap(DRAWS[draw](chance, shape) * weights, weights, resamples=400)
    assert 0.93 - slack(shape[0]) <= share_covered(low, high, 1.0) <= 0.97 + slack(shape[0])


@pytest.mark.parametrize("size", SIZES)
def test_of_a_mean_of_clustered_rows(size: int) -> None:
    """Documents of four rows each, which have half of their variance in common."""
    chance = np.random.default_rng(1)
    drawn, documents = RESAMPLED if size == min(SIZES) or EVERY_CASE else RESAMPLED // 2, size // 4
    shared = chance.normal(size=(drawn, documents, 1))
    sums = (1 + shared + chance.normal(size=(drawn, documents, 4))).sum(axis=2)
    low, high = bootstrap(sums, np.full_like(sums, 4), resamples=400)
    assert 0.93 - slack(drawn) <= share_covered(low, high, 1.0) <= 0.97 + slack(drawn)


@pytest.mark.parametrize("size", SIZES)
def test_of_a_share_of_clustered_rows(size: int) -> None:
    """Documents of four rows each, some of which are easier than others."""
    chance = np.random.default_rng(1)
    clusters = [number // 4 for number in range(size)]
    easy = chance.beta(2, 1, (DRAWN, size // 4, 1))
    correct = (chance.uniform(size=(DRAWN, size // 4, 4)) < easy).reshape(DRAWN, size)
    found = [share_interval(answers.tolist(), clusters) for answers in correct]
    assert 0.93 <= share_covered([of.low for of in found], [of.high for of in found], 2 / 3) <= 0.97


@pytest.mark.parametrize("size", SIZES)
def test_of_a_difference(size: int) -> None:
    chance = np.random.default_rng(1)
    kinds = np.array([(True, True), (True, False), (False, True), (False, False)])
    drawn = kinds[chance.choice(4, (DRAWN, size), p=[0.5, 0.1, 0.2, 0.2])]
    found = [share_difference(*answers.T.tolist()).interval for answers in drawn]
    assert 0.93 <= share_covered([of.low for of in found if of], [of.high for of in found if of], 0.1) <= 0.97


def slack(drawn: int) -> float:
    """Two standard errors of a simulation of so many intervals: none where every case is run."""
    return 0.0 if EVERY_CASE else 2 * float(np.sqrt(0.05 * 0.95 / drawn))
