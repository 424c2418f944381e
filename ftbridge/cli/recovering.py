"""The command for what a crash left open: an unclear submission, or a ledger that is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.output import AsJson, open_bridge, print_json, say, show
from ftbridge.errors import UsageError
from ftbridge.home import find_home

if TYPE_CHECKING:
    from ftbridge.bridge import Found


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(recover)


def recover(
    from_vendors: Annotated[
        bool, typer.Option("--from-vendors", help="Fill a ledger that is lost or damaged from the vendors' lists.")
    ] = False,
    to: Annotated[
        list[str] | None, typer.Option(help="With --from-vendors: providers to ask; default: all that can be.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Finish submitting what a crash or an unclear answer left open."""
    if to and not from_vendors:
        raise UsageError("--to says which vendors to ask", hint="It goes with --from-vendors.")
    if from_vendors:
        _make_room()
    bridge = open_bridge()
    found = list(bridge.recover_from_vendors(to or ())) if from_vendors else []
    recovered = [*(job for one in found for job in one.adopted), *bridge.recover()]
    if as_json:
        vendors = [one.model_dump(mode="json", exclude={"adopted"}) | {"adopted": len(one.adopted)} for one in found]
        jobs = [job.model_dump(mode="json", exclude={"spec"}) for job in recovered]
        print_json({"jobs": jobs, **({"vendors": vendors} if from_vendors else {})})
        return
    for one in found:
        say(_sentence(one))
    if any(one.adopted for one in found):
        say("Vendors do not know your keys: a `--key` used before would make a new job.")
    show("\n".join(f"{job.id} is {job.status}" for job in recovered) or "Nothing was left open.")


def _make_room() -> None:
    from ftbridge.ledger import set_aside_if_damaged

    if aside := set_aside_if_damaged(find_home()):
        say(f"The damaged ledger was moved to {aside}.")


def _sentence(found: Found) -> str:
    if found.skipped is not None:
        return f"{found.provider} was not asked: {found.skipped}"
    counts = {"taken into the ledger": len(found.adopted), "in it already": found.known}
    said = ", ".join(f"{count} {what}" for what, count in counts.items())
    return f"{found.provider}: {said}, {found.foreign} not ftbridge's"
