"""The project files that the user of this home trusts, with what their hooks do, and the home's own identifier.

A trusted file is known by its path and the SHA-256 of its content, so one that has changed has to be trusted again, as
it is for direnv. Its hooks are kept here too: every process of the home can call them, wherever it runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from ftbridge.config.ownership import read_regular
from ftbridge.config.tables import LARGEST, Hook
from ftbridge.files import make_folder, write
from ftbridge.home import usable
from ftbridge.model import Frozen
from ftbridge.stored import read_stored


class Trusted(Frozen):
    """A file as it was when it was trusted; `source` is what the ledger calls its hooks' source."""

    file: Path
    sha256: str
    source: str
    hooks: Mapping[str, Hook]

    @property
    def state(self) -> str:
        """Whether the file is "unchanged", has "changed" since it was trusted, or is "gone"."""
        try:
            content, _known = read_regular(self.file, LARGEST)
        except FileNotFoundError:
            return "gone"
        except OSError:
            return "changed"
        return "unchanged" if digest(content) == self.sha256 else "changed"


def trust(home: Path, file: Path, content: bytes, hooks: Mapping[str, Hook]) -> Trusted:
    """Trust the file with exactly this content, of which `hooks` are a part."""
    file = file.resolve()
    trusted = Trusted(file=file, sha256=digest(content), source=source_of(home, file), hooks=hooks)
    stored = _stored(home, file)
    make_folder(stored.parent)
    write(stored, trusted.model_dump_json(indent=2).encode())
    return trusted


def distrust(home: Path, file: Path) -> bool:
    """Trust the file no longer; whether it was trusted."""
    stored = _stored(home, file.resolve())
    was_trusted = stored.exists()
    stored.unlink(missing_ok=True)
    return was_trusted


def trusted_files(home: Path) -> list[Trusted]:
    """All that is trusted, by path."""
    found = [trusted for stored in _folder(home).glob("*.json") if (trusted := _read(stored))]
    return sorted(found, key=lambda trusted: trusted.file)


def find_trusted(home: Path, file: Path) -> Trusted | None:
    """The file as it was trusted, if it ever was."""
    return _read(_stored(home, file.resolve()))


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content, in hex."""
    return hashlib.sha256(content).hexdigest()


def source_of(home: Path, file: Path) -> str:
    """What the ledger calls the source of the hooks in a project's file."""
    return f"{home_id(home)}/{_key(file.resolve())}"


def home_id(home: Path) -> str:
    """The home's own identifier, made when it is first needed: several homes may share one ledger on a server."""
    with usable(home), os.fdopen(os.open(home / "home-id", os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = file.read().strip()
        if not known:
            known = secrets.token_hex(6)
            file.write(known)
            file.flush()
            os.fsync(file.fileno())
    return known


def _folder(home: Path) -> Path:
    return home / "trusted"


def _stored(home: Path, file: Path) -> Path:
    return _folder(home) / f"{_key(file)}.json"


def _key(file: Path) -> str:
    return hashlib.sha256(os.fsencode(file)).hexdigest()[:16]


def _read(stored: Path) -> Trusted | None:
    try:
        return read_stored(Trusted, stored.read_bytes())
    except (OSError, ValidationError):  # what cannot be read is not trusted
        return None
