"""The current day, by which closing dates are compared."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

from ftbridge.errors import ConfigError

VARIABLE = "FTBRIDGE_TODAY"


def today() -> date:
    """The day in UTC, or the one in FTBRIDGE_TODAY, for tests and for questions about the future.

    Raises `ConfigError` where that is not a date.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ConfigError(
            f"{VARIABLE} = {given!r} is not a date", hint="Write it as 2027-01-07, or unset it."
        ) from None
