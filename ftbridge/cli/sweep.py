"""`sweep`: several targets and hyperparameters within one budget, the trials best first."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic.fields import FieldInfo

from ftbridge.arguments import SweepArguments
from ftbridge.cli.dataset_options import Columns, Format
from ftbridge.cli.output import (
    UNCLEAR,
    AsJson,
    Exit,
    Stopped,
    console,
    line_end,
    open_bridge,
    print_json,
    print_line,
    print_message,
    print_sentence,
    table,
)
from ftbridge.cli.submit import option_name, with_options
from ftbridge.dataset.data_file import parse_columns
from ftbridge.errors import UsageError
from ftbridge.model import Hyperparameters
from ftbridge.wording import counted, dollars

if TYPE_CHECKING:
    from ftbridge.sweep.results import Sweep, TrialResult

_PANEL = "Hyperparameters: one value, or several with commas (default: the provider's choice)"
_INCOMPLETE = ("failed", "refused", "cancelled", "over_budget")
_WORDS = {
    "planned": "not sent",
    "over_budget": "not sent",
    "refused": "not sent",
    "open": "not over",
    "cancelled": "cancelled",
}


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(with_options(sweep, _axes()))


def sweep(
    data: Annotated[str | None, typer.Argument(help="The dataset; - is standard input.", show_default=False)] = None,
    to: Annotated[
        list[str] | None, typer.Option("--to", help="A target, or several with commas; can be repeated.")
    ] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with the sweep of that name, and its options.")] = None,
    validation: Annotated[str | None, typer.Option(help="The rows that judge the trials; none trains on them.")] = None,
    validation_split: Annotated[
        float, typer.Option(help="Without --validation: the share of the rows that is held out of training.")
    ] = 0.1,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Try so many of the combinations, chosen at random; default: all.")
    ] = None,
    sweep_seed: Annotated[int, typer.Option(help="The seed of that choice, and of the rows held out.")] = 0,
    halving: Annotated[
        int | None,
        typer.Option(
            min=2, metavar="N", help="Stop trials early: after 1/N² and 1/N of their training the best 1/N go on."
        ),
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(min=0, help="All trials together may cost so many US dollars.")
    ] = None,
    method: Annotated[str, typer.Option(help="sft or dpo.")] = "sft",
    name: Annotated[str | None, typer.Option(help="A name for the sweep and its group of jobs.")] = None,
    no_evaluate: Annotated[
        bool, typer.Option("--no-evaluate", help="Ask the models nothing: rank them by validation loss.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the trials and what they may cost.")] = False,
    format: Format = None,  # noqa: A002 - the option's name
    map: Columns = None,  # noqa: A002 - likewise
    as_json: AsJson = False,
    **axes: Any,
) -> None:
    """Train with several hyperparameters at several targets, score the models, and show the best first.

    The same command again, or --resume NAME, goes on with a sweep, and creates no job twice.

    The exit code is 1 if a trial has failed, was cancelled, or had no room in the budget, and 4 if one is unclear.
    """
    shared: dict[str, Any] = {"max_cost": max_cost, "evaluate": not no_evaluate, "dry_run": dry_run}
    shared["progress"] = None if as_json else _print_progress
    bridge = open_bridge(once=True)
    try:
        if resume is not None:
            _check_alone(data, to, axes)
            found = bridge.resume_sweep(resume, **shared)
        elif data is None or not to:
            raise UsageError("a sweep needs a dataset and at least one --to", hint="Or --resume NAME goes on with one.")
        else:
            found = bridge.sweep(
                data,
                to,
                validation=validation,
                validation_split=validation_split,
                sweep_seed=sweep_seed,
                trials=trials,
                halving=halving,
                method=method,
                name=name,
                format=format,
                map=parse_columns(map or ()) or None,
                **shared,
                **{name: text.split(",") for name, text in axes.items() if text is not None},
            )
    except KeyboardInterrupt:
        print_message(f"{line_end()}Stopped; jobs keep running. The same command goes on with the sweep.")
        raise Stopped from None
    if as_json:
        print_json(_document(found))
    elif dry_run:
        _print_plan(found)
    else:
        _print_results(found)
    raise Exit(0 if dry_run else _exit_code(found))


def _axes() -> list[inspect.Parameter]:
    fields = Hyperparameters.model_fields.items()
    return [_axis(name, field) for name, field in fields if name in SweepArguments.__optional_keys__]


def _axis(name: str, field: FieldInfo) -> inspect.Parameter:
    option = typer.Option(option_name(name), help=field.description, show_default=False, rich_help_panel=_PANEL)
    annotation = Annotated[str | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _check_alone(data: str | None, to: list[str] | None, axes: dict[str, Any]) -> None:
    given = ["DATA"] * (data is not None) + ["--to"] * bool(to)
    given += [option_name(name) for name, text in axes.items() if text is not None]
    if given:
        raise UsageError(
            f"--resume goes on with a sweep as it was begun, and {given[0]} would change it",
            hint="Leave it out, or begin another sweep.",
        )


def _exit_code(found: Sweep) -> int:
    outcomes = {trial.outcome for trial in found.trials}
    return UNCLEAR if "unclear" in outcomes else int(not outcomes.isdisjoint(_INCOMPLETE))


def _print_progress(trial: TrialResult) -> None:
    name = trial.name or f"trial {trial.number}"
    if trial.outcome == "open":
        print_message(f"{name} is {trial.job}: {trial.target}, {trial.settings}")
    elif trial.score:
        print_message(f"{name} gives {trial.score.exact_match:.1%} exact answers")
    else:
        print_message(f"{name}: {_state(trial)}")


def _state(trial: TrialResult) -> str:
    word = _WORDS.get(trial.outcome, trial.outcome)
    return f"{word}: {trial.why}" if trial.why else word


def _print_plan(found: Sweep) -> None:
    trials = sorted(found.trials, key=lambda trial: trial.number)
    rows = [
        [f"{trial.number}", _about(trial), _usd(trial.estimate_usd), _usd(trial.estimate_usd_high)] for trial in trials
    ]
    console().print(table(["", "target and settings", "estimate", "at most"], rows, right=(0, 2, 3), fold=1))
    highs = [trial.estimate_usd_high for trial in trials if trial.estimate_usd_high is not None]
    limit = f", and --max-cost is {dollars(found.max_cost_usd)}" if found.max_cost_usd is not None else ""
    print_sentence(f"{counted(len(trials), 'trial')}, for at most {dollars(sum(highs))} of known prices{limit}.")
    print_sentence(f"They would be judged by {found.held_out}. No job was created.")


def _print_results(found: Sweep) -> None:
    rows = [
        [
            f"{trial.number}",
            _about(trial),
            f"{trial.score.exact_match:.1%}" if trial.score else "–",
            _loss(trial),
            _usd(trial.usd),
            _usd(trial.usd_per_point),
        ]
        for trial in found.trials
    ]
    headers = ["", "target and settings", "exact", "loss", "cost", "a point"]
    console().print(table(headers, rows, right=(0, 2, 3, 4, 5), fold=1))
    done = sum(trial.outcome == "succeeded" for trial in found.trials)
    limit = f" of {dollars(found.max_cost_usd)}" if found.max_cost_usd is not None else ""
    print_sentence(
        f"{done} of {counted(len(found.trials), 'trial')} of {found.name} succeeded. All have cost, or may,"
        f" {dollars(found.usd)}{limit}. Judged by {found.held_out}."
    )
    if best := found.best:
        print_line(f"The best is {best.name} ({best.job}).")
        print_message(
            "It was chosen by these rows, and so looks better on them than it is:"
            f" `ftbridge evaluate {best.name} OTHER_ROWS` tells."
        )


def _about(trial: TrialResult) -> str:
    lines = [trial.target, trial.settings]
    return "\n".join(lines if trial.outcome == "succeeded" and not trial.why else [*lines, _state(trial)])


def _loss(trial: TrialResult) -> str:
    loss = trial.score.loss if trial.score and trial.score.loss is not None else trial.valid_loss
    return "–" if loss is None else f"{loss:.3f}"


def _usd(amount: float | None) -> str:
    return "–" if amount is None else dollars(amount)


def _document(found: Sweep) -> dict[str, Any]:
    def plain(trial: TrialResult) -> dict[str, Any]:
        return {**trial.model_dump(mode="json"), "hyperparameters": trial.hyperparameters.given()}

    return {
        **found.model_dump(mode="json", exclude={"trials"}),
        "best": found.best.number if found.best else None,
        "trials": [plain(trial) for trial in found.trials],
    }
