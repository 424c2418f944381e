"""Reading rows: from a provider's package, from a file or URL of the user, and from ftbridge.toml itself."""

from __future__ import annotations

import hashlib
import threading
import tomllib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from ftbridge.catalogue.facts import Row
from ftbridge.config.ownership import read_regular
from ftbridge.errors import ConfigError
from ftbridge.files import make_folder, write
from ftbridge.foreign.redaction import redact, register_url

FILE_NAME = "catalogue.toml"
_FRESH = timedelta(days=1)
_LARGEST = 4 * 1024 * 1024  # bytes; a table of prices is smaller
_TIMEOUT = 5.0  # seconds
_PAUSE = timedelta(hours=1)
"""How long an address that did not answer is left alone, so that not every command waits for it."""


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
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ConfigError(f"{where} is not valid TOML: {problem}", hint="Correct the file.") from None
    rows = document.get("row", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{where} has no list of rows", hint="Write each row as a table [[row]].")
    return rows_from(rows, where, provider or document.get("provider"))


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


def own_rows(address: str, home: Path, warn: Callable[[str], None]) -> tuple[Row, ...]:
    """The rows of the user's own catalogue at a path or https URL.

    A copy from a URL is used for a day, and where the URL does not answer or gives no catalogue; where there is no copy
    either, there are no rows. That is warned of, and tried again after an hour. Raises `ConfigError` for a file
    that cannot be read, or is no catalogue.
    """
    shown = redact(address)
    if "://" not in address:
        try:
            return read_rows(read_regular(Path(address), _LARGEST)[0].decode(), address)
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(f"the catalogue {address} cannot be read: {problem}", hint=_HINT) from None
    if not address.startswith("https://"):
        raise ConfigError(f"the catalogue {shown} is neither a file nor https", hint=_HINT)
    copy = copy_of(address, home)
    failed = copy.with_suffix(".failed")
    if not _is_recent(copy, _FRESH) and not _is_recent(failed, _PAUSE):
        make_folder(copy.parent)
        try:
            text = _download(address)
            read_rows(text, shown)  # before it replaces the copy
            write(copy, text.encode())
        except (OSError, ValueError, ConfigError) as problem:
            write(failed, b"")
            left = f"the copy of {_time(copy):%Y-%m-%d} is used" if copy.exists() else "its models are left out"
            why = problem.message if isinstance(problem, ConfigError) else problem
            warn(f"the catalogue {shown} cannot be downloaded ({why}): {left}, and in an hour it is tried again")
    return read_rows(copy.read_text("utf-8"), shown) if copy.exists() else ()


def copy_of(address: str, home: Path) -> Path:
    """The file for the copy of what is at a URL."""
    return home / "catalogues" / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.toml"


def _download(address: str) -> str:
    """The text at an https address, within `_TIMEOUT` from beginning to end. Raises `OSError` or `ValueError`."""
    outcome: list[bytes | Exception] = []

    def run() -> None:
        try:
            outcome.append(_read_url(address))
        except Exception as problem:  # raised again by who waits
            outcome.append(problem)

    # in a thread, because urllib's time-out begins anew with every byte; one that never ends keeps no process alive
    thread = threading.Thread(target=run, name="ftbridge catalogue", daemon=True)
    thread.start()
    thread.join(_TIMEOUT)
    if not outcome:
        raise TimeoutError(f"it did not arrive within {_TIMEOUT:.0f} s")
    if isinstance(outcome[0], Exception):
        problem = outcome[0]
        raise problem if isinstance(problem, ValueError) else OSError(str(problem)) from problem
    return outcome[0].decode()


def _read_url(address: str) -> bytes:
    # urllib is slow to import and seldom needed
    from urllib.request import Request, urlopen

    register_url(address)
    parts = urlsplit(address)
    user, at, host = parts.netloc.rpartition("@")  # which urllib would take for a part of the host's name
    request = Request(parts._replace(netloc=host).geturl())  # noqa: S310 - the caller has checked that it is https
    if at:
        request.add_unredirected_header("Authorization", f"Basic {b64encode(unquote(user).encode()).decode()}")
    with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - likewise
        content: bytes = answer.read(_LARGEST + 1)
        if not answer.url.startswith("https://"):
            raise ValueError("it redirects away from https")
    if len(content) > _LARGEST:
        raise ValueError("it is larger than 4 MiB")
    return content


def _is_recent(file: Path, age: timedelta) -> bool:
    return file.exists() and datetime.now(UTC) - _time(file) < age


def _time(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


_HINT = "Set `files` in [catalogue] of ftbridge.toml to paths, or https addresses, of catalogues."
