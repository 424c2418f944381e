"""`import`: an account's own jobs, whoever made them, in this ledger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.output import AsJson, Exit, console, open_bridge, print_json, say, table
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.jobs.recovery.importing import Imported


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("import")(import_)


def import_(
    provider: Annotated[str, typer.Argument(help="Whose list of jobs is read: openai, together, …")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only jobs made since that day, in UTC.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be taken in, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take an account's own jobs into the ledger, whoever made them; the exit code is 1 where its list broke off."""
    found = open_bridge().import_jobs(provider, since=since.date() if since else None, dry_run=dry_run)
    if as_json:
        jobs = [job.model_dump(mode="json") for job in found.adopted]
        counts = found.model_dump(include={"provider", "known", "not_understood", "broken_off"})
        print_json({**counts, "dry_run": dry_run, "complete": found.broken_off is None, "jobs": jobs})
    else:
        _print(found, dry_run=dry_run)
    raise Exit(1 if found.broken_off else 0)


def _print(found: Imported, *, dry_run: bool) -> None:
    rows = [
        [job.id, f"{job.name}\n{job.target}" if job.name else job.target, str(job.status), f"{job.created_at:%Y-%m-%d}"]
        for job in found.adopted
    ]
    if rows:
        console().print(table(["job", "name and target", "status", "created"], rows, fold=1))
    taken = f"{counted(len(rows), 'job')} {'would be' if dry_run else 'now'} in the ledger, {found.known} before"
    say(f"{found.provider}: {taken}.")
    if found.not_understood:
        say(f"note: {counted(found.not_understood, 'job')} left out, by a method that ftbridge does not know")
    if found.broken_off:
        say(f"error: the list broke off, so there may be more: {found.broken_off}", style="bold red")
        say("       What was found is kept. Run the same command again.")
