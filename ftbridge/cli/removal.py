"""`prune` and `delete`: what of a job is removed, here and at its vendor, with a receipt."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.arguments import read_age
from ftbridge.cli.output import (
    AsJson,
    Exit,
    JobId,
    Yes,
    check_that_one_can_ask,
    console,
    open_bridge,
    print_json,
    print_line,
    print_note,
    table,
)
from ftbridge.errors import UsageError
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.removal.receipt import Receipt, Removal

DryRun = Annotated[bool, typer.Option("--dry-run", help="List what would be removed, and remove nothing.")]
_BYTES = 1000.0


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (delete, prune):
        app.command(rich_help_panel=group)(command)


def prune(
    older_than: Annotated[
        str | None,
        typer.Option(help="Only of jobs that have been over for so long, such as 30d; m, h, d and w are understood."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove what no job needs any more from this machine: training data, caches and checkpoints of jobs that are over.

    Results stay, and so does everything of a job that is open or unclear. A failed job that can be resumed keeps its
    data for a week, unless --older-than says otherwise.
    """
    age = _age(older_than) if older_than is not None else None
    _print(open_bridge().prune(older_than=age, dry_run=dry_run), as_json=as_json)


def delete(
    job: JobId,
    at_vendor: Annotated[
        bool, typer.Option("--at-vendor", help="Also the vendor's files, checkpoints and model, for good.")
    ] = False,
    result: Annotated[
        bool, typer.Option("--result", help="Also the result of a job that was trained on this machine.")
    ] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove the data and checkpoints of a job that is over, here and, with --at-vendor, at its vendor.

    The job stays in the list, with its cost and what was deleted. What could not be deleted is said, and the same
    command goes on with it.
    """
    bridge = open_bridge()
    if not yes:
        planned = bridge.delete(job, at_vendor=at_vendor, result=result, dry_run=True)
        if dry_run:
            _print(planned, as_json=as_json)
            return
        check_that_one_can_ask("deleting", "Give --yes, or --dry-run to see what would go.", as_json=as_json)
        _print(planned, as_json=False, ends=False)
        count = sum(item.outcome == "to be removed" for item in planned.items)
        if not count:
            return
        typer.confirm("Delete it?" if count == 1 else "Delete them?", abort=True)
    elif dry_run:
        raise UsageError("--yes and --dry-run contradict each other", hint="Give one of the two.")
    _print(bridge.delete(job, at_vendor=at_vendor, result=result), as_json=as_json)


def _print(receipt: Receipt, *, as_json: bool, ends: bool = True) -> None:
    """Print the receipt, and exit with 1 where something is left that should be gone."""
    if as_json:
        unfinished = len(receipt.unfinished)
        print_json({**receipt.model_dump(mode="json"), "bytes": receipt.bytes, "unfinished": unfinished})
    else:
        _print_table(receipt)
    if ends and receipt.unfinished:
        raise Exit(1)


def _print_table(receipt: Receipt) -> None:
    if not receipt.items:
        print_line("Nothing is left to remove.")
        return
    headers = ["job", "what", "size", "outcome"]
    console().print(table(headers, [_row(item) for item in receipt.items], right=(2,), fold=1))
    for why in dict.fromkeys(f"{item.name}: {item.why}" for item in receipt.items if item.why):
        print_note(why)
    counts = Counter[str](item.outcome for item in receipt.items)
    done, verb = ("to be removed", "would be removed") if receipt.dry_run else ("removed", "removed")
    gone = f"; {counts['gone']} already gone" if counts["gone"] else ""
    print_line(f"{counted(counts[done], 'item')} {verb}, {_size(receipt.bytes)} on this machine{gone}.")


def _row(item: Removal) -> list[str]:
    from ftbridge.removal.receipt import WORDS

    name = f"{item.name} at {item.at}" if item.at else Path(item.name).name
    size = "" if item.bytes is None else _size(item.bytes)
    outcome = "already gone" if item.outcome == "gone" else item.outcome
    return [item.job or "", f"{WORDS[item.kind]} {name}", size, outcome]


def _size(count: float) -> str:
    """Bytes for people, by powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < _BYTES:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _BYTES
    return f"{count:.1f} TB"


def _age(text: str) -> timedelta:
    """Raises `UsageError` for what is not an age."""
    age = read_age(text)
    if age is None:
        hint = "Write a number and m, h, d or w, such as 30d."
        raise UsageError(f"--older-than {text!r} is not an age", hint=hint)
    return age
