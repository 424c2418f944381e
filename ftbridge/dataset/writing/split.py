"""Dividing examples into training and validation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence


def split(groups: Sequence[int], strata: Sequence[Hashable], fraction: float, seed: int) -> list[bool]:
    """For each example, whether it is for validation: about `fraction` of them, in every stratum.

    Examples of one group stay together. All examples are put in a row, stratum after stratum, each in random
    order, and every 1/fraction-th one is taken: so strata too small for a validation example of their own
    have one in common. Training always gets a group, and validation does where `fraction` is not 0 and there
    are two groups.
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
    seen, start, before = 0, rng.random(), 0
    for group in order:
        seen += sizes[group]
        wanted = int(start + seen * fraction)
        if wanted > before:
            chosen.add(group)
        before = wanted
    if len(chosen) == len(order):
        chosen.discard(rng.choice(order))
    elif fraction and not chosen and len(order) > 1:
        chosen.add(rng.choice(order))
    return [group in chosen for group in groups]
