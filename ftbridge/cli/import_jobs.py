"""`import`: an account's existing jobs, whoever created them, into this ledger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.output import AsJson, Exit, console, open_bridge, print_json, print_message, table
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.jobs.recovery.importing import Imported


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command("import", rich_help_panel=group)(import_)


def import_(
    provider: Annotated[str, typer.Argument(help="The provider whose jobs are listed: openai, together, …")],
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only jobs created since this day, in UTC.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be imported, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import an account's existing jobs, whoever created them. The exit code is 1 if the list is incomplete."""
    listed = open_bridge().import_jobs(provider, since=since.date() if since else None, dry_run=dry_run)
    if as_json:
        jobs = [job.model_dump(mode="json") for job in listed.adopted]
        counts = listed.model_dump(include={"provider", "known", "not_understood", "broken_off"})
        print_json({**counts, "dry_run": dry_run, "complete": listed.broken_off is None, "jobs": jobs})
    else:
        _print(listed, dry_run=dry_run)
    raise Exit(1 if listed.broken_off else 0)


def _print(listed: Imported, *, dry_run: bool) -> None:
    rows = [
        [job.id, f"{job.name}\n{job.target}" if job.name else job.target, str(job.status), f"{job.created_at:%Y-%m-%d}"]
        for job in listed.adopted
    ]
    if rows:
        console().print(table(["job", "name and target", "status", "created"], rows, fold=1))
    taken = (
        f"{counted(len(rows), 'job')} {'to import' if dry_run else 'imported'}, {listed.known} already in the ledger"
    )
    print_message(f"{listed.provider}: {taken}.")
    if listed.not_understood:
        print_message(
            f"note: {counted(listed.not_understood, 'job')} skipped, because ftbridge does not know their method"
        )
    if listed.broken_off:
        print_message(
            f"error: the list is incomplete, and there may be more jobs: {listed.broken_off}", style="bold red"
        )
        print_message("       The jobs listed so far are kept. Run the same command again.")
