"""The command for what a crash left open: an unclear submission, or a ledger that is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.deploy import warn_of_deployments
from ftbridge.cli.output import UNCLEAR, AsJson, Exit, open_bridge, print_json, say, show
from ftbridge.cli.show import print_job
from ftbridge.cli.watch import standing
from ftbridge.errors import UsageError
from ftbridge.home import find_home
from ftbridge.model import Job, Status

if TYPE_CHECKING:
    from ftbridge.jobs.recovery.importing import Imported


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(recover)


def recover(
    job: Annotated[str | None, typer.Argument(help="Only this job; default: every job that was left open.")] = None,
    adopt: Annotated[
        str | None, typer.Option("--adopt", help="The vendor's ID of JOB, where a gateway has stripped its tag.")
    ] = None,
    from_vendors: Annotated[
        bool, typer.Option("--from-vendors", help="Fill a ledger that is lost or damaged from the vendors' lists.")
    ] = False,
    to: Annotated[
        list[str] | None, typer.Option(help="With --from-vendors: providers to ask; default: all that can be.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finish submitting what a crash or an unclear answer left open; the exit code is 4 while any job is unclear."""
    if to and not from_vendors:
        raise UsageError("--to says which vendors to ask", hint="It goes with --from-vendors.")
    if adopt and job is None:
        raise UsageError("--adopt needs the job", hint="Give both: `ftbridge recover JOB --adopt ID`.")
    if job and from_vendors:
        raise UsageError("--from-vendors reads the vendors' lists, and not one JOB", hint="Give one of the two.")
    if from_vendors:
        _make_room()
    bridge = open_bridge()
    if job and adopt:
        print_job(bridge.adopt(job, adopt), as_json=as_json)
        return
    warn_of_deployments(bridge)
    found = list(bridge.recover_from_vendors(to or ())) if from_vendors else []
    recovered = [*(adopted for one in found for adopted in one.adopted), *bridge.recover(job)]
    left = [one for one in bridge.jobs([job] if job else None) if one.status is Status.SUBMITTING or one.unclear]
    unclear = any(one.unclear for one in left)
    code = UNCLEAR if unclear else 1 if any(one.broken_off for one in found) else 0
    if as_json:
        document = {"jobs": _plain(recovered), "open": _plain(left)}
        vendors = [one.model_dump(mode="json", exclude={"adopted"}) | {"adopted": len(one.adopted)} for one in found]
        print_json(document | ({"vendors": vendors} if from_vendors else {}))
        raise Exit(code)
    for one in found:
        say(_sentence(one))
    if any(one.adopted for one in found):
        say("Vendors do not know your keys: an `--idempotency-key` used before would create a new job.")
    lines = [*map(standing, recovered), *map(_left_open, left)]
    show("\n".join(lines) or (standing(bridge.job(job)) if job else "Nothing was left open."))
    raise Exit(code)


def _plain(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [job.model_dump(mode="json", exclude={"spec"}) for job in jobs]


def _left_open(job: Job) -> str:
    from ftbridge.jobs.exactly_once.unclear import explain, next_steps

    return f"{job.id} is still unclear: {explain(job)}. {next_steps(job)}" if job.unclear else standing(job)


def _make_room() -> None:
    from ftbridge.ledger import set_aside_if_damaged

    if aside := set_aside_if_damaged(find_home()):
        say(f"The damaged ledger was moved to {aside}.")


def _sentence(found: Imported) -> str:
    if found.skipped is not None:
        return f"{found.provider} was not asked: {found.skipped}"
    counts = {"taken into the ledger": len(found.adopted), "in it already": found.known}
    said = ", ".join(f"{count} {what}" for what, count in counts.items())
    broken_off = f"; but its list broke off, run the same command again: {found.broken_off}" if found.broken_off else ""
    return f"{found.provider}: {said}, {found.foreign} not ftbridge's{broken_off}"
