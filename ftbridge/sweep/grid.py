"""Which trials a sweep has: all combinations of targets and values, or some of them at random."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from ftbridge.arguments import one_or_more
from ftbridge.errors import UsageError
from ftbridge.model import Frozen, Hyperparameters
from ftbridge.spec import make_spec

MOST_TRIALS = 1000


class Trial(Frozen):
    """One job of a sweep; trials are numbered from 1."""

    number: int
    target: str
    hyperparameters: Hyperparameters


def make_trials(
    targets: Sequence[str], axes: Mapping[str, Any], *, count: int | None = None, seed: int = 0
) -> tuple[Trial, ...]:
    """The trials of a grid, the target changing first; with `count`, so many of them, chosen by `seed`.

    `axes` holds, by the name of a hyperparameter, its value or values. Raises `SpecError` for a value that cannot be
    used, and `UsageError` for more than 1,000 trials, or none.
    """
    values = {name: _values(name, given) for name, given in axes.items() if given is not None}
    targets = list(dict.fromkeys(targets))
    size = prod([len(targets), *map(len, values.values())])
    wanted = size if count is None else min(count, size)
    if not 0 < wanted <= MOST_TRIALS:
        raise UsageError(
            f"the sweep would have {wanted:,} trials, and it can have 1 to {MOST_TRIALS:,}",
            hint="Give fewer values, or let --trials N choose N combinations at random."
            if wanted
            else "Name a target, and at least one value of each hyperparameter.",
        )
    chosen = sorted(random.Random(seed).sample(range(size), wanted))  # noqa: S311  # it is to be repeatable
    return tuple(_trial(number, index, targets, values) for number, index in enumerate(chosen, start=1))


def in_words(hyperparameters: Hyperparameters) -> str:
    """The hyperparameters for people."""
    given = hyperparameters.given().items()
    return ", ".join(f"{name} {value}" for name, value in given) or "the provider's defaults"


def _values(name: str, given: Any) -> list[Any]:
    """The different values of one hyperparameter, as the model reads them."""
    read = [
        make_spec(target="", data=Path(), hyperparameters={name: value}).hyperparameters for value in one_or_more(given)
    ]
    return list(dict.fromkeys(getattr(one, name) for one in read))


def _trial(number: int, index: int, targets: Sequence[str], values: Mapping[str, Sequence[Any]]) -> Trial:
    """The trial at that index of the grid: the target is its last digit, the first hyperparameter its first."""
    index, place = divmod(index, len(targets))
    settings: dict[str, Any] = {}
    for name in reversed([*values]):
        index, at = divmod(index, len(values[name]))
        settings[name] = values[name][at]
    in_order = {name: settings[name] for name in values}
    return Trial(number=number, target=targets[place], hyperparameters=Hyperparameters(**in_order))
