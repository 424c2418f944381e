"""A provider that serves a model by the hour, with its vendor in memory, and a job that has made the model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from ftbridge import Bridge
from ftbridge.ledger import change_deployment, open_deployments
from ftbridge.model import Method, Result, Status
from ftbridge.provider import Capabilities, Deployment, HostingTerms
from ledger_rows import add
from scripted_provider import ScriptedProvider

JOB, MODEL = "ftb_aaaa", "tuned-1"


class Serving(ScriptedProvider):
    """Serves what is in `served`; `look` is called within a deploy, before and after it is carried out."""

    name = "local"
    capabilities: ClassVar[Capabilities] = Capabilities(
        methods=frozenset({Method.SFT}), hyperparameters={}, verbs=frozenset({"deploy"})
    )
    hourly: float | None = 2.0
    removed_after_hours: float | None = None
    cannot_list: Exception | None = None

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.served: dict[str, Deployment] = {}
        self.asked: list[str] = []
        self.look: Callable[[], object] = lambda: None

    def hosting_terms(self, tier: str | None = None) -> HostingTerms:
        return HostingTerms(hourly_usd=self.hourly, billed_by="hour", removed_after_hours=self.removed_after_hours)

    def deployments(self) -> list[Deployment]:
        if self.cannot_list:
            raise self.cannot_list
        return list(self.served.values())

    def deploy(self, model: str, *, tier: str | None = None) -> Deployment:
        self.asked.append("deploy")
        self.look()
        if self.before:
            raise self.before.pop()
        made = self.served.setdefault("d1", Deployment(name="d1", model=model, hourly_usd=self.hourly, tier="standard"))
        if self.after:
            raise self.after.pop()
        return made

    def undeploy(self, model: str) -> None:
        self.asked.append("undeploy")
        if self.before:
            raise self.before.pop()
        self.served = {name: one for name, one in self.served.items() if one.model != model}


def with_a_model(bridge: Bridge, vendor: Serving) -> None:
    """Let the bridge have `vendor` as its provider, and one job there that has succeeded."""
    bridge._providers["local"] = vendor
    record = add(bridge.ledger, JOB)
    bridge.ledger.change(record, status=Status.SUCCEEDED, remote_id="r1", result=Result(model=MODEL))


def aged(bridge: Bridge, by: timedelta = timedelta(hours=24)) -> None:
    """What is open began so much earlier."""
    for row in open_deployments(bridge.ledger):
        change_deployment(bridge.ledger, row, began_at=row.began_at - by)
