"""`migrate`: the same job at another target."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.migrate_all import move_all
from ftbridge.cli.output import (
    AsJson,
    Exit,
    console,
    open_bridge,
    print_json,
    print_line,
    print_message,
    print_note,
    table,
)
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
    "storage_usd_per_month": "storage per month, US dollars",
    "hosting_usd_per_month": "hosting per month, US dollars",
    "first_month_usd": "total of the first month, US dollars",
    "input_usd_per_million_tokens": "a million input tokens, US dollars",
    "output_usd_per_million_tokens": "a million output tokens, US dollars",
    "deployment_needed": "deployment needed",
    "training_closes_on": "training closes on",
    "inference_closes_on": "inference closes on",
    "context_tokens": "context, in tokens",
    "default_epochs": "default epochs",
}


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    app.command(rich_help_panel=group)(with_options(migrate, hyperparameter_options()))


def migrate(
    to: Annotated[str, typer.Option("--to", help="The target.")],
    job: Annotated[
        str | None,
        typer.Argument(
            metavar="[JOB]", help="A job; openai:ftjob-… or openai:ft:… names one that is not in the ledger."
        ),
    ] = None,
    all_from: Annotated[
        str | None,
        typer.Option("--all-from", help="Move all jobs of this provider in the ledger that were not moved there yet."),
    ] = None,
    only_succeeded: Annotated[
        bool,
        typer.Option(
            "--only-succeeded/--any-status",
            help="With --all-from: the jobs that have succeeded; --any-status: all of them.",
        ),
    ] = True,
    data: Annotated[str | None, typer.Option(help="The dataset, if the vendor does not return it.")] = None,
    validation: Annotated[
        str | None, typer.Option(help="The validation file, if the vendor does not return it.")
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="Refuse a move that may cost more US dollars in all.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Submit the jobs; by default only the plan is shown.")] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Move it once more where that failed, was cancelled, or the model was deleted."),
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Also list the old job's fields without meaning elsewhere: empty ones, its status."),
    ] = False,
    as_json: AsJson = False,
    **hyperparameters: Any,
) -> None:
    """Plan the same job at another target: what is carried, changed or dropped. --yes submits it."""
    given = {name: value for name, value in hyperparameters.items() if value is not None}
    if (job is None) == (all_from is None):
        raise UsageError("migrate needs either a job or --all-from", hint="Give JOB, or --all-from PROVIDER.")
    if all_from:
        if data or validation:
            raise UsageError(
                "--data and --validation belong to one job", hint="Move that one with `ftbridge migrate JOB`."
            )
        move_all(all_from, to, given, only_succeeded=only_succeeded, max_cost=max_cost, yes=yes, as_json=as_json)
    bridge = open_bridge(once=True)  # a note of the plan is one of the submission as well
    plan = bridge.plan_migration(str(job), to, data=data, validation=validation, max_cost=max_cost, **given)
    if not as_json:
        _print_plan(plan, everything=everything)
        for note in _notes(plan):
            bridge.warn(note)
    made = bridge.migrate(plan, again=again) if yes else None
    if as_json:
        document = plan.model_dump(mode="json", exclude={"exported"})
        print_json({**document, "submitted": made.model_dump(mode="json") if made else None})
    elif made:
        print_line(f"{made.id} is {plan.job} at {made.target}, and {made.status}")
        print_message(f"When it has succeeded:  ftbridge evaluate {made.id} HELDOUT --against {plan.job}")
    elif not plan.blocking:
        print_message("No job was created: --yes submits it.")
    raise Exit(1 if plan.blocking else 0)


def _print_plan(plan: MigrationPlan, *, everything: bool) -> None:
    """The obstacles to the move, what it changes and drops, and what stays the same."""
    for line in (plan.job, f"{plan.source} →", plan.spec.target):
        print_line(line, style="bold")
    for problem in plan.blocking:
        print_message(f"error: {problem}", style="bold red")
    _print_fields(plan, everything=everything)


def _notes(plan: MigrationPlan) -> tuple[str, ...]:
    """The warnings of the plan and of its offer; that it is closed, the first of these, the plan says itself."""
    offer = plan.offers[1]
    return (*plan.warnings, *(offer.warnings if offer.open else offer.warnings[1:]))


def _print_fields(plan: MigrationPlan, *, everything: bool) -> None:
    """The old job's fields by outcome; those without meaning elsewhere are counted, or listed with `everything`."""
    groups: dict[str, list[Difference]] = {}
    for one in _in_short(plan.fields):
        harmless = one.outcome != "carried" and not one.matters
        groups.setdefault(str(one.reason) if harmless else one.outcome, []).append(one)
    changed = [*(term for term in plan.terms if term.outcome == "changed"), *groups.pop("changed", [])]
    for title, fields in (("changed", changed), ("dropped", groups.pop("dropped", []))):
        if fields:
            console().print(_differences(title, fields))
    unchanged = groups.pop("carried", [])
    print_note(f"unchanged: {', '.join(dict.fromkeys(f'{_short(one)} {_change(one)}' for one in unchanged))}")
    if plan.model:
        print_note(f"the old job keeps its model: {plan.model}")
    if everything:
        for fields in groups.values():
            print_note(f"{fields[0].why}: {', '.join(dict.fromkeys(map(_short, fields)))}")
    elif count := sum(map(len, groups.values())):
        print_note(f"{count} more fields have no meaning elsewhere (empty, set by the vendor): --all lists them")


def _in_short(fields: Sequence[Difference]) -> Iterator[Difference]:
    """The fields, with all fields of one object, such as a grader, as one."""
    parts: dict[str, list[Difference]] = {}
    for one in fields:
        if one.name in ("grader", "response_format"):
            parts.setdefault(one.name, []).append(one)
        else:
            yield one
    for name, fields in parts.items():
        size = counted(len(fields), "field")
        yield fields[0].model_copy(update={"field": name, "value": size, "becomes": size})


def _differences(title: str, fields: Sequence[Difference]) -> Table:
    cells = [[_short(one), _change(one), one.why] for one in fields]
    if any(one.why for one in fields):
        return table([title, "", "why"], cells)
    return table([title, ""], [row[:2] for row in cells])


def _short(one: Difference) -> str:
    """The display name of a term, or a field's name without its path in the job."""
    return _TERMS.get(one.field) or one.field.rpartition("hyperparameters.")[2].removeprefix("spec.")


def _change(one: Difference) -> str:
    before, after = _brief(one.value, one.unit), _brief(one.becomes, one.unit)
    unit = "" if one.field in _TERMS else one.unit
    return f"{before} → {after} {unit}".strip() if one.outcome == "changed" else f"{before} {unit}".strip()


def _brief(value: Any, unit: str) -> str:
    if value is None:
        return "no known end" if unit == "date" else "?"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if unit == "US dollars":
        return dollars(value)
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value) if isinstance(value, str | date) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
