"""The entry point: all commands in one app, and one way for every error to end."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from ftbridge.cli import catalogue, compare, costs, data, demo, jobs, lifecycle, migrate, mock, models, submit
from ftbridge.cli import deploy as serving
from ftbridge.cli import import_jobs as importing
from ftbridge.cli import recover as recovering
from ftbridge.cli import report as reporting
from ftbridge.cli.output import print_error, say, show
from ftbridge.errors import FtbridgeError, UsageError
from ftbridge.provider.connection import INSECURE

app = typer.Typer(
    name="ftbridge",
    help="One dataset, one job, any fine-tuning provider: changing vendor is changing one string.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (
    demo,
    data,
    catalogue,
    compare,
    submit,
    jobs,
    reporting,
    recovering,
    importing,
    migrate,
    lifecycle,
    models,
    serving,
    costs,
    mock,
):
    group.register(app)

_INTERRUPTED = 130
# typer keeps its parser private; the base class of what it raises for bad usage is not exported by name
_BadUsage: type[Exception] = typer.BadParameter.__mro__[1]


def _where_help_is(arguments: list[str]) -> str:
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    if arguments and arguments[0] in known:
        return f"`ftbridge {arguments[0]} --help` lists its options."
    return "`ftbridge --help` lists the commands."


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        show(version("ftbridge"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    insecure_base_url: Annotated[
        bool, typer.Option("--insecure-base-url", help="Send keys to a base URL that is not https as well.")
    ] = False,
) -> None:
    """One dataset, one job, any fine-tuning provider: changing vendor is changing one string."""


def main() -> None:
    """Run the command line and exit with its code: 0, 1, 2, 3, 4 or 130, as `errors` draws them."""
    anywhere = ("--debug", "--insecure-base-url")  # these may stand before the command and after it
    arguments = [word for word in sys.argv[1:] if word not in anywhere]
    if "--insecure-base-url" in sys.argv[1:]:
        os.environ[INSECURE] = "1"
    sys.exit(run(arguments, debug="--debug" in sys.argv[1:]))


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command; the exit code."""
    as_json = "--json" in arguments
    try:
        code = app(arguments or ["--help"], prog_name="ftbridge", standalone_mode=False) or 0
        if code == _INTERRUPTED:  # which is all that typer makes of Ctrl-C
            say("interrupted")
        return int(code)
    except FtbridgeError as problem:
        if debug:
            raise
        print_error(problem, as_json=as_json)
        return problem.exit_code
    except _BadUsage as problem:
        sentence = getattr(problem, "format_message", problem.__str__)().replace("Value error, ", "")  # pydantic's word
        print_error(UsageError(sentence, hint=_where_help_is(arguments)), as_json=as_json)
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # the reader has seen enough; what is still buffered must not raise again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:  # the last line of defence: a sentence, never a traceback
        if debug:
            raise
        what = f"{type(problem).__name__}: {problem}"
        print_error(
            FtbridgeError(what, hint="This was not foreseen: --debug shows where it happened."), as_json=as_json
        )
        return FtbridgeError.exit_code
