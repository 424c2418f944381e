"""`migrate --all-from`: a line for each job, and the total cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ftbridge.cli.output import Exit, console, open_bridge, print_json, print_line, print_message, table
from ftbridge.wording import counted, dollars

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.migration.all_jobs import BulkPlan, PlannedMove


def move_all(
    source: str,
    to: str,
    given: dict[str, Any],
    *,
    only_succeeded: bool,
    max_cost: float | None,
    yes: bool,
    as_json: bool,
) -> NoReturn:
    """Plan, and with `yes` submit, all jobs of a provider. Exits with 1 if one of them cannot be moved."""
    bridge = open_bridge(once=True)  # the same goes for many of the jobs
    plan = bridge.plan_all(source, to, only_succeeded=only_succeeded, **given)
    if not as_json:
        _print_plan(plan)
    if not yes:
        bridge.check_total(plan, max_cost)
    moves = _submitted(bridge, plan, max_cost, quiet=as_json) if yes else list(plan.moves)
    if as_json:
        print_json(_document(plan, moves))
    elif not yes and plan.ready:
        print_message(f"No job was created: --yes submits {counted(len(plan.ready), 'job')}.")
    raise Exit(1 if any(move.blocked_by for move in moves) else 0)


def _submitted(bridge: Bridge, plan: BulkPlan, max_cost: float | None, *, quiet: bool) -> list[PlannedMove]:
    moves = []
    for move, before in zip(bridge.migrate_all(plan, max_cost=max_cost), plan.moves, strict=True):
        moves.append(move)
        if quiet or before.blocked_by:
            continue
        if move.moved_to:
            print_line(f"{move.moved_to} is {move.job} at {plan.target}")
        else:
            print_message(f"error: {move.job} was not moved: {move.blocked_by}", style="bold red")
    return moves


def _print_plan(plan: BulkPlan) -> None:
    print_line(f"{plan.source} → {plan.target}", style="bold")
    if plan.moves:
        rows = [
            [move.job, _model_and_changes(move), _number(move.examples), _price(move.training_usd)]
            for move in plan.moves
        ]
        headers = ["job", "model and changes", "examples", "training"]
        console().print(table(headers, rows, right=(2, 3), fold=1))
        total, high = plan.total_usd, plan.total_usd_high
        most = f", at most {dollars(high)}" if high is not None and high != total else ""
        ready = f"{len(plan.ready)} of {counted(len(plan.moves), 'job')} can be moved"
        print_line(f"{ready}, for {_price(total)} of training{most}" if plan.ready else ready)
    else:
        print_line(f"There is no job of {plan.source} to move there.")
    if plan.done:
        print_line(f"{counted(len(plan.done), 'job')} of {plan.source} moved there before")
    elif not plan.moves:
        print_message(f"`ftbridge import {plan.source}` imports the account's existing jobs into the ledger.")


def _model_and_changes(move: PlannedMove) -> str:
    """The model, and below it what changes, or why it cannot be moved."""
    named = [f"{move.name}  {move.model}" if move.name else move.model]
    if move.blocked_by:
        return "\n".join([*named, f"cannot be moved: {move.blocked_by}"])
    same = [f"trains the same as {move.same_as}: both would be paid for"] if move.same_as else []
    return "\n".join([*named, *same, *move.changes])


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _price(value: float | None) -> str:
    return "?" if value is None else dollars(value)


def _document(plan: BulkPlan, moves: Sequence[PlannedMove]) -> dict[str, Any]:
    def plain(move: PlannedMove) -> dict[str, Any]:
        return move.model_dump(mode="json", exclude={"plan"})

    return {
        "source": plan.source,
        "target": plan.target,
        "jobs": [plain(move) for move in moves],
        "moved_before": [plain(move) for move in plan.done],
        "total_usd": plan.total_usd,
        "total_usd_high": plan.total_usd_high,
    }
