"""The facts of a job as names and values, by group."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from ftbridge.jobs.training import Training
from ftbridge.model import Cost, Job
from ftbridge.report.gather import DataFacts, JobFacts
from ftbridge.wording import counted, dollars

Facts: TypeAlias = dict[str, str]

METHODS = {
    "sft": "supervised",
    "dpo": "preferences (DPO)",
    "rft": "reinforcement",
    "distill": "a teacher's probabilities",
}
"""How a model learns, in words."""


def facts_of(facts: JobFacts) -> dict[str, Facts]:
    """By heading, what is known; a group of which nothing is known is left out."""
    job, training = facts.job, Training.of(facts.job, facts.events)
    groups: dict[str, Mapping[str, str | None]] = {
        "Job": {
            "id": job.id,
            "name": job.name,
            "target": job.target,
            "method": METHODS.get(job.spec.method, str(job.spec.method)),
            "status": str(job.status) + (f": {job.error}" if job.error else ""),
            "submitted": moment(job.created_at),
            "finished": moment(job.finished_at),
            "took": duration(job),
            "submitted by": job.owner,
            "group": job.group,
        },
        "Data": {**_data("training", facts.training), **_data("validation", facts.validation), "as sent": _sent(facts)},
        "Training": {
            "hyperparameters": "\n".join(_hyperparameters(training.hyperparameters)),
            "weights": training.trained,
            "steps": _steps(job),
            "rows": training.rows,
        },
        "Result": {
            "model": job.result.model if job.result else None,
            "from step": None if job.result is None or job.result.step is None else f"{job.result.step:,}",
        },
        "Cost": costs(job.cost),
    }
    known = {name: {key: value for key, value in group.items() if value} for name, group in groups.items()}
    return {name: group for name, group in known.items() if group}


def costs(cost: Cost) -> Facts:
    """Dollars and tokens, estimated and billed."""
    most = cost.estimate_usd_high
    up_to = f", at most {dollars(most)}" if most is not None and most != cost.estimate_usd else ""
    return {
        "estimated": "not known" if cost.estimate_usd is None else f"{dollars(cost.estimate_usd)}{up_to}",
        "billed": "not known" if cost.actual_usd is None else dollars(cost.actual_usd),
        "tokens estimated": "" if cost.estimate_tokens is None else f"{cost.estimate_tokens:,}",
        "tokens billed": "" if cost.billed_tokens is None else f"{cost.billed_tokens:,}",
    }


def cost_in_short(cost: Cost) -> str:
    """What was billed, or else the estimate; empty where neither is known."""
    if cost.actual_usd is not None:
        return dollars(cost.actual_usd)
    return "" if cost.estimate_usd is None else f"about {dollars(cost.estimate_usd)}"


def moment(at: datetime | None) -> str:
    """A time in UTC, to the minute."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def duration(job: Job) -> str:
    """From its submission to its end, in its two largest units."""
    if job.finished_at is None:
        return ""
    seconds = max(0, round((job.finished_at - job.created_at) / timedelta(seconds=1)))
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds} s"


def _data(what: str, data: DataFacts | None) -> Mapping[str, str]:
    if data is None:
        return {}
    if data.rows is None:
        return {f"{what} file": f"{data.name} ({data.problem})"}
    since = "; written again since the job was submitted" if data.changed else ""
    return {f"{what} file": f"{data.name} ({counted(data.rows, 'row')}{since})", f"{what} SHA-256": data.sha256 or ""}


def _sent(facts: JobFacts) -> str:
    return f"XXH3-128 {facts.sent}" if facts.sent else ""


def _hyperparameters(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [f"{name} {of['value']} ({of['origin']})" for name, of in found.items()]


def _steps(job: Job) -> str:
    step, steps = job.latest.step, job.latest.total_steps
    if step is None:
        return ""
    return f"{step:,} of {steps:,}" if steps else f"{step:,}"
