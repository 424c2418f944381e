"""The current day, by which closing dates are compared."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, date, datetime

from ftbridge.errors import ConfigError
from ftbridge.wording import printable

VARIABLE = "FTBRIDGE_TODAY"
_YEARS = range(2000, 3000)  # a century before and after them is still a date


def today() -> date:
    """The day in UTC, or the one in FTBRIDGE_TODAY, for tests and for questions about the future.

    Raises `ConfigError` where that is not a date.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        return datetime.now(UTC).date()
    with suppress(ValueError):
        day = date.fromisoformat(given)
        if day.year in _YEARS:
            return day
    raise ConfigError(
        f"{VARIABLE} = {printable(repr(given))} is not a date", hint="Write it as 2027-01-07, or unset it."
    )
