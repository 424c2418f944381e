"""Tool call ids in the form that Mistral requires: exactly nine letters or digits."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xxhash import xxh3_64_hexdigest

_MISTRAL_ID = re.compile(r"[a-zA-Z0-9]{9}")


def rewritten_ids(ids: Iterable[str]) -> dict[str, str]:
    """For each id that Mistral would refuse, its replacement.

    The result depends on the ids alone. Replacements differ from each other and from the ids that stay.
    """
    distinct = dict.fromkeys(ids)
    refused = [name for name in distinct if not _MISTRAL_ID.fullmatch(name)]
    taken = set(distinct)
    rewritten = {}
    for name in refused:
        seed = 0
        while (new := _digest(name, seed)) in taken:
            seed += 1
        taken.add(new)
        rewritten[name] = new
    return rewritten


def _digest(name: str, seed: int) -> str:
    return xxh3_64_hexdigest(name.encode(errors="replace"), seed)[:9]
