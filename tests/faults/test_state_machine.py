"""In whatever order things are done and go wrong: what is paid for is what was wanted, and time does not run back."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, NoReturn

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, event

from faults.living_vendor import REFUSAL, TROUBLE, LivingProvider, LivingVendor
from ftbridge import Bridge
from ftbridge.errors import FtbridgeError
from ftbridge.ledger import Ledger, Record
from ftbridge.model import Status
from scripted_provider import Died
from third_party import install

ORDER = [Status.SUBMITTING, Status.VALIDATING, Status.QUEUED, Status.RUNNING, Status.SUCCEEDED]
ENTRY_POINT = "[ftbridge.providers]\nliving = faults.living_vendor:LivingProvider\n"
IN_MEMORY = Path("/dev/shm") if Path("/dev/shm").is_dir() else None


class Work(RuleBasedStateMachine):
    """One home, one vendor, and bridges that come and go.

    A job is `given_up` that was ended while it was not known whether the vendor has it: it may turn up there, and is
    then followed again to its end.
    """

    given_up: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(dir=IN_MEMORY)
        self.home = Path(self.folder.name)
        self.rows = self.home / "rows.jsonl"
        chat = {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
        self.rows.write_text(json.dumps(chat) + "\n", "utf-8")
        self.vendor = LivingProvider.vendor = LivingVendor()
        LivingProvider.listing_lag_seconds = 0.0
        self.commits_to_go: int | None = None
        self.at_work = False
        event.listen(Engine, "commit", self.commit)
        self.bridge = Bridge(self.home)
        self.ledger = Ledger(self.home)
        self.seen: dict[str, Status] = {}
        self.given_up.clear()

    def teardown(self) -> None:
        """In the end all goes well, and everything that was wanted is there, once."""
        self.commits_to_go = None
        self.let_the_listing_catch_up()
        self.vendor.before.clear()
        self.vendor.after.clear()
        for _time in range(4 * len(self.bridge.jobs()) + 1):
            with self.trouble():
                self.bridge.recover()
                self.bridge.refresh()
            for living in self.vendor.jobs.values():
                living.live()
        self.nothing_is_paid_twice()
        self.statuses_only_move_forward()
        self.events_are_numbered_and_told_once()
        for job in self.bridge.jobs():
            assert job.status.final
            assert job.remote_id or job.status in (Status.FAILED, Status.CANCELLED)
        event.remove(Engine, "commit", self.commit)
        self.bridge.close()
        self.ledger.close()
        self.folder.cleanup()

    @contextmanager
    def trouble(self) -> Iterator[None]:
        """What may go wrong does; a process that dies is followed by a new one."""
        self.at_work = True
        try:
            yield
        except FtbridgeError:
            pass
        except Died:
            self.restart()
        finally:
            self.at_work = False

    def commit(self, _connection: Any) -> None:
        """Die before the transaction is committed that was chosen for it."""
        if self.at_work and self.commits_to_go is not None:
            self.commits_to_go -= 1
            if self.commits_to_go < 0:
                self.commits_to_go = None
                raise Died

    @rule(key=st.sampled_from(["a", "b", "c", "d", None]))
    def submit(self, key: str | None) -> None:
        with self.trouble():
            self.bridge.submit(self.rows, "living:any", idempotency_key=key)

    @rule()
    def recover(self) -> None:
        with self.trouble():
            self.bridge.recover()

    @rule()
    def look(self) -> None:
        with self.trouble():
            self.bridge.refresh()

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if jobs := self.bridge.jobs():
            with self.trouble():
                self.bridge.cancel(data.draw(st.sampled_from(jobs)).id)

    @rule(data=st.data())
    def live(self, data: st.DataObject) -> None:
        if self.vendor.jobs:
            self.vendor.jobs[data.draw(st.sampled_from(sorted(self.vendor.jobs)))].live()

    @rule(
        verb=st.sampled_from(["upload", "create", "find", "poll", "events", "cancel"]),
        what=st.sampled_from(sorted(TROUBLE)),
    )
    def trouble_before(self, verb: str, what: str) -> None:
        self.vendor.before[verb] = TROUBLE[what]()

    @rule(verb=st.sampled_from(["upload", "create", "cancel"]), what=st.sampled_from(sorted(TROUBLE)))
    def trouble_after(self, verb: str, what: str) -> None:
        self.vendor.after[verb] = TROUBLE[what]()

    @rule(what=st.sampled_from(sorted(REFUSAL)))
    def refusal(self, what: str) -> None:
        self.vendor.before["create"] = REFUSAL[what]()

    @rule(commits=st.integers(0, 5))
    def death_at_a_commit(self, commits: int) -> None:
        self.commits_to_go = commits

    @rule()
    def restart(self) -> None:
        self.at_work = False
        self.commits_to_go = None
        self.bridge.close()
        self.bridge = Bridge(self.home)

    @rule()
    def let_the_listing_lag(self) -> None:
        LivingProvider.listing_lag_seconds = 3600.0
        self.vendor.hides_new_jobs = True

    @rule()
    @precondition(lambda self: self.vendor.hides_new_jobs)
    def let_the_listing_catch_up(self) -> None:
        LivingProvider.listing_lag_seconds = 0.0
        self.vendor.hides_new_jobs = False
        self.vendor.hidden.clear()

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        paid = [job.tag for job in self.vendor.jobs.values()]
        wanted = {job.id: job for job in self.bridge.jobs()}
        assert len(paid) == len(set(paid))
        assert set(paid) <= set(wanted)
        known = [job.remote_id for job in wanted.values() if job.remote_id]
        assert len(known) == len(set(known))
        assert all(self.vendor.jobs[job.remote_id].tag == job.id for job in wanted.values() if job.remote_id)
        failed = {job.id for job in wanted.values() if job.status is Status.FAILED}
        never_sent = {job.id for job in wanted.values() if job.status is Status.CANCELLED and not job.remote_id}
        assert not ((failed | never_sent) & set(paid)) - self.given_up

    @invariant()
    def statuses_only_move_forward(self) -> None:
        for job in self.bridge.jobs():
            before, self.seen[job.id] = self.seen.get(job.id, Status.SUBMITTING), job.status
            assert follows(before, job.status) or job.id in self.given_up

    @invariant()
    def events_are_numbered_and_told_once(self) -> None:
        for job in self.bridge.jobs():
            numbered = self.ledger.events(job.id)
            assert [number for number, _event in numbered] == list(range(1, len(numbered) + 1))
            cursors = [event.cursor for _number, event in numbered if event.cursor]
            assert len(cursors) == len(set(cursors))
            statuses = [event.status for _number, event in numbered if event.status]
            if job.id not in self.given_up:
                assert all(follows(before, after) for before, after in pairwise(statuses))
                assert len(statuses) == len(set(statuses))


def note_what_is_given_up(patch: pytest.MonkeyPatch) -> None:
    """Also a job that was given up and found again within one step."""
    change = Ledger.change

    def noted(self: Ledger, *given: Any, **named: Any) -> Record | None:
        changed = change(self, *given, **named)
        if changed and changed.unconfirmed:
            Work.given_up.add(changed.job.id)
        return changed

    patch.setattr(Ledger, "change", noted)


def follows(before: Status, after: Status) -> bool:
    """Whether a job may be `after` when it was `before`."""
    if before.final:
        return after is before
    return after.final or ORDER.index(after) >= ORDER.index(before)


def die_instead_of_waiting(_seconds: float) -> NoReturn:
    """While a listing lags, the same request waits until it cannot lag any more, and is ended before."""
    raise Died


def test_whatever_is_done_and_goes_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", monkeypatch, "living", ENTRY_POINT)
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=die_instead_of_waiting)
    monkeypatch.setattr("ftbridge.jobs.exactly_once.unconfirmed.time", clock)
    note_what_is_given_up(monkeypatch)
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            phases=[Phase.generate],  # what fails is told as it was found: making it smaller would take minutes
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
