"""Whether a target's model is one of those that are known at its provider."""

from __future__ import annotations

from typing import NamedTuple

from ftbridge.catalogue.merged import Catalogue, Entry
from ftbridge.target import Target
from ftbridge.wording import did_you_mean, printable


class UnknownModel(NamedTuple):
    """What is not known, and what to do."""

    message: str
    fix: str


def find_unknown(catalogue: Catalogue, target: Target, entry: Entry) -> UnknownModel | None:
    """What to say of a model whose `entry` is empty, where the catalogue has others of its provider; else `None`."""
    if entry.facts.methods is not None or entry.closes_on is not None:
        return None
    named = [other.model for other in catalogue.entries() if other.provider == target.provider]
    if not named:
        return None
    unknown = f"{printable(target.model)} is not one of the models known at {target.provider}"
    fix = f"{did_you_mean(target.model, named)}`ftbridge catalogue {target.provider}` lists those that are."
    return UnknownModel(f"{unknown}, so its limits and prices are not known", fix)
