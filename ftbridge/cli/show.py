"""`show`: one job in full, its request, progress, result, cost and deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.curves import draw, lines
from ftbridge.cli.deploy import current_deployment, deployment_facts
from ftbridge.cli.job_status import status_text
from ftbridge.cli.output import AsJson, JobId, console, number, open_bridge, print_json, print_line, table
from ftbridge.jobs.curves import read_curves
from ftbridge.jobs.training import Training
from ftbridge.model import Cost, Event, Job, Result
from ftbridge.wording import dollars

if TYPE_CHECKING:
    from ftbridge.deployments.listing import DeploymentInfo
    from ftbridge.migration.plan import MoveHistory


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command("show", rich_help_panel=group)(show_job)


def show_job(
    job: JobId,
    plot: Annotated[Path | None, typer.Option(help="Draw the loss curves into this file, .svg or .png.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show one job in full, with the curves of its losses."""
    from ftbridge.jobs.deleted import deletions

    bridge = open_bridge()
    [current] = bridge.refresh(job)
    events = bridge.events(current)
    curves = read_curves(events)
    if plot:
        draw(curves, f"{current.name or current.id}  {current.target}", plot)
    deployed = bridge.deployments(current)  # first, because it notices what has ended
    print_job(
        current,
        as_json=as_json,
        moves=bridge.moves(current),
        deployments=[*bridge.past_deployments(current), *deployed],
        deleted=deletions(events),
        training=Training.of(current, events),
    )
    if not as_json:
        for name, drawn in lines(curves).items():
            print_line(f"{name:16} {drawn}")


def print_job(
    job: Job,
    *,
    as_json: bool,
    moves: MoveHistory | None = None,
    deployments: Sequence[DeploymentInfo] = (),
    deleted: Sequence[Event] = (),
    training: Training | None = None,
) -> None:
    """Print one job, with its moves to and from other targets, its deployments, and what of it was deleted.

    `training` is what the provider reported of how it trains.
    """
    training = training or Training.of(job, ())
    if as_json:
        deployed = {"deployments": [info.model_dump(mode="json") for info in deployments]}
        current = {"deployment": current_deployment(deployments)}
        chosen = {"hyperparameters": training.hyperparameters, "trained": training.trained, "rows": training.rows}
        print_json(job.model_dump(mode="json") | chosen | (moves.model_dump() if moves else {}) | current | deployed)
        return
    facts = _facts(job, training)
    if moves:
        facts |= {"moved from": moves.moved_from, "moved to": ", ".join(moves.moved_to)}
    facts |= deployment_facts(deployments)
    told = (f"{_seconds(event.at)} {(event.message or '').removeprefix('deleted ')}" for event in deleted)
    facts["deleted"] = "\n".join(told)
    rows = [[name, value] for name, value in facts.items() if value not in (None, "")]
    console().print(table(["", ""], rows, fold=1))


def _facts(job: Job, training: Training) -> dict[str, Any]:
    used = training.hyperparameters.items()
    step, steps = job.latest.step, job.latest.total_steps
    measured = {
        "loss": job.latest.train_loss,
        "validation loss": job.latest.valid_loss,
        "reward": job.latest.train_reward,
        "validation reward": job.latest.valid_reward,
    }
    return {
        "job": job.id,
        "name": job.name,
        "target": job.target,
        "owner": job.owner,
        "home": job.home,
        "group": job.group,
        "status": status_text(job) + (f" ({job.raw_status})" if job.raw_status not in (None, job.status) else ""),
        "error": job.error,
        "data": str(job.spec.data),
        "validation": str(job.spec.validation or ""),
        "method": str(job.spec.method),
        "hyperparameters": ", ".join(f"{name} {of['value']} ({of['origin']})" for name, of in used),
        "trained": training.trained,
        "rows": training.rows,
        "steps": "" if step is None else f"{step} of {steps}" if steps else f"{step}",
        **{name: number(value) for name, value in measured.items() if value is not None},
        "created": _seconds(job.created_at),
        "finished": _seconds(job.finished_at) if job.finished_at else "",
        "model": job.result.model if job.result else "",
        "result": _origin(job.result) if job.result else "",
        **_costs(job.cost),
    }


def _seconds(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _origin(result: Result) -> str:
    """The step at which the model was saved; empty where the provider does not report it."""
    loss = f", validation loss {number(result.valid_loss)}" if result.valid_loss is not None else ""
    return "" if result.step is None else f"saved at step {result.step}{loss}"


def _costs(cost: Cost) -> dict[str, str]:
    """The estimate and what the vendor billed, in dollars and in tokens."""

    def both(estimate: str, actual: str) -> str:
        return "; ".join(filter(None, (estimate and f"estimated {estimate}", actual and f"billed {actual}")))

    high = cost.estimate_usd_high
    most = f" (at most {dollars(high)})" if high is not None and high != cost.estimate_usd else ""
    return {
        "cost": both(
            f"{dollars(cost.estimate_usd)}{most}" if cost.estimate_usd is not None else "",
            dollars(cost.actual_usd) if cost.actual_usd is not None else "",
        )
        or "not known",
        "tokens": both(
            f"{cost.estimate_tokens:,}" if cost.estimate_tokens is not None else "",
            f"{cost.billed_tokens:,}" if cost.billed_tokens is not None else "",
        ),
    }
