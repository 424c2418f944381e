"""`recover`: finishing submissions that a crash left unclear, and rebuilding a lost ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.deploy import warn_of_deployments
from ftbridge.cli.job_status import job_sentence
from ftbridge.cli.output import AsJson, Exit, open_bridge, print_json, print_line, print_message
from ftbridge.cli.show import print_job
from ftbridge.errors import UsageError
from ftbridge.home import find_home
from ftbridge.model import Job, Status, now

if TYPE_CHECKING:
    from ftbridge.jobs.recovery.importing import Imported


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(recover)


def recover(
    job: Annotated[str | None, typer.Argument(help="With --adopt: the job in the ledger.")] = None,
    adopt: Annotated[
        str | None, typer.Option("--adopt", help="The vendor's id of the job, if a gateway has stripped its tag.")
    ] = None,
    from_vendors: Annotated[
        bool, typer.Option("--from-vendors", help="Rebuild a lost or damaged ledger from the vendors' lists of jobs.")
    ] = False,
    provider: Annotated[
        list[str] | None, typer.Option(help="With --from-vendors: the providers to list; default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finish submissions that a crash or an unclear answer left open. The exit code is 1 while a job is unclear."""
    if provider and not from_vendors:
        raise UsageError("--provider is only used with --from-vendors", hint="Give --from-vendors as well.")
    if (job is None) != (adopt is None):
        raise UsageError("JOB and --adopt ID go together", hint="Give both: `ftbridge recover JOB --adopt ID`.")
    if from_vendors:
        _move_damaged_ledger()
    bridge = open_bridge()
    if job and adopt:
        print_job(bridge.adopt(job, adopt), as_json=as_json)
        return
    warn_of_deployments(bridge)
    lists = list(bridge.recover_from_vendors(provider or ())) if from_vendors else []
    recovered = [*(job for one in lists for job in one.adopted), *bridge.recover()]
    submitting = [job for job in bridge.jobs() if job.status is Status.SUBMITTING]
    unproved = bridge.unproved()
    code = 1 if unproved or any(job.unclear_until for job in submitting) or any(one.broken_off for one in lists) else 0
    if as_json:
        document = {"jobs": _plain(recovered), "open": _plain([*submitting, *unproved])}
        vendors = [one.model_dump(mode="json", exclude={"adopted"}) | {"adopted": len(one.adopted)} for one in lists]
        print_json(document | ({"vendors": vendors} if from_vendors else {}))
        raise Exit(code)
    for one in lists:
        print_message(_sentence(one))
    if any(one.adopted for one in lists):
        print_message("Vendors do not know idempotency keys: a key that was used before would create a new job.")
    lines = [*map(job_sentence, recovered), *map(_still_submitting, submitting), *map(_unproved, unproved)]
    print_line("\n".join(lines) or "There is nothing to recover.")
    raise Exit(code)


def _plain(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [job.model_dump(mode="json", exclude={"spec"}) for job in jobs]


def _still_submitting(job: Job) -> str:
    if not job.unclear_until or job.unclear_until < now():
        return job_sentence(job)
    time = f"{job.unclear_until.astimezone():%H:%M:%S}"
    return f"{job.id} is still unclear: run `ftbridge recover` again after {time}, or run `ftbridge watch`"


def _unproved(job: Job) -> str:
    return f"{job.id} is {job.status}, but its vendor may have it: run `ftbridge recover` again in a minute"


def _move_damaged_ledger() -> None:
    from ftbridge.ledger import set_aside_if_damaged

    if aside := set_aside_if_damaged(find_home()):
        print_message(f"The damaged ledger was moved to {aside}.")


def _sentence(listed: Imported) -> str:
    if listed.skipped is not None:
        return f"{listed.provider} was not listed: {listed.skipped}"
    counts = f"{len(listed.adopted)} added to the ledger, {listed.known} in it before, {listed.foreign} not ftbridge's"
    problem = f"; its list is incomplete, run the same command again: {listed.broken_off}" if listed.broken_off else ""
    return f"{listed.provider}: {counts}{problem}"
