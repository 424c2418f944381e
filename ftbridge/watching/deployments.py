"""Monitoring deployed models while jobs are watched: warnings, and undeploying those past their hours."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta

from ftbridge.context import Context
from ftbridge.deployments.deploy import undeploy
from ftbridge.deployments.listing import DeploymentInfo, list_deployments
from ftbridge.deployments.wording import describe_cost, describe_ended
from ftbridge.errors import FtbridgeError, StateError
from ftbridge.model import now
from ftbridge.watching.scheduler import PeriodicTask

WARNED_EVERY = timedelta(days=1)
_LONGEST = 300.0
"""Seconds between two rounds at most, each of which asks the vendors once."""
_SHORTEST = 1.0


class DeploymentWatch:
    """Warns, at the start and once a day, of models whose deployment costs by the hour and has no end.

    Those that were deployed with `max_hours` are undeployed when these are over.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._warned: dict[str, datetime] = {}
        self.task = PeriodicTask("deployments", self._round, pace=_LONGEST, slowest=_LONGEST, vital=False)

    def begin(self) -> None:
        """The first round, at once, so that its warnings come even if no job is running."""
        try:
            self._round()
        except StateError:
            raise
        except FtbridgeError as problem:
            self._context.warn(problem.message)
        self.task.due = time.monotonic() + self.task.pace

    def _round(self) -> int:
        """List, warn, and undeploy; how many were undeployed. Raises the first error."""
        at, ended = now(), 0
        problems: list[FtbridgeError] = []
        found = list_deployments(self._context)
        for info in found:
            if not info.hours_over:
                self._warn_of(info, at)
                continue
            try:
                ended += self._undeploy(info)
            except FtbridgeError as problem:
                problems.append(problem)
        self.task.pace = self.task.slowest = _until_next(found)
        if problems:
            raise problems[0]
        return ended

    def _warn_of(self, info: DeploymentInfo, at: datetime) -> None:
        what = info.job or info.model
        if what in self._warned and (info.max_hours or at - self._warned[what] < WARNED_EVERY):
            return
        self._warned[what] = at
        if info.max_hours and info.began_at:
            ends = (info.began_at + timedelta(hours=info.max_hours)).astimezone()
            self._context.warn(f"{what} is deployed until {ends:%m-%d %H:%M}, when this watch undeploys it")
        elif sentence := describe_cost(info):
            self._context.warn(sentence)

    def _undeploy(self, info: DeploymentInfo) -> int:
        ended = undeploy(self._context, str(info.job))
        for one in ended:
            was = f"it was to be deployed for {info.max_hours:g} h, and is undeployed {describe_ended(one)}"
            self._context.warn(f"{info.job}: {was}")
        return len(ended)


def _until_next(found: Iterable[DeploymentInfo]) -> float:
    """The seconds until the next one's hours are over, within bounds."""
    left = [info.max_hours - info.hours for info in found if info.max_hours and info.hours and not info.hours_over]
    return max(_SHORTEST, min([_LONGEST, *(3600 * hours for hours in left)]))
