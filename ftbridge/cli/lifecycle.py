"""`lifecycle`: what ends when, and what is deployed and billed until it is undeployed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.catalogue import today
from ftbridge.cli.job_status import short_time
from ftbridge.cli.output import AsJson, console, narrow, open_bridge, print_json, print_line, print_message, table
from ftbridge.wording import dollars

if TYPE_CHECKING:
    from rich.table import Table

    from ftbridge.deployments.listing import DeploymentInfo
    from ftbridge.migration.lifecycle import Ending


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(lifecycle)


def lifecycle(
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the vendors which models they have and serve.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the jobs and tuned models that end, by date, and the deployed models with their cost."""
    bridge = open_bridge()
    endings = bridge.lifecycle(offline=offline)
    deployed = bridge.deployments(offline=offline, everywhere=True)
    if as_json:
        documents = [ending.model_dump(mode="json") for ending in endings]
        print_json({"endings": documents, "deployments": [info.model_dump(mode="json") for info in deployed]})
        return
    if endings:
        console().print(_endings(endings))
    else:
        print_line("No end date is known for any job or model.")
    if deployed:
        console().print(_deployments(deployed))
        print_message("`ftbridge undeploy JOB` ends a deployment and its cost; the model is kept.")
    if endings:
        print_message(
            "`ftbridge migrate PROVIDER:NAME --to TARGET` plans the same job elsewhere; NAME is a job or its model."
        )


def _endings(endings: Sequence[Ending]) -> Table:
    rows = [
        [
            str(ending.closes_on),
            f"{days}" if (days := (ending.closes_on - today()).days) >= 0 else "ended",
            ending.what,
            f"{ending.name}" if ending.job in (None, ending.name) else f"{ending.name}  ({ending.job})",
        ]
        for ending in endings
    ]
    return table(["ends on", "days", "what", "name"], rows, right=(1,), fold=3)


def _deployments(deployed: Sequence[DeploymentInfo]) -> Table:
    """A row for each deployment; on a narrow terminal a job's deployment is named by the job alone."""
    headers = ["deployed since", "what", "an hour", "so far", "a month", *([] if narrow() else ["tier", "ends"])]
    rows = [_row(info, _name(info, whole=not narrow()))[: len(headers)] for info in deployed]
    return table(headers, rows, right=(2, 3, 4), fold=1)


def _name(info: DeploymentInfo, *, whole: bool) -> str:
    if info.job and not whole:
        return f"{info.job} at {info.provider}"
    return f"{info.name or info.model}  ({info.job or f'{info.provider}, no job here'})"


def _row(info: DeploymentInfo, name: str) -> list[str]:
    return [
        short_time(info.began_at) if info.began_at else "?",
        name,
        _dollars(info.hourly_usd),
        _dollars(info.cost_usd),
        _dollars(info.monthly_usd),
        info.tier or "",
        short_time(info.removed_at) if info.removed_at else "",
    ]


def _dollars(usd: float | None) -> str:
    return "?" if usd is None else dollars(usd)
