"""What people do when something went wrong, at a stub vendor, and what has become of their money then.

Nothing here knows how ftbridge keeps its promises. A verdict is by the vendor's own list of jobs, by the ledger's
jobs as the bridge gives them, and by what the commands said and their exit codes.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from io import StringIO
from itertools import count
from pathlib import Path

import pytest

from command_line import Ran
from faults.stubs.conduct import Conduct
from faults.stubs.mistral_stub import MistralStub
from faults.stubs.openai_stub import OpenAIStub
from faults.stubs.together_stub import TogetherStub
from faults.stubs.vendor import Vendor
from faults.stubs.wire import StubServer, serving
from ftbridge import Bridge
from ftbridge.cli.app import run
from ftbridge.errors import FtbridgeError
from ftbridge.model import Job
from ftbridge.plugins import load_provider
from ftbridge.provider.hosted import HostedProvider
from ftbridge.target import parse_target
from small_data import write_rows

STUBS: dict[str, type[Vendor]] = {"openai": OpenAIStub, "together": TogetherStub, "mistral": MistralStub}
TARGETS = {
    "openai": "openai:gpt-4.1-mini-2025-04-14",
    "together": "together:Qwen/Qwen3-8B",
    "mistral": "mistral:open-mistral-nemo",
}
SHORT = 0.05
"""Seconds after which a listing would show a job, where a case has to see that time pass."""
LONG = 60.0
"""The same where no case lasts so long: whatever is not listed yet may be there."""
_WINDOWS = ("listing_lag_seconds", "in_flight_seconds")
_NOTHING = re.compile(r"(nothing|no job) was (made|created|sent)|was never sent")
_WATCHED = 1.0


@dataclass
class Person:
    """Somebody with a home folder, a dataset and a vendor."""

    name: str
    vendor: Vendor
    home: Path
    data: Path
    url: str
    replies: list[Ran] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    more: tuple[str, ...] = ()

    def type(self, *words: str | Path) -> Ran:
        """Run a command as `ftbridge` does, in this process."""
        out, err, opened = StringIO(), StringIO(), []

        class Remembered(Bridge):
            def __init__(self, *given: object, **named: object) -> None:
                super().__init__(*given, **named)  # type: ignore[arg-type]  # whatever it takes
                opened.append(self)

        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr("ftbridge.bridge.Bridge", Remembered)
            code = run([str(word) for word in words])
        for bridge in opened:
            bridge.close()
        return self.hear(Ran(code, out.getvalue(), err.getvalue()))

    def hear(self, ran: Ran) -> Ran:
        """Keep what was said, and whether it denies a job that runs and that no ledger has."""
        self.replies.append(ran)
        if _NOTHING.search(ran.out + ran.err) and self.forgotten():
            self.lies.append(ran.err or ran.out)
        return ran

    def submit(self, *more: str) -> Ran:
        """The same request every time."""
        return self.type("submit", self.data, "--to", TARGETS[self.name], "--epochs", "1", *self.more, *more)

    def recover(self) -> Ran:
        """Look for what was left open."""
        return self.type("recover")

    def recover_twice(self) -> None:
        """By two processes at once, as far as the ledger's locks can tell."""
        with ThreadPoolExecutor(2) as pool:
            for ran in pool.map(lambda _number: recovered(self.home), range(2)):
                self.hear(ran)

    def watch(self) -> Ran:
        """Follow all jobs, and lose patience after a while."""
        warnings: list[str] = []
        until = time.monotonic() + _WATCHED
        try:
            with Bridge(self.home, warn=warnings.append) as bridge:
                for _seen in bridge.watch(*bridge.jobs()):
                    if time.monotonic() > until or all(job.status.final or job.remote_id for job in bridge.jobs()):
                        break
                unsaid = [job.id for job in bridge.jobs() if not job.remote_id]
        except FtbridgeError as problem:
            return self.hear(Ran(problem.exit_code, "", f"{problem.message} {problem.hint}"))
        return self.hear(Ran(0, " ".join(unsaid), "\n".join(warnings)))

    def cancel(self) -> None:
        """Give up every job that the ledger has."""
        for job in self.jobs():
            self.type("cancel", job.id)

    def jobs(self) -> list[Job]:
        """Those of the ledger."""
        with Bridge(self.home) as bridge:
            return bridge.jobs()

    def forgotten(self) -> list[str]:
        """The jobs that run at the vendor and that the ledger does not have."""
        known = {job.remote_id for job in self.jobs()}
        return [job.id for job in self.vendor.running if job.id not in known]


def pass_time() -> None:
    """Until every window of `SHORT` is over."""
    time.sleep(3 * SHORT)


def move_clock(patch: pytest.MonkeyPatch, by: timedelta) -> None:
    """This machine's clock is that much ahead, for ftbridge; the vendor's goes right."""

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # it is no Moved
            return datetime.now(tz) + by

    patch.setattr("ftbridge.model.datetime", Moved)


def recovered(home: Path) -> Ran:
    """What a recovery of that home comes to."""
    warnings: list[str] = []
    try:
        with Bridge(home, warn=warnings.append) as bridge:
            moved = bridge.recover()
            unclear = [job.id for job in bridge.jobs() if job.unclear]
    except FtbridgeError as problem:
        return Ran(problem.exit_code, "", f"{problem.message} {problem.hint}")
    return Ran(4 if unclear else 0, " ".join(job.id for job in moved), "\n".join(warnings))


@dataclass
class Stubs:
    """Where people live: a server, and a home for each of them."""

    server: StubServer
    folder: Path
    patch: pytest.MonkeyPatch
    numbers: Iterator[int] = field(default_factory=count)

    def person(self, name: str, *, window: float = SHORT, **conduct: object) -> Person:
        """Somebody new, at a vendor that has no jobs; `conduct` is the vendor's."""
        number = next(self.numbers)
        vendor = self.server.vendor = STUBS[name]()
        vendor.conduct = Conduct(**conduct)  # type: ignore[arg-type]  # its own fields
        home = self.folder / f"home-{number}"
        home.mkdir()
        url = f"{self.server.url}{'/v1' if name == 'openai' else ''}"
        for variable, value in {"FTBRIDGE_HOME": str(home), vendor.key_env: "a-key", vendor.url_env: url}.items():
            self.patch.setenv(variable, value)
        self.wait_for_listings(name, window)
        return Person(name, vendor, home, write_rows(self.folder / "rows.jsonl"), url)

    def wait_for_listings(self, name: str, seconds: float) -> None:
        """Have the adapter take it that a new job may stay unseen for so long."""
        provider = type(load_provider(parse_target(TARGETS[name]), self.folder))
        for window in _WINDOWS:
            self.patch.setattr(provider, window, seconds, raising=False)

    def give_up_after(self, seconds: float) -> None:
        """Have requests end without an answer after so long."""
        self.patch.setattr(HostedProvider, "timeout", seconds)


@contextmanager
def running_stubs(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Stubs]:
    """One server for everybody, one after the other."""
    patch.setattr("ftbridge_providers.mistral.adapter.MistralProvider.validation_poll_seconds", 0.01)
    patch.setenv("XDG_RUNTIME_DIR", os.fspath(folder))
    with serving(OpenAIStub()) as server:
        yield Stubs(server, folder, patch)


THEN: dict[str, Callable[[Person], object]] = {
    "submits again": lambda person: person.submit(),
    "recovers": Person.recover,
    "recovers twice at once": Person.recover_twice,
    "watches": Person.watch,
    "cancels": Person.cancel,
}
"""What a person does after a submission that went wrong."""
