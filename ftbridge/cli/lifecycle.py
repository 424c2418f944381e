"""`lifecycle`: what is going to end, by date, and what is deployed and costs until somebody ends it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.catalogue import today
from ftbridge.cli.output import AsJson, console, narrow, open_bridge, print_json, say, show, table
from ftbridge.cli.watch import clock
from ftbridge.wording import dollars

if TYPE_CHECKING:
    from rich.table import Table

    from ftbridge.deployments.listing import DeploymentInfo
    from ftbridge.migration.lifecycle import Ending


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(lifecycle)


def lifecycle(
    offline: Annotated[bool, typer.Option("--offline", help="Ask no vendor what it has and serves.")] = False,
    as_json: AsJson = False,
) -> None:
    """All jobs and tuned models that are going to end, by date, and all that are deployed, with what they cost."""
    bridge = open_bridge()
    found = bridge.lifecycle(offline=offline)
    deployed = bridge.deployments(offline=offline, everywhere=True)
    if as_json:
        endings = [ending.model_dump(mode="json") for ending in found]
        print_json({"endings": endings, "deployments": [info.model_dump(mode="json") for info in deployed]})
        return
    if found:
        console().print(_endings(found))
    else:
        show("Nothing is known to end.")
    if deployed:
        console().print(_deployments(deployed))
        say("`ftbridge undeploy JOB` ends a deployment, and what it costs; the model is kept.")
    if found:
        say("`ftbridge migrate PROVIDER:NAME --to T` plans the same job elsewhere, by its model's name too.")


def _endings(found: Sequence[Ending]) -> Table:
    rows = [
        [
            str(ending.closes_on),
            f"{days}" if (days := (ending.closes_on - today()).days) >= 0 else "ended",
            ending.what,
            f"{ending.name}" if ending.job in (None, ending.name) else f"{ending.name}  ({ending.job})",
        ]
        for ending in found
    ]
    return table(["ends on", "days", "what", "name"], rows, right=(1,), fold=3)


def _deployments(found: Sequence[DeploymentInfo]) -> Table:
    """A row for each deployment; where there is little room, a job's is called by the job alone."""
    headers = ["deployed since", "what", "an hour", "so far", "a month", *([] if narrow() else ["tier", "ends"])]
    rows = [_row(info, _called(info, whole=not narrow()))[: len(headers)] for info in found]
    return table(headers, rows, right=(2, 3, 4), fold=1)


def _called(info: DeploymentInfo, *, whole: bool) -> str:
    if info.job and not whole:
        return f"{info.job} at {info.provider}"
    return f"{info.name or info.model}  ({info.job or f'{info.provider}, of no job here'})"


def _row(info: DeploymentInfo, called: str) -> list[str]:
    return [
        clock(info.began_at) if info.began_at else "?",
        called,
        _dollars(info.hourly_usd),
        _dollars(info.cost_usd),
        _dollars(info.monthly_usd),
        info.tier or "",
        clock(info.removed_at) if info.removed_at else "",
    ]


def _dollars(usd: float | None) -> str:
    return "?" if usd is None else dollars(usd)
