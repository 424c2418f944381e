"""`recover`: finishing submissions that a crash left unclear, and rebuilding a lost ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.deploy import warn_of_deployments
from ftbridge.cli.job_status import job_sentence
from ftbridge.cli.output import UNCLEAR, AsJson, Exit, open_bridge, print_json, print_line, print_message
from ftbridge.cli.show import print_job
from ftbridge.errors import UsageError
from ftbridge.home import find_home
from ftbridge.model import Job, Status

if TYPE_CHECKING:
    from ftbridge.jobs.recovery.importing import Imported


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(recover)


def recover(
    job: Annotated[
        str | None, typer.Argument(help="Only this job; default: every job that is open or unclear.")
    ] = None,
    adopt: Annotated[
        str | None, typer.Option("--adopt", help="The vendor's id of JOB, if a gateway has stripped its tag.")
    ] = None,
    from_vendors: Annotated[
        bool, typer.Option("--from-vendors", help="Rebuild a lost or damaged ledger from the vendors' lists of jobs.")
    ] = False,
    provider: Annotated[
        list[str] | None, typer.Option(help="With --from-vendors: the providers to list; default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finish submissions that a crash or an unclear answer left open. The exit code is 4 while a job is unclear."""
    if provider and not from_vendors:
        raise UsageError("--provider is only used with --from-vendors", hint="Give --from-vendors as well.")
    if adopt and job is None:
        raise UsageError("--adopt needs the job", hint="Give both: `ftbridge recover JOB --adopt ID`.")
    if job and from_vendors:
        raise UsageError("--from-vendors is for all jobs, and JOB is only one", hint="Give one of the two.")
    if from_vendors:
        _move_damaged_ledger()
    bridge = open_bridge()
    if job and adopt:
        print_job(bridge.adopt(job, adopt), as_json=as_json)
        return
    chosen = bridge.job(job) if job else None
    warn_of_deployments(bridge)
    lists = list(bridge.recover_from_vendors(provider or ())) if from_vendors else []
    recovered = [*(adopted for one in lists for adopted in one.adopted), *bridge.recover(chosen)]
    current = bridge.jobs([chosen] if chosen else None)
    unfinished = [one for one in current if one.status is Status.SUBMITTING or one.unclear]
    is_incomplete = any(one.broken_off for one in lists)
    code = UNCLEAR if any(one.unclear for one in unfinished) else 1 if is_incomplete else 0
    if as_json:
        document = {"jobs": _plain(recovered), "open": _plain(unfinished)}
        vendors = [one.model_dump(mode="json", exclude={"adopted"}) | {"adopted": len(one.adopted)} for one in lists]
        print_json(document | ({"vendors": vendors} if from_vendors else {}))
        raise Exit(code)
    for one in lists:
        print_message(_sentence(one))
    if any(one.adopted for one in lists):
        print_message("Vendors do not know idempotency keys: a key that was used before would create a new job.")
    lines = [*map(job_sentence, recovered), *map(_unfinished, unfinished)]
    print_line("\n".join(lines) or (job_sentence(bridge.job(chosen)) if chosen else "There is nothing to recover."))
    raise Exit(code)


def _plain(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [job.model_dump(mode="json", exclude={"spec"}) for job in jobs]


def _unfinished(job: Job) -> str:
    from ftbridge.jobs.exactly_once.explain_unclear import explain, next_steps

    return f"{job.id} is still unclear: {explain(job)}. {next_steps(job)}" if job.unclear else job_sentence(job)


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
