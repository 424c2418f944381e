"""`submit` and `run`: from a file to a job."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic.fields import FieldInfo

from ftbridge.cli.jobs import fetch_into
from ftbridge.cli.output import UNCLEAR, AsJson, Exit, open_bridge, print_json, say, show, side
from ftbridge.cli.report import Reports, check_reports
from ftbridge.cli.watch import follow
from ftbridge.model import Hyperparameters, Job, Status

Data = Annotated[str, typer.Argument(help="The dataset: JSON Lines of examples.", show_default=False)]
_LEFT_OUT = "Hyperparameters (the provider chooses those left out)"
To = Annotated[str, typer.Option("--to", help="The target, provider:model, or a name from ftbridge.toml.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    options = [*_job_options(), *hyperparameter_options()]
    app.command()(with_options(submit, options))
    app.command()(with_options(run, options))


def submit(data: Data, to: To, as_json: AsJson = False, **options: Any) -> None:
    """Check, convert and submit a dataset; prints the job's ID.

    The exit code is 0 where the vendor has the job, or it waits here in the queue, and 4 while that is unclear.
    """
    job = _submit(data, to, options)
    if as_json:
        print_json(job.model_dump(mode="json"))
    else:
        show(job.id)
    if job.unclear:
        raise Exit(UNCLEAR)


def run(
    data: Data,
    to: To,
    out: Annotated[
        Path | None, typer.Option(help="Where the result goes; default: a folder named after the job.")
    ] = None,
    report: Reports = None,
    as_json: AsJson = False,
    **options: Any,
) -> None:
    """Submit, watch until the job is over, and fetch its result."""
    from ftbridge.jobs.fetching import check_free

    reports = check_reports(report)
    place = out or Path(options["name"]) if out or options["name"] else None
    if place and not options["idempotency_key"]:  # whose job may have been fetched before
        check_free(place)
    job = _submit(data, to, options)
    job = follow([job.id], quiet=as_json, report=reports)[0]
    if job.status is Status.SUCCEEDED:
        result = fetch_into(job, out)
        job = job.model_copy(update={"result": result})
    if as_json:
        print_json(job.model_dump(mode="json"))
    elif job.status is Status.SUCCEEDED:
        show(f"{job.id} succeeded; its result is in {job.result.path}" if job.result else job.id)
        say(f'Talk to it:  ftbridge chat {job.id} "…"')
    raise Exit(0 if job.status is Status.SUCCEEDED else 1)


def _submit(data: str, to: str, options: dict[str, Any]) -> Job:
    given = {name: value for name, value in options.items() if value is not None}
    bridge = open_bridge()
    # elsewhere nobody would see it, and rich is loaded later, while the provider is at work
    seen = side().status("Checking the dataset and submitting it …") if sys.stderr.isatty() else nullcontext()
    with seen:
        return bridge.submit(data, to, **given)


def with_options(command: Callable[..., None], options: Sequence[inspect.Parameter]) -> Callable[..., None]:
    """`command` with its own options and these, which it gets as keywords."""

    @wraps(command)
    def wrapped(**given: Any) -> None:
        command(**given)

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in [*own, *options]]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # how inspect is told
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def _job_options() -> list[inspect.Parameter]:
    return [
        _option("validation", str, "Examples to measure the loss on, not trained."),
        _option("method", str, "sft (default), dpo or rft."),
        _option("grader", Path, "For rft: a JSON file with the vendor's grader, which scores the answers."),
        _option("response_format", Path, "For rft: a JSON file with the form that answers are held to."),
        _option("format", str, "Read the data as this format, instead of detecting it."),
        _option("name", str, "A name of your own for the job."),
        _option("idempotency_key", str, "Your own key: asking again under it always gives the same job."),
        _flag("again", "Create a second job, although the same one was requested before."),
        _option("group", str, "What the job belongs to, for `costs --by group`."),
        _option("max_cost", float, "Refuse, before anything is uploaded, if it may cost more US dollars."),
        _flag("allow_ignored", "Leave out what the provider has no setting for."),
    ]


def hyperparameter_options() -> list[inspect.Parameter]:
    """One option for each hyperparameter, in a panel of their own."""
    return [_hyperparameter(name, field) for name, field in Hyperparameters.model_fields.items()]


def _hyperparameter(name: str, field: FieldInfo) -> inspect.Parameter:
    kind = next(kind for kind in get_args(field.annotation) if kind is not type(None))
    words = get_args(kind)
    described = f"{field.description} One of {', '.join(words)}." if words else f"{field.description}"
    return _option(name, str if words else kind, described, panel=_LEFT_OUT)


def option_name(name: str) -> str:
    """The option that sets the hyperparameter, or other field of a spec, of that name."""
    return f"--{name.replace('_', '-')}"


def _option(name: str, kind: type, help_text: str, panel: str | None = None) -> inspect.Parameter:
    option = typer.Option(option_name(name), help=help_text, show_default=False, rich_help_panel=panel)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]  # made at run time, for typer to read
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _flag(name: str, help_text: str) -> inspect.Parameter:
    annotation = Annotated[bool, typer.Option(option_name(name), help=help_text)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
