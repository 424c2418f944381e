"""`deploy` and `undeploy`, and how deployments are shown elsewhere: what is served, since when, at what price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.output import AsJson, JobId, open_bridge, print_json, say, show, show_note
from ftbridge.cli.watch import clock

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.deployments.listing import DeploymentInfo


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (deploy, undeploy):
        app.command()(command)


def deploy(
    job: JobId,
    tier: Annotated[str | None, typer.Option(help="How it is served, in the vendor's own word.")] = None,
    max_hours: Annotated[
        float | None,
        typer.Option(help="After so many hours `jobs` and `recover` warn, and a running `watch` takes it down."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have the vendor serve the tuned model, where it does not by itself. It may cost by the hour: the price is said.

    Deploying again changes nothing but --max-hours.
    """
    made = open_bridge().deploy(job, tier=tier, max_hours=max_hours)
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    from ftbridge.deployments.wording import cost_words

    show(f"{made.name} serves {made.model}: {cost_words(made)}")
    if ends := _taken_down_at(made):
        say(f"`ftbridge watch` takes it down at {ends}, if it runs then; `ftbridge undeploy {made.job}` does it now.")


def undeploy(job: JobId, as_json: AsJson = False) -> None:
    """Stop serving the tuned model, and paying for that; the vendor keeps it."""
    bridge = open_bridge()
    ended = bridge.undeploy(job)
    found, past = bridge.job(job), bridge.past_deployments(job)
    model = found.result.model if found.result else None
    if as_json:
        last = past[-1].model_dump(mode="json") if past else None
        print_json({"model": model, "deployed": False, "undeployed": bool(ended), "deployment": last})
    elif ended:
        for info in ended:
            show(f"{model} is no longer served: {_ended(info)}")
    else:
        show(f"{found.id} was not deployed" + (f" any more: {_ended(past[-1])}" if past else ""))


def show_deployments(deployed: Iterable[DeploymentInfo]) -> None:
    """A line for each that is there, and for each that is there for too long a warning."""
    from ftbridge.deployments.wording import cost_words, state_words, too_long

    for info in deployed:
        where = info.job or f"{info.model} (of no job here)"
        show_note(f"{where} at {info.provider}: {state_words(info)}, {cost_words(info)}")
        if warning := too_long(info):
            say(f"note: {warning}", style="yellow")


def warn_of_deployments(bridge: Bridge) -> None:
    """Say which models are deployed for longer than they were to be, and that others cost by the hour."""
    from ftbridge.deployments.wording import describe_cost, too_long

    for info in bridge.deployments():
        if warning := too_long(info) or ("" if info.max_hours else describe_cost(info)):
            say(f"note: {warning}", style="yellow")


def of_job(job_id: str, deployed: Iterable[DeploymentInfo]) -> list[DeploymentInfo]:
    """The deployments of one job."""
    return [info for info in deployed if info.job == job_id]


def current_deployment(deployed: Sequence[DeploymentInfo]) -> dict[str, Any] | None:
    """The newest one that is there, as `--json` prints it."""
    there = [info for info in deployed if info.ended_at is None]
    return there[-1].model_dump(mode="json") if there else None


def deployment_facts(deployed: Iterable[DeploymentInfo]) -> dict[str, str]:
    """What `show` tells of a job's deployments, by what it is called; numbered where there are several."""
    from ftbridge.deployments.wording import cost_words, state_words, too_long

    facts: dict[str, str] = {}
    for number, info in enumerate(deployed, start=1):
        end = "" if number == 1 else f" {number}"
        tier = f" ({info.tier})" if info.tier else ""
        since = f" since {clock(info.began_at)}" if info.began_at else ""
        if info.ended_at:
            facts[f"deployment{end}"] = f"{info.name}{tier}{since}, {_ended(info)}"
            continue
        facts[f"deployment{end}"] = f"{info.name or info.model}{tier}: {state_words(info)}{since}"
        facts[f"hosting{end}"] = cost_words(info)
        if info.max_hours:
            facts[f"max hours{end}"] = too_long(info) or f"{info.max_hours:g}, until {_taken_down_at(info)}"
        if info.removed_at:
            facts[f"ends{end}"] = f"{clock(info.removed_at)}, when {info.provider} removes it"
    return facts


def _ended(info: DeploymentInfo) -> str:
    """When one ended, and what it has cost."""
    from ftbridge.deployments.wording import describe_ended

    at = f"{info.ended_at.astimezone():%m-%d %H:%M}" if info.ended_at else ""
    return f"undeployed at {at} {describe_ended(info)}"


def _taken_down_at(info: DeploymentInfo) -> str:
    if not info.max_hours or info.began_at is None:
        return ""
    return clock(info.began_at + timedelta(hours=info.max_hours))
