"""`deploy` and `undeploy`, and how other commands show deployments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.job_status import short_time
from ftbridge.cli.output import AsJson, JobId, open_bridge, print_json, print_line, print_message, print_note

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.deployments.listing import DeploymentInfo


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (deploy, undeploy):
        app.command(rich_help_panel=group)(command)


def deploy(
    job: JobId,
    tier: Annotated[str | None, typer.Option(help="The vendor's deployment tier.")] = None,
    max_hours: Annotated[
        float | None,
        typer.Option(help="After so many hours a running `watch` undeploys the model, and `jobs` and `recover` warn."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Deploy the tuned model at a vendor that does not serve it by itself. Prints the price: it may be by the hour.

    Deploying it again changes only --max-hours.
    """
    made = open_bridge().deploy(job, tier=tier, max_hours=max_hours)
    if as_json:
        print_json(made.model_dump(mode="json"))
        return
    from ftbridge.deployments.wording import cost_words

    print_line(f"{made.name} serves {made.model}: {cost_words(made)}")
    if ends := _ends_at(made):
        print_message(
            f"`ftbridge watch` undeploys it at {ends}, if it runs then; `ftbridge undeploy {made.job}` does so now."
        )


def undeploy(job: JobId, as_json: AsJson = False) -> None:
    """Stop serving the tuned model, and paying for that. The vendor keeps the model."""
    bridge = open_bridge()
    tuned = bridge.job(job)
    ended = bridge.undeploy(tuned)
    tuned, past = bridge.job(tuned), bridge.past_deployments(tuned)
    model = tuned.result.model if tuned.result else None
    if as_json:
        last = past[-1].model_dump(mode="json") if past else None
        print_json({"model": model, "deployed": False, "undeployed": bool(ended), "deployment": last})
    elif ended:
        for info in ended:
            print_line(f"{model} is no longer served: {_ended(info)}")
    else:
        print_line(f"{tuned.id} was not deployed" + (f" any more: {_ended(past[-1])}" if past else ""))


def print_deployments(deployed: Iterable[DeploymentInfo]) -> None:
    """Print a line for each, and a warning for each that has been deployed for longer than planned."""
    from ftbridge.deployments.wording import cost_words, state_words, too_long

    for info in deployed:
        where = info.job or f"{info.model} (no job here)"
        print_note(f"{where} at {info.provider}: {state_words(info)}, {cost_words(info)}")
        if warning := too_long(info):
            print_message(f"note: {warning}", style="yellow")


def warn_of_deployments(bridge: Bridge) -> None:
    """Warn of models that have been deployed for longer than planned, and of others that are billed by the hour."""
    from ftbridge.deployments.wording import describe_cost, too_long

    for info in bridge.deployments():
        if warning := too_long(info) or ("" if info.max_hours else describe_cost(info)):
            print_message(f"note: {warning}", style="yellow")


def of_job(job_id: str, deployed: Iterable[DeploymentInfo]) -> list[DeploymentInfo]:
    """The deployments of one job."""
    return [info for info in deployed if info.job == job_id]


def current_deployment(deployed: Sequence[DeploymentInfo]) -> dict[str, Any] | None:
    """The newest one that has not ended, as `--json` prints it."""
    current = [info for info in deployed if info.ended_at is None]
    return current[-1].model_dump(mode="json") if current else None


def deployment_facts(deployed: Iterable[DeploymentInfo]) -> dict[str, str]:
    """What `show` prints of a job's deployments, by label; labels are numbered where there are several."""
    from ftbridge.deployments.wording import cost_words, state_words, too_long

    facts: dict[str, str] = {}
    for number, info in enumerate(deployed, start=1):
        suffix = "" if number == 1 else f" {number}"
        tier = f" ({info.tier})" if info.tier else ""
        since = f" since {short_time(info.began_at)}" if info.began_at else ""
        if info.ended_at:
            facts[f"deployment{suffix}"] = f"{info.name}{tier}{since}, {_ended(info)}"
            continue
        facts[f"deployment{suffix}"] = f"{info.name or info.model}{tier}: {state_words(info)}{since}"
        facts[f"hosting{suffix}"] = cost_words(info)
        if info.max_hours:
            facts[f"max hours{suffix}"] = too_long(info) or f"{info.max_hours:g}, until {_ends_at(info)}"
        if info.removed_at:
            facts[f"ends{suffix}"] = f"{short_time(info.removed_at)}, when {info.provider} removes it"
    return facts


def _ended(info: DeploymentInfo) -> str:
    """When it ended, and what it has cost."""
    from ftbridge.deployments.wording import describe_ended

    at = short_time(info.ended_at) if info.ended_at else ""
    return f"undeployed at {at} {describe_ended(info)}"


def _ends_at(info: DeploymentInfo) -> str:
    if not info.max_hours or info.began_at is None:
        return ""
    return short_time(info.began_at + timedelta(hours=info.max_hours))
