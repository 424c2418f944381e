"""Dividing examples into training and validation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence


def split(groups: Sequence[int], strata: Sequence[Hashable], share: float, seed: int) -> list[bool]:
    """For each example, whether it is for validation: about `share` of them, of every stratum.

    Examples of one group stay together. A stratum too small for a whole validation example
    shares one with the others: every 1/share-th example is taken from all of them in a row,
    stratum after stratum, each in random order. Training always gets a group, and validation
    does where a share is wanted and there are two.
    """
    rng = random.Random(seed)  # noqa: S311  # a split is to be repeatable, not secret
    sizes = Counter(groups)
    stratum_of = dict(zip(reversed(groups), reversed(strata), strict=True))
    by_stratum: dict[Hashable, list[int]] = {}
    for group in dict.fromkeys(groups):
        by_stratum.setdefault(stratum_of[group], []).append(group)
    order: list[int] = []
    for members in by_stratum.values():
        rng.shuffle(members)
        order += members
    chosen: set[int] = set()
    passed, start, before = 0, rng.random(), 0
    for group in order:
        passed += sizes[group]
        wanted = int(start + passed * share)
        if wanted > before:
            chosen.add(group)
        before = wanted
    if len(chosen) == len(order):
        chosen.discard(rng.choice(order))
    elif share and not chosen and len(order) > 1:
        chosen.add(rng.choice(order))
    return [group in chosen for group in groups]
