"""The day by which dates are judged."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

from ftbridge.errors import ConfigError

VARIABLE = "FTBRIDGE_TODAY"


def today() -> date:
    """The day in UTC, or the one in FTBRIDGE_TODAY, which is there for tests and for looking ahead.

    Raises `ConfigError` where that is no date.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ConfigError(f"{VARIABLE} = {given!r} is no date", hint="Write it as 2027-01-07, or unset it.") from None
