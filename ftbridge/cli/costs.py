"""`costs`: the cost of a month by vendor, target, owner or group, and the budgets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.catalogue import today
from ftbridge.cli.output import (
    AsJson,
    console,
    narrow,
    open_bridge,
    print_csv,
    print_json,
    print_line,
    print_message,
    print_note,
    table,
)
from ftbridge.errors import UsageError
from ftbridge.wording import did_you_mean, printable

if TYPE_CHECKING:
    from ftbridge.costs.month import Amount, Costs

_BY = ("vendor", "target", "owner", "group")


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(costs)


def costs(
    month: Annotated[str | None, typer.Option(help="The month, such as 2026-11; default: the current one.")] = None,
    by: Annotated[str, typer.Option(help="Group by: vendor, target, owner or group.")] = "vendor",
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask the vendors which models are still deployed.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what the jobs and deployed models of a month cost. Unknown amounts are shown as ?."""
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", hint="Give one of the two.")
    if by not in _BY:
        raise UsageError(
            f"costs cannot be grouped by {printable(repr(by))}",
            hint=f"{did_you_mean(by, _BY)}Give --by one of: {', '.join(_BY)}.",
        )
    day, bridge = _day_in(month), open_bridge()
    foreign = [] if offline else [info for info in bridge.deployments() if info.job is None and info.costs_by_the_hour]
    for info in foreign:
        print_message(
            f"note: {info.model}, deployed at {info.provider}, does not belong to a job here and is not counted",
            style="yellow",
        )
    from ftbridge.costs.month import total_of

    rows = bridge.costs(day, by=by)  # type: ignore[arg-type]  # checked above
    total = total_of(rows)
    if as_json:
        documents = [_document(row, by) for row in rows]
        print_json({"month": f"{day:%Y-%m}", "by": by, "rows": documents, "total": _document(total, by)})
    elif as_csv:
        print_csv(list(_document(total, by)), [_document(row, by) for row in rows])
    elif not rows:
        print_line(f"There are no costs in {day:%Y-%m}.")
    else:
        _print(rows, total, by, day)


def _day_in(month: str | None) -> date:
    if month is None:
        return today()
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(f"{printable(repr(month))} is not a month", hint="Write it as 2026-11.") from None


def _document(row: Costs, by: str) -> dict[str, Any]:
    """A row for programs: unknown amounts are null, and `partial_total_usd` is the known part of the total."""
    return {
        by: row.name,
        "mocked": row.mocked,
        "jobs": row.jobs,
        "own_machine_jobs": row.own_machine_jobs,
        "estimated_usd": row.estimated.usd,
        "billed_usd": row.billed.usd,
        "hosting_usd": row.hosting.usd,
        "total_usd": row.total.usd,
        "partial_total_usd": row.total.partial_total_usd,
        "budget_usd": row.budget_usd,
    }


def _print(rows: Sequence[Costs], total: Costs, by: str, day: date) -> None:
    """The table and its legend; on a narrow terminal without the estimates."""
    columns = ["jobs", *([] if narrow() else ["estimated $"]), "billed $", "hosting $", "total $"]
    with_budget = any(row.budget_usd is not None for row in rows)
    headers = [f"{day:%Y-%m} by {by}", *columns, *(["budget $"] if with_budget else [])]
    cells = [_cells(row, _name(row), columns, with_budget=with_budget) for row in rows]
    cells.append(_cells(total, "total", columns, with_budget=False) + [""] * with_budget)
    console().print(table(headers, cells, right=range(1, len(headers)), fold=0))
    print_note("The total counts what was billed for a job, or, until that is known, its highest estimate.")
    amounts = [cell for row in cells for cell in row[1:]]
    if "?" in amounts:
        print_note("? is an unknown amount.")
    if any(amount.startswith(">") for amount in amounts):
        print_note("> marks a sum of which a part is unknown.")
    if any(row.mocked for row in rows):
        print_note("Nobody pays for what mocks would cost, and the total is without it.")
    if total.own_machine_jobs:
        print_note("Jobs on your own machine count as 0; its power is not counted.")
    for row in rows:
        if row.budget_usd is not None and row.total.partial_total_usd > row.budget_usd:
            print_message(
                f"note: {row.name} is over its budget of {_amount_text(row.budget_usd)} dollars", style="yellow"
            )


def _name(row: Costs) -> str:
    name = row.name or "–"
    return f"{name} (mocks)" if row.mocked and not name.startswith("mock+") else name


def _cells(row: Costs, name: str, columns: Sequence[str], *, with_budget: bool) -> list[str]:
    known = {
        "jobs": f"{row.jobs}",
        "estimated $": _amount_or_unknown(row.estimated),
        "billed $": _amount_or_unknown(row.billed),
        "hosting $": _amount_or_unknown(row.hosting),
        "total $": _amount_or_unknown(row.total),
    }
    budget = ["" if row.budget_usd is None else _amount_text(row.budget_usd)] if with_budget else []
    return [name, *(known[column] for column in columns), *budget]


def _amount_or_unknown(amount: Amount) -> str:
    if amount.usd is not None:
        return _amount_text(amount.usd)
    return f">{_amount_text(amount.partial_total_usd)}" if amount.partial_total_usd >= 0.01 else "?"


def _amount_text(usd: float) -> str:
    return f"{usd:,.2f}" if usd >= 0.01 or usd == 0 else "<0.01"
