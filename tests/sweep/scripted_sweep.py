"""A vendor in memory whose jobs report known validation losses, a step at each poll."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ftbridge.errors import NetworkError
from ftbridge.model import Event, Method, Result, Spec, Status, now
from ftbridge.provider import Capabilities, Files, RemoteJob
from ftbridge.provider.capabilities import APPLIED
from scripted_provider import ScriptedProvider

STEPS = 8


class LossyVendor(ScriptedProvider):
    """`script` has, by learning rate, or else epochs, the validation losses of a job's 8 steps, `last` its last step.

    A job takes its first step `late` polls after it was made. The first `unreachable` cancels fail, and a job that was
    `asked` to end stands still.
    """

    name = "local"
    keeps_jobs_at_home = False
    capabilities: ClassVar[Capabilities] = Capabilities(
        methods=frozenset({Method.SFT}),
        hyperparameters={"learning_rate": APPLIED, "epochs": APPLIED},
        verbs=frozenset({"cancel"}),
    )
    poll_seconds = 0.01
    slowest_poll_seconds = 0.01

    def __init__(
        self, home: Path, script: Mapping[float, Sequence[float]], late: Mapping[float, int] | None = None
    ) -> None:
        super().__init__(home)
        self.script, self.late = script, dict(late or {})
        self.rates: dict[str, float] = {}
        self.last: dict[float, int] = {}
        self.unreachable = 0
        self.asked: set[str] = set()

    def create(self, spec: Spec, model: str, files: Files, *, tag: str) -> RemoteJob:
        made = super().create(spec, model, files, tag=tag)
        rate = spec.hyperparameters.learning_rate or float(spec.hyperparameters.epochs or 0)
        self.rates[made.remote_id], self.last[rate] = rate, -self.late.get(rate, 0)
        return made

    def cancel(self, remote_id: str) -> None:
        self.asked.add(remote_id)
        if self.unreachable:
            self.unreachable -= 1
            raise NetworkError("the connection broke", hint="Try again.")
        super().cancel(remote_id)

    def poll(self, remote_ids: Sequence[str]) -> Iterable[RemoteJob]:
        for remote_id in remote_ids:
            rate = self.rates[remote_id]
            if remote_id not in self.asked:
                self.last[rate] = min(STEPS, self.last[rate] + 1)
            yield self._job(remote_id)

    def events(self, remote_id: str, since: str) -> Iterator[Event]:
        rate = self.rates[remote_id]
        for step in range(int(since or 0) + 1, self.last[rate] + 1):
            loss = self.script[rate][step - 1]
            known: dict[str, Any] = {"step": step, "total_steps": STEPS, "valid_loss": loss}
            yield Event(at=now(), kind="metric", cursor=str(step), **known)

    def _job(self, remote_id: str) -> RemoteJob:
        known: dict[str, Any] = {"remote_id": remote_id, "result": None}
        if remote_id in self.cancelled:
            return RemoteJob(**known, status=Status.CANCELLED, raw_status="cancelled")
        if self.last[self.rates[remote_id]] == STEPS:
            known["result"] = Result(model=f"tuned-{remote_id}")
            return RemoteJob(**known, status=Status.SUCCEEDED, raw_status="done")
        return RemoteJob(**known, status=Status.RUNNING, raw_status="going")
