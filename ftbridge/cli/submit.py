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

from ftbridge.cli.dataset_options import FORMAT, MAP, Data
from ftbridge.cli.output import UNCLEAR, AsJson, Exit, error_console, open_bridge, print_json, print_line, print_message
from ftbridge.cli.report import Reports, check_reports
from ftbridge.cli.results import fetch_into
from ftbridge.cli.watch import follow
from ftbridge.dataset.data_file import parse_columns
from ftbridge.model import Hyperparameters, Job, Status

_PANEL = "Hyperparameters (default: the provider's choice)"
To = Annotated[
    str | None,
    typer.Option("--to", help="The target: provider:model, or a name from ftbridge.toml.", show_default=False),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="JOB", help="Instead of a target: go on from the result of this job.", show_default=False
    ),
]


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    options = [*_job_options(), *hyperparameter_options()]
    app.command(rich_help_panel=group)(with_options(submit, options))
    app.command(rich_help_panel=group)(with_options(run, options))


def submit(data: Data, to: To = None, from_job: From = None, as_json: AsJson = False, **options: Any) -> None:
    """Check and convert a dataset, submit it as a job, and print the job's id.

    The exit code is 0 if the vendor has the job or it waits here in the queue, and 4 while that is unclear.
    """
    job = _submit(data, to, {"from_job": from_job, **options})
    if as_json:
        print_json(job.model_dump(mode="json"))
    else:
        print_line(job.id)
    if job.unclear:
        raise Exit(UNCLEAR)


def run(
    data: Data,
    to: To = None,
    from_job: From = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder for the result; default: one named after the job.")
    ] = None,
    report: Reports = None,
    as_json: AsJson = False,
    **options: Any,
) -> None:
    """Submit a dataset, watch the job until it ends, and fetch the result."""
    from ftbridge.jobs.fetching import check_free

    reports = check_reports(report)
    folder = out or Path(options["name"]) if out or options["name"] else None
    if folder and not options["idempotency_key"]:  # the job of a key may have been fetched before
        check_free(folder)
    job = _submit(data, to, {"from_job": from_job, **options})
    job = follow([job.id], quiet=as_json, report=reports)[0]
    if job.status is Status.SUCCEEDED:
        result = fetch_into(job, out)
        job = job.model_copy(update={"result": result})
    if as_json:
        print_json(job.model_dump(mode="json"))
    elif job.status is Status.SUCCEEDED:
        where = f"its result is in {result.path}" if result.path else f"its model is {result.model}"
        print_line(f"{job.id} succeeded; {where}")
        print_message(f'Try it:  ftbridge chat {job.id} "…"')
    raise Exit(0 if job.status is Status.SUCCEEDED else 1)


def _submit(data: str, to: str | None, options: dict[str, Any]) -> Job:
    given = {name: value for name, value in options.items() if value is not None}
    given["map"] = parse_columns(given.get("map", ()))
    bridge = open_bridge()
    # without a terminal it would not be seen, and rich is loaded later, while the provider is at work
    message = "Checking the dataset and submitting it …"
    with error_console().status(message) if sys.stderr.isatty() else nullcontext():
        return bridge.submit(data, to, **given)


def with_options(command: Callable[..., None], options: Sequence[inspect.Parameter]) -> Callable[..., None]:
    """`command` with its own options and these, which it gets as keywords."""

    @wraps(command)
    def wrapped(**given: Any) -> None:
        command(**given)

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.kind is not p.VAR_KEYWORD]
    parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in [*own, *options]]
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect reads
    wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapped


def _job_options() -> list[inspect.Parameter]:
    return [
        _option("validation", str, "A file of examples for the validation loss, which are not trained on."),
        _option("method", str, "sft (default), dpo, rft or distill."),
        _option("grader", Path, "For rft: a JSON file with the vendor's grader, which scores the answers."),
        _option("response_format", Path, "For rft: a JSON file with the response format of the answers."),
        _option("teacher", str, "For distill: the job or target whose probabilities the model learns."),
        _option("format", str, FORMAT),
        _option("map", list[str], MAP, metavar="FROM=TO"),
        _option("name", str, "A name for the job."),
        _option("idempotency_key", str, "Your own key: a request with the same key always gives the same job."),
        _flag("again", "Create a new job, even if the same one was requested before."),
        _option("group", str, "A group for the job, such as a project: see `costs --by group`."),
        _option("max_cost", float, "Refuse the job, before any upload, if it may cost more US dollars.", least=0),
        _flag("allow_ignored", "Ignore settings that the provider does not have."),
    ]


def hyperparameter_options() -> list[inspect.Parameter]:
    """An option for each hyperparameter, in a panel of their own."""
    return [_hyperparameter(name, field) for name, field in Hyperparameters.model_fields.items()]


def _hyperparameter(name: str, field: FieldInfo) -> inspect.Parameter:
    kind = next(kind for kind in get_args(field.annotation) if kind is not type(None))
    values = get_args(kind)
    described = f"{field.description} One of {', '.join(values)}." if values else f"{field.description}"
    return _option(name, str if values else kind, described, panel=_PANEL)


def option_name(name: str) -> str:
    """The option that sets the hyperparameter or job setting of that name."""
    return f"--{name.replace('_', '-')}"


def _option(
    name: str,
    kind: type,
    help_text: str,
    *,
    panel: str | None = None,
    least: float | None = None,
    metavar: str | None = None,
) -> inspect.Parameter:
    named = option_name(name)
    named += f"/{option_name(f'no_{name}')}" if kind is bool else ""
    option = typer.Option(named, help=help_text, min=least, show_default=False, rich_help_panel=panel, metavar=metavar)
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type]  # made at run time, for typer to read
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _flag(name: str, help_text: str) -> inspect.Parameter:
    annotation = Annotated[bool, typer.Option(option_name(name), help=help_text)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
