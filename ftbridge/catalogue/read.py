"""Reading rows: from a provider's package, from a file or URL of the user, and from ftbridge.toml itself."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ftbridge.catalogue.facts import Row
from ftbridge.errors import ConfigError
from ftbridge.files import make_folder, write

FILE_NAME = "catalogue.toml"
_FRESH = timedelta(days=1)
_LARGEST = 4 * 1024 * 1024  # bytes; a table of prices is smaller
_TIMEOUT = 10.0  # seconds


def read_room(package: str, provider: str) -> tuple[Row, ...]:
    """The rows of catalogue.toml in a provider's package; none where there is no such file."""
    file = files(package) / FILE_NAME
    return read_rows(file.read_text("utf-8"), f"{package}/{FILE_NAME}", provider) if file.is_file() else ()


def read_rows(text: str, where: str, provider: str | None = None) -> tuple[Row, ...]:
    """The `[[row]]` tables of a catalogue, whose rows are of `provider` or name their own.

    Raises `ConfigError` naming the row and what is wrong with it.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(f"{where} is not valid TOML: {problem}", hint="Correct the file.") from None
    return rows_from(document.get("row", []), where, provider or document.get("provider"))


def rows_from(tables: Iterable[Mapping[str, Any]], where: str, provider: str | None = None) -> tuple[Row, ...]:
    """The rows that tables mean; a row that names no source has `where` as its source."""
    rows = []
    for number, table in enumerate(tables, start=1):
        try:
            rows.append(Row.model_validate({"provider": provider, "source": where, **table}))
        except ValidationError as problem:
            first = problem.errors()[0]
            path = ".".join(str(step) for step in first["loc"]) or "row"
            raise ConfigError(
                f"{where}, row {number}: {path}: {first['msg'].lower()}",
                hint="A row has provider, models, as_of, confidence (official, derived or third-party), and facts.",
            ) from None
    return tuple(rows)


def fetched(address: str, home: Path, warn: Callable[[str], None]) -> str:
    """The text at a path or https URL; a copy from a URL is used for a day, and where the URL does not answer.

    Raises `ConfigError` where there is neither.
    """
    if "://" not in address:
        try:
            return Path(address).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(f"the catalogue {address} cannot be read: {problem}", hint=_HINT) from None
    if not address.startswith("https://"):
        raise ConfigError(f"the catalogue {address} is neither a file nor https", hint=_HINT)
    copy = copy_of(address, home)
    if copy.exists() and datetime.now(UTC) - _time(copy) < _FRESH:
        return copy.read_text("utf-8")
    try:
        text = _download(address)
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        if not copy.exists():
            raise ConfigError(f"the catalogue {address} cannot be downloaded: {problem}", hint=_HINT) from None
        warn(f"the catalogue {address} cannot be downloaded ({problem}); the copy of {_time(copy):%Y-%m-%d} is used")
        return copy.read_text("utf-8")
    make_folder(copy.parent)
    write(copy, text.encode())
    return text


def copy_of(address: str, home: Path) -> Path:
    """The file for the copy of what is at a URL."""
    return home / "catalogues" / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.toml"


def _download(address: str) -> str:
    # urllib is slow to import and seldom needed
    from urllib.request import urlopen

    with urlopen(address, timeout=_TIMEOUT) as answer:  # noqa: S310 - the caller has checked that it is https
        content: bytes = answer.read(_LARGEST + 1)
        if not answer.url.startswith("https://"):
            raise ValueError("it redirects away from https")
    if len(content) > _LARGEST:
        raise ValueError("it is larger than 4 MiB")
    return content.decode()


def _time(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


_HINT = "Set `files` in [catalogue] of ftbridge.toml to paths, or https addresses, of catalogues."
