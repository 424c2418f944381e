"""Names that come from outside: of vendors' files, members of archives, jobs, models. None of them is ever a path.

`plain_name` makes any text the name of one file or folder. `member_parts` is for names that must stay what they are,
such as those of a model's files: it says why one may not be used.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

PICKLES = frozenset(
    {".bin", ".ckpt", ".dill", ".joblib", ".pckl", ".pickle", ".pkl", ".pt", ".pt2", ".pth"},
)
"""Suffixes of files that may run code when they are loaded."""
_LONGEST = 200  # bytes in UTF-8; file systems take 255, and a suffix needs some
_DEEPEST = 16  # folders in folders
_NOT_IN_A_NAME = re.compile(r'[/\\:*?"<>|]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)  # of Windows


def plain_name(name: str) -> str:
    """`name` as the name of one file or folder that is valid on every system and is never a path.

    Characters that are not allowed become _; a changed name ends with a hash, so that no two become the same.

    >>> plain_name("My tickets")
    'My tickets'
    >>> plain_name("../tickets")
    '_._tickets-3baa0513'
    """
    plain = re.sub(r"^\.|[. ]$", "_", "".join("_" if _is_forbidden(sign) else sign for sign in name))
    if plain == name and not _fault_of(name):
        return name
    if _DEVICE.match(plain):
        plain = f"_{plain}"
    short = plain.encode()[: _LONGEST - 9].decode("utf-8", "ignore")
    return f"{short}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def member_parts(name: str) -> tuple[str, ...]:
    """The folders and the file in a name with slashes, which stays in the folder that it is put in.

    Raises `ValueError`, which says why, for a name that leads elsewhere, or that some system does not take.
    """
    if name.startswith("/"):
        raise ValueError("it is an absolute path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if len(parts) > _DEEPEST:
        raise ValueError(f"it is more than {_DEEPEST} folders deep")
    for part in parts:
        if fault := _fault_of(part):
            raise ValueError(fault)
    return parts


def is_pickle(name: str) -> bool:
    """Whether a file of that name may run code when it is loaded."""
    _, dot, suffix = name.lower().rstrip(". ").rpartition(".")
    return dot + suffix in PICKLES


def first_repeated(names: Iterable[str]) -> str | None:
    """The first name that some system takes for an earlier one: it differs in case, or in how letters are composed."""
    seen: set[str] = set()
    for name in names:
        if (same := same_file(name)) in seen:
            return name
        seen.add(same)
    return None


def same_file(name: str) -> str:
    """The same text for all names that some system takes for one file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _is_forbidden(sign: str) -> bool:
    return not sign.isprintable() or bool(_NOT_IN_A_NAME.match(sign))


def _fault_of(part: str) -> str:
    """Why the part of a path cannot be used; "" where it can."""
    if part == "..":
        return "it leads out of its folder"
    if not part:
        return "it is empty"
    if any(map(_is_forbidden, part)):
        return "it has a character that names of files cannot have everywhere"
    if part[-1] in ". ":
        return "it ends with a dot or a space"
    if len(part.encode()) > _LONGEST:
        return f"a part of it is longer than {_LONGEST} bytes"
    if _DEVICE.match(part):
        return "it is the name of a device on Windows"
    return ""
