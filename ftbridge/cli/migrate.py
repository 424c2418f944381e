"""`migrate`: moving jobs to another target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.migrate_all import move_all
from ftbridge.cli.output import AsJson, Exit, console, open_bridge, print_json, say, show, show_note, table
from ftbridge.cli.submit import hyperparameter_options, with_options
from ftbridge.errors import UsageError
from ftbridge.wording import counted, dollars

if TYPE_CHECKING:
    from rich.table import Table

    from ftbridge.migration.differences import Difference
    from ftbridge.migration.plan import MigrationPlan

_LONGEST = 100  # characters of a value in a table; --json has all
_TERMS = {
    "training_usd": "training, US dollars",
    "storage_usd_per_month": "storage a month, US dollars",
    "hosting_usd_per_month": "hosting a month, US dollars",
    "first_month_usd": "first month in all, US dollars",
    "input_usd_per_million_tokens": "a million tokens in, US dollars",
    "output_usd_per_million_tokens": "a million tokens out, US dollars",
    "deployment_needed": "deployment needed",
    "training_closes_on": "training closes on",
    "inference_closes_on": "answers end on",
    "context_tokens": "context, tokens",
    "default_epochs": "epochs, as the vendor chooses",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(with_options(migrate, hyperparameter_options()))


def migrate(
    to: Annotated[str, typer.Option("--to", help="The target.")],
    job: Annotated[
        str | None,
        typer.Argument(help="A job, or openai:ftjob-… or openai:ft:… for one that ftbridge never saw."),
    ] = None,
    all_from: Annotated[
        str | None,
        typer.Option("--all-from", help="All jobs of this provider that are in the ledger, not moved there yet."),
    ] = None,
    only_succeeded: Annotated[
        bool, typer.Option("--only-succeeded/--any-status", help="With --all-from: which of them.")
    ] = True,
    data: Annotated[str | None, typer.Option(help="The dataset, where the vendor does not give it back.")] = None,
    validation: Annotated[str | None, typer.Option(help="Likewise, the validation examples.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Most US dollars: of the job, or of all jobs together.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Submit it; without this the plan is only shown.")] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Name also the old job's fields that lose nothing: empty ones, its own status."),
    ] = False,
    as_json: AsJson = False,
    **hyperparameters: Any,
) -> None:
    """The same job at another target: what is carried, changed or left behind; --yes submits it."""
    given = {name: value for name, value in hyperparameters.items() if value is not None}
    if (job is None) == (all_from is None):
        raise UsageError("one job is moved, or all of a provider", hint="Give JOB, or --all-from PROVIDER.")
    if all_from:
        if data or validation:
            raise UsageError(
                "--data and --validation are of one job", hint="Move that one with `ftbridge migrate JOB`."
            )
        move_all(all_from, to, given, only_succeeded=only_succeeded, max_cost=max_cost, yes=yes, as_json=as_json)
    bridge = open_bridge()
    plan = bridge.plan_migration(str(job), to, data=data, validation=validation, max_cost=max_cost, **given)
    if not as_json:
        _print_plan(plan, everything=everything)
    made = bridge.migrate(plan) if yes else None
    if as_json:
        document = plan.model_dump(mode="json", exclude={"exported"})
        print_json({**document, "submitted": made.model_dump(mode="json") if made else None})
    elif made:
        show(f"{made.id} is {plan.job} at {made.target}, and {made.status}")
        say(f"When it is done:  ftbridge evaluate {made.id} HELDOUT --against {plan.job}")
    elif not plan.blocking:
        say("Nothing was sent: --yes submits it.")
    raise Exit(1 if plan.blocking else 0)


def _print_plan(plan: MigrationPlan, *, everything: bool) -> None:
    """What forbids the move, what it changes and leaves behind, what stays as it is, and what has to be known."""
    for line in (plan.job, f"{plan.source} →", plan.spec.target):
        show(line, style="bold")
    for hindrance in plan.blocking:
        say(f"error: {hindrance}", style="bold red")
    _print_fields(plan, everything=everything)
    for note in dict.fromkeys((*plan.warnings, *plan.offers[1].warnings)):
        say(f"note: {note}", style="yellow")


def _print_fields(plan: MigrationPlan, *, everything: bool) -> None:
    """The old job's fields by what becomes of them; those that lose nothing are counted, or named with `everything`."""
    groups: dict[str, list[Difference]] = {}
    for one in _in_short(plan.fields):
        harmless = one.outcome != "carried" and not one.matters
        groups.setdefault(str(one.reason) if harmless else one.outcome, []).append(one)
    changed = [*(term for term in plan.terms if term.outcome == "changed"), *groups.pop("changed", [])]
    for title, found in (("what changes", changed), ("what cannot come along", groups.pop("dropped", []))):
        if found:
            console().print(_differences(title, found))
    unchanged = groups.pop("carried", [])
    show_note(f"unchanged: {', '.join(dict.fromkeys(f'{_short(one)} {_change(one)}' for one in unchanged))}")
    if plan.model:
        show_note(f"the old job keeps its model: {plan.model}")
    if everything:
        for found in groups.values():
            show_note(f"{found[0].why}: {', '.join(dict.fromkeys(map(_short, found)))}")
    elif count := sum(map(len, groups.values())):
        show_note(f"{count} more fields lose nothing (empty, the vendor's choice, the old job's own): --all names them")


def _in_short(fields: Sequence[Difference]) -> Iterator[Difference]:
    """The fields, but a whole object of ours, such as a grader, as one."""
    parts: dict[str, list[Difference]] = {}
    for one in fields:
        if one.name in ("grader", "response_format"):
            parts.setdefault(one.name, []).append(one)
        else:
            yield one
    for name, found in parts.items():
        size = {"field": name, "value": counted(len(found), "field"), "becomes": counted(len(found), "field")}
        yield found[0].model_copy(update=size)


def _differences(title: str, found: Sequence[Difference]) -> Table:
    return table([title, "", "why"], [[_short(one), _change(one), one.why] for one in found])


def _short(one: Difference) -> str:
    """The term as people call it, or the field's name without its path in the job."""
    return _TERMS.get(one.field) or one.field.rpartition("hyperparameters.")[2].removeprefix("spec.")


def _change(one: Difference) -> str:
    before, after = _brief(one.value, one.unit), _brief(one.becomes, one.unit)
    unit = "" if one.field in _TERMS else one.unit
    return f"{before} → {after} {unit}".strip() if one.outcome == "changed" else f"{before} {unit}".strip()


def _brief(value: Any, unit: str) -> str:
    if value is None:
        return "no end known" if unit == "date" else "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "US dollars":
        return dollars(value)
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value) if isinstance(value, str | date) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
