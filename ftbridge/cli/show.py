"""One job, whole: what was asked for, how far it is, what it gives, what it costs, and where it is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ftbridge.cli.deploy import current_deployment, deployment_facts
from ftbridge.cli.output import console, number, print_json, table
from ftbridge.cli.watch import waits
from ftbridge.model import Cost, Job, Result
from ftbridge.wording import dollars

if TYPE_CHECKING:
    from ftbridge.deployments.listing import DeploymentInfo
    from ftbridge.migration.plan import MoveHistory


def print_job(
    job: Job, *, as_json: bool, moves: MoveHistory | None = None, deployments: Sequence[DeploymentInfo] = ()
) -> None:
    """One job, for people or programs, with its moves to and from other targets, and its deployments."""
    if as_json:
        deployed = {"deployments": [info.model_dump(mode="json") for info in deployments]}
        current = {"deployment": current_deployment(deployments)}
        print_json(job.model_dump(mode="json") | (moves.model_dump() if moves else {}) | current | deployed)
        return
    facts = _facts(job)
    if moves:
        facts |= {"moved from": moves.moved_from, "moved to": ", ".join(moves.moved_to)}
    facts |= deployment_facts(deployments)
    rows = [[name, value] for name, value in facts.items() if value not in (None, "")]
    console().print(table(["", ""], rows, fold=1))


def _facts(job: Job) -> dict[str, Any]:
    given = ", ".join(f"{name} {value}" for name, value in job.spec.hyperparameters.given().items())
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
        "group": job.group,
        "status": f"{job.status}" + (f" ({job.raw_status})" if job.raw_status not in (None, job.status) else ""),
        "queue": waits(job),
        "unclear until": f"{job.unclear_until.astimezone():%H:%M:%S}" if job.unclear_until else "",
        "error": job.error,
        "data": str(job.spec.data),
        "validation": str(job.spec.validation or ""),
        "method": str(job.spec.method),
        "hyperparameters": given,
        "steps": "" if step is None else f"{step} of {steps}" if steps else f"{step}",
        **{name: number(figure) for name, figure in measured.items() if figure is not None},
        "created": job.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "finished": job.finished_at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if job.finished_at else "",
        "model": job.result.model if job.result else "",
        "result": _kept(job.result) if job.result else "",
        **_costs(job.cost),
    }


def _kept(result: Result) -> str:
    """Which step the model is of, in words; empty where the provider does not tell."""
    loss = f", validation loss {number(result.valid_loss)}" if result.valid_loss is not None else ""
    return "" if result.step is None else f"as after step {result.step}{loss}"


def _costs(cost: Cost) -> dict[str, str]:
    """The estimate against what the vendor has told, in dollars and tokens; empty where neither is known."""

    def told(estimate: str, actual: str) -> str:
        return "; ".join(filter(None, (estimate and f"estimated {estimate}", actual and f"billed {actual}")))

    high = cost.estimate_usd_high
    most = f" (at most {dollars(high)})" if high is not None and high != cost.estimate_usd else ""
    return {
        "cost": told(
            f"{dollars(cost.estimate_usd)}{most}" if cost.estimate_usd is not None else "",
            dollars(cost.actual_usd) if cost.actual_usd is not None else "",
        ),
        "tokens": told(
            f"{cost.estimate_tokens:,}" if cost.estimate_tokens is not None else "",
            f"{cost.billed_tokens:,}" if cost.billed_tokens is not None else "",
        ),
    }
