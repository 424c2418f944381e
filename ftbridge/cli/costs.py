"""`costs`: what a month has cost, by vendor, target, owner or group, beside the budgets."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.catalogue import today
from ftbridge.cli.output import AsJson, console, narrow, open_bridge, print_json, say, show, show_note, table
from ftbridge.errors import UsageError

if TYPE_CHECKING:
    from ftbridge.costs.month import Amount, Costs

_BY = ("vendor", "target", "owner", "group")
_PLACES = 6  # of figures in CSV: what is beyond is the noise of adding in binary


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(costs)


def costs(
    month: Annotated[str | None, typer.Option(help="The month, as 2026-11; default: this one.")] = None,
    by: Annotated[str, typer.Option(help="What a row is: vendor, target, owner or group.")] = "vendor",
    offline: Annotated[bool, typer.Option("--offline", help="Ask no vendor what is still deployed.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
) -> None:
    """What a month's jobs and deployed models have cost, as far as it is known; what is unknown is shown as ?."""
    if as_csv and as_json:
        raise UsageError("--csv and --json both say how the costs are printed", hint="Give one of the two.")
    if by not in _BY:
        raise UsageError(f"costs are not kept by {by!r}", hint=f"Give --by one of: {', '.join(_BY)}.")
    day, bridge = _day_in(month), open_bridge()
    foreign = [] if offline else [info for info in bridge.deployments() if info.job is None and info.costs_by_the_hour]
    for info in foreign:
        say(f"note: {info.model}, deployed at {info.provider}, is of no job here and is not counted", style="yellow")
    from ftbridge.costs.month import total_of

    rows = bridge.costs(day, by=by)  # type: ignore[arg-type]  # looked at above
    total = total_of(rows)
    if as_json:
        documents = [_document(row, by) for row in rows]
        print_json({"month": f"{day:%Y-%m}", "by": by, "rows": documents, "total": _document(total, by)})
    elif as_csv:
        _print_csv([_document(row, by) for row in rows], by)
    elif not rows:
        show(f"Nothing has cost anything in {day:%Y-%m}.")
    else:
        _print(rows, total, by, day)


def _day_in(month: str | None) -> date:
    if month is None:
        return today()
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(f"{month!r} is no month", hint="Write it as 2026-11.") from None


def _document(row: Costs, by: str) -> dict[str, Any]:
    """A row for programs: what is unknown is null, and `partial_total_usd` is what of the total is known."""
    return {
        by: row.name,
        "jobs": row.jobs,
        "own_machine_jobs": row.own_machine_jobs,
        "estimated_usd": row.estimated.usd,
        "billed_usd": row.billed.usd,
        "hosting_usd": row.hosting.usd,
        "total_usd": row.total.usd,
        "partial_total_usd": row.total.partial_total_usd,
        "budget_usd": row.budget_usd,
    }


def _print_csv(documents: Sequence[dict[str, Any]], by: str) -> None:
    """One line a row; what is unknown is empty, and figures have six places at most."""
    from ftbridge.costs.month import Costs

    writer = csv.DictWriter(sys.stdout, fieldnames=list(_document(Costs(name=None), by)))
    writer.writeheader()
    for row in documents:
        writer.writerow({n: round(value, _PLACES) if isinstance(value, float) else value for n, value in row.items()})


def _print(rows: Sequence[Costs], total: Costs, by: str, day: date) -> None:
    """The table, and below it what its figures are; where there is little room, without the estimates."""
    columns = ["jobs", *([] if narrow() else ["estimated $"]), "billed $", "hosting $", "total $"]
    with_budget = any(row.budget_usd is not None for row in rows)
    headers = [f"{day:%Y-%m} by {by}", *columns, *(["budget $"] if with_budget else [])]
    cells = [_cells(row, row.name or "–", columns, with_budget=with_budget) for row in rows]
    cells.append(_cells(total, "total", columns, with_budget=False) + [""] * with_budget)
    console().print(table(headers, cells, right=range(1, len(headers)), fold=0))
    show_note("Of a job, the total has what is billed, and until that is known the upper end of its estimate.")
    if total.total.usd is None or total.billed.usd is None or total.estimated.usd is None:
        show_note("? is not known; > is what is known of a sum.")
    if total.own_machine_jobs:
        show_note("Jobs on your own machine are billed by nobody and count as 0; its power is not counted.")
    for row in rows:
        if row.budget_usd is not None and row.total.partial_total_usd > row.budget_usd:
            say(f"note: {row.name} is over its budget of {_figure(row.budget_usd)} dollars", style="yellow")


def _cells(row: Costs, name: str, columns: Sequence[str], *, with_budget: bool) -> list[str]:
    known = {
        "jobs": f"{row.jobs}",
        "estimated $": _amount(row.estimated),
        "billed $": _amount(row.billed),
        "hosting $": _amount(row.hosting),
        "total $": _amount(row.total),
    }
    budget = ["" if row.budget_usd is None else _figure(row.budget_usd)] if with_budget else []
    return [name, *(known[column] for column in columns), *budget]


def _amount(amount: Amount) -> str:
    if amount.usd is not None:
        return _figure(amount.usd)
    return f">{_figure(amount.partial_total_usd)}" if amount.partial_total_usd >= 0.01 else "?"


def _figure(usd: float) -> str:
    return f"{usd:,.2f}" if usd >= 0.01 or usd == 0 else "<0.01"
