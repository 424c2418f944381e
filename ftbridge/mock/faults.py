"""Injected faults: what goes wrong, at which operation, and how often.

create_job=500-after        the job is created, the answer is 500, once
create_job=404-after        the same with 404, which is then a false answer
list_jobs=lag:5             jobs of the last 5 seconds are not listed, as long as the mock runs
list_jobs=twice             each job is listed twice, as when pages shift
list_jobs=unfinished        the list is empty and says that there is more
*=429:2x3                   any operation, three times, with Retry-After: 2
*=echo                      each text of the vendor's repeats the caller's key, as long as the mock runs
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Literal, cast, get_args

from msgspec import Struct

from ftbridge.errors import UsageError
from ftbridge.wording import did_you_mean

Kind = Literal[
    "429", "500", "500-after", "cut", "cut-after", "cut-midway", "cut-upload", "truncate", "slow", "html",
    "invalid-json", "redirect", "400", "401", "402", "403", "404", "408", "409", "410", "413", "422", "501", "502",
    "503", "504", "quota",
    "301-after", "303-after", "403-after", "404-after", "408-after", "409-after", "425-after", "429-after", "499-after",
    "501-after", "lag", "twice", "unfinished", "stall", "fail", "cancel", "unknown-status",
    "echo",
]  # fmt: skip
CONDITIONS: tuple[Kind, ...] = ("lag", "twice", "unfinished", "stall", "fail", "cancel", "unknown-status", "echo")
"""Conditions of the vendor rather than faults of one answer: they hold until the mock stops."""

_RULE = re.compile(r"(?P<operation>[a-z_]+|\*)=(?P<kind>[a-z0-9-]+?)(:(?P<value>[0-9.]+))?(x(?P<times>[0-9]+))?")


class Fault(Struct, frozen=True):
    """`value` is in seconds, for kinds that need them; `times` is the number of calls that fail."""

    operation: str
    kind: Kind
    value: float = 1.0
    times: int = 1


def parse_fault(text: str, operations: Collection[str]) -> Fault:
    """A fault from its rule. Raises `UsageError` for a rule that is not valid, or not about one of `operations`."""
    match = _RULE.fullmatch(text.replace(" ", ""))
    if not match or match["kind"] not in get_args(Kind):
        raise UsageError(
            f"{text!r} is not a fault",
            hint=f"Write operation=kind, kind:seconds or kind:secondsxTIMES; kinds: {', '.join(get_args(Kind))}.",
        )
    operation, kind = match["operation"], cast(Kind, match["kind"])
    if operation != "*" and operation not in operations:
        raise UsageError(
            f"{text!r} would never occur: no operation is called {operation!r}",
            hint=f"{did_you_mean(operation, operations)}Operations: * for any, {', '.join(sorted(operations))}.",
        )
    return Fault(operation, kind, float(match["value"] or 1.0), int(match["times"] or 1))


class Faults:
    """The faults to be injected at a mock of those `operations`."""

    def __init__(self, operations: Collection[str], faults: Iterable[Fault] = ()) -> None:
        self._operations = operations
        self._conditions = [fault for fault in faults if fault.kind in CONDITIONS]
        self._pending = [
            fault for fault in faults if fault.kind not in CONDITIONS for _repetition in range(fault.times)
        ]

    def add(self, text: str) -> None:
        """Add a fault, by its rule. Raises `UsageError` for one that would never occur."""
        more = Faults(self._operations, [parse_fault(text, self._operations)])
        self._conditions += more._conditions
        self._pending += more._pending

    def left(self) -> int:
        """How many have not occurred yet; conditions do not count."""
        return len(self._pending)

    def clear(self) -> None:
        """Inject nothing any more."""
        self._conditions.clear()
        self._pending.clear()

    def take(self, operation: str) -> Fault | None:
        """The next fault of this operation, which is removed."""
        for index, fault in enumerate(self._pending):
            if fault.operation in (operation, "*"):
                return self._pending.pop(index)
        return None

    def condition(self, kind: Kind, operation: str | None = None) -> Fault | None:
        """The condition of that kind, at `operation` where that is given; `None` where it does not hold."""
        conditions = (fault for fault in self._conditions if fault.kind == kind)
        return next((fault for fault in conditions if operation in (None, fault.operation)), None)
