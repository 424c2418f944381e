"""What `migrate --all-from` shows: a line for each job, and what all of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ftbridge.cli.output import Exit, console, open_bridge, print_json, say, show, table
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
    """Plan, and with `yes` submit, all jobs of a provider; exits with 1 where one of them cannot be moved."""
    bridge = open_bridge()
    plan = bridge.plan_all(source, to, only_succeeded=only_succeeded, **given)
    if not as_json:
        _print_plan(plan)
    if not yes:
        bridge.check_total(plan, max_cost)
    moves = _submitted(bridge, plan, max_cost, quiet=as_json) if yes else list(plan.moves)
    if as_json:
        print_json(_document(plan, moves))
    elif not yes and plan.ready:
        say(f"Nothing was sent: --yes submits {counted(len(plan.ready), 'job')}.")
    raise Exit(1 if any(move.blocked_by for move in moves) else 0)


def _submitted(bridge: Bridge, plan: BulkPlan, max_cost: float | None, *, quiet: bool) -> list[PlannedMove]:
    moves = []
    for move, before in zip(bridge.migrate_all(plan, max_cost=max_cost), plan.moves, strict=True):
        moves.append(move)
        if quiet or before.blocked_by:
            continue
        if move.moved_to:
            show(f"{move.moved_to} is {move.job} at {plan.target}")
        else:
            say(f"error: {move.job} was not moved: {move.blocked_by}", style="bold red")
    return moves


def _print_plan(plan: BulkPlan) -> None:
    show(f"{plan.source} → {plan.target}", style="bold")
    if plan.moves:
        rows = [[move.job, _told(move), _number(move.examples), _price(move.training_usd)] for move in plan.moves]
        headers = ["job", "model, and what changes", "examples", "training"]
        console().print(table(headers, rows, right=(2, 3), fold=1))
        total, high = plan.total_usd, plan.total_usd_high
        most = f", at most {dollars(high)}" if high is not None and high != total else ""
        ready = f"{len(plan.ready)} of {counted(len(plan.moves), 'job')} can be moved"
        show(f"{ready}, for {_price(total)} of training{most}" if plan.ready else ready)
    else:
        show(f"No job of {plan.source} is left to move there.")
    if plan.done:
        show(f"{counted(len(plan.done), 'job')} of {plan.source} moved there before")
    elif not plan.moves:
        say(f"`ftbridge import {plan.source}` takes the account's own jobs into the ledger.")


def _told(move: PlannedMove) -> str:
    """The model, and below it what does not stay as it was, or why it cannot be moved."""
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
