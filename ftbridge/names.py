"""Names of files and folders that are made of what others call things."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 200  # bytes in UTF-8; file systems take 255, of which an ending needs some
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]|^\.|[. ]$')


def plain_name(name: str) -> str:
    """`name` as the name of one file or folder, which leads nowhere else, on any system.

    What may not stand in one becomes _; what was changed is kept apart from other names by a hash at its end.

    >>> plain_name("My tickets")
    'My tickets'
    >>> plain_name("../tickets")
    '_._tickets-3baa0513'
    """
    plain = _NOT_IN_A_NAME.sub("_", name)
    size = len(plain.encode("utf-8", "ignore"))
    if plain == name and 0 < size <= _LONGEST:
        return plain
    short = plain.encode("utf-8", "ignore")[: _LONGEST - 9].decode("utf-8", "ignore")
    return f"{short}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
