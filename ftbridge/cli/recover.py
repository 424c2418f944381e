"""The command for what a crash left open: an unclear submission, or a ledger that is lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.deploy import warn_of_deployments
from ftbridge.cli.output import AsJson, Exit, open_bridge, print_json, say, show
from ftbridge.cli.show import print_job
from ftbridge.cli.watch import standing
from ftbridge.errors import UsageError
from ftbridge.home import find_home
from ftbridge.model import Job, Status, now

if TYPE_CHECKING:
    from ftbridge.jobs.recovery.importing import Imported


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(recover)


def recover(
    job: Annotated[str | None, typer.Argument(help="With --adopt: the job that was requested.")] = None,
    adopt: Annotated[
        str | None, typer.Option("--adopt", help="The vendor's id of the job, where a gateway has stripped its tag.")
    ] = None,
    from_vendors: Annotated[
        bool, typer.Option("--from-vendors", help="Fill a ledger that is lost or damaged from the vendors' lists.")
    ] = False,
    to: Annotated[
        list[str] | None, typer.Option(help="With --from-vendors: providers to ask; default: all that can be.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finish submitting what a crash or an unclear answer left open; the exit code is 1 while any job is unclear."""
    if to and not from_vendors:
        raise UsageError("--to says which vendors to ask", hint="It goes with --from-vendors.")
    if (job is None) != (adopt is None):
        raise UsageError("JOB and --adopt ID go together", hint="Give both: `ftbridge recover JOB --adopt ID`.")
    if from_vendors:
        _make_room()
    bridge = open_bridge()
    if job and adopt:
        print_job(bridge.adopt(job, adopt), as_json=as_json)
        return
    warn_of_deployments(bridge)
    found = list(bridge.recover_from_vendors(to or ())) if from_vendors else []
    recovered = [*(job for one in found for job in one.adopted), *bridge.recover()]
    left = [job for job in bridge.jobs() if job.status is Status.SUBMITTING]
    unproved = bridge.unproved()
    code = 1 if unproved or any(job.unclear_until for job in left) or any(one.broken_off for one in found) else 0
    if as_json:
        document = {"jobs": _plain(recovered), "open": _plain([*left, *unproved])}
        vendors = [one.model_dump(mode="json", exclude={"adopted"}) | {"adopted": len(one.adopted)} for one in found]
        print_json(document | ({"vendors": vendors} if from_vendors else {}))
        raise Exit(code)
    for one in found:
        say(_sentence(one))
    if any(one.adopted for one in found):
        say("Vendors do not know your keys: a `--key` used before would make a new job.")
    lines = [*map(standing, recovered), *map(_left_open, left), *map(_unproved, unproved)]
    show("\n".join(lines) or "Nothing was left open.")
    raise Exit(code)


def _plain(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [job.model_dump(mode="json", exclude={"spec"}) for job in jobs]


def _left_open(job: Job) -> str:
    if not job.unclear_until or job.unclear_until < now():
        return standing(job)
    from_then = f"from {job.unclear_until.astimezone():%H:%M:%S}"
    return f"{job.id} is still unclear: look again {from_then}, or let `ftbridge watch` do so by itself"


def _unproved(job: Job) -> str:
    return f"{job.id} is {job.status}, and its vendor may have it all the same: look again in a minute"


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
