"""The entry point: all commands in one app, in the groups that `--help` shows, and one way for every error to end."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from types import ModuleType
from typing import Annotated

import typer

from ftbridge.cli import (
    catalogue,
    compare,
    costs,
    data,
    demo,
    deploy,
    import_jobs,
    jobs,
    lifecycle,
    listing,
    migrate,
    mock,
    providers,
    recover,
    removal,
    report,
    results,
    submit,
    trust,
    watch,
)
from ftbridge.cli.global_options import GlobalOptions, LogFile, Verbose, take_global_options
from ftbridge.cli.logs import logging_to
from ftbridge.cli.output import Stopped, line_end, print_error, print_line, print_message
from ftbridge.errors import FtbridgeError, UsageError
from ftbridge.provider.connection import INSECURE
from ftbridge.redaction import redact

_GROUPS: dict[str, tuple[ModuleType, ...]] = {
    "Data": (data,),
    "Jobs": (submit, listing, watch, jobs, recover, import_jobs, removal),
    "Results": (results, report),
    "Costs and moving": (catalogue, compare, costs, lifecycle, migrate),
    "Serving": (deploy,),
    "Set-up": (demo, providers, mock, trust),
}
_INTERRUPTED = 130
# typer keeps its parser private; the base class of what it raises for bad usage is not exported by name
_BadUsage: type[Exception] = typer.BadParameter.__mro__[1]
_logger = logging.getLogger(__name__)

app = typer.Typer(
    name="ftbridge",
    help="One dataset, one job, any fine-tuning provider: changing vendor is changing one string.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _title, _modules in _GROUPS.items():
    for _module in _modules:
        _module.register(app, _title)


def _help_hint(arguments: list[str]) -> str:
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    if arguments and arguments[0] in known:
        return f"`ftbridge {arguments[0]} --help` lists its options."
    return "`ftbridge --help` lists the commands."


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print_line(version("ftbridge"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    verbose: Verbose = False,
    log_file: LogFile = None,
    insecure_base_url: Annotated[
        bool, typer.Option("--insecure-base-url", help="Send API keys even to a base URL that is not https.")
    ] = False,
) -> None:
    """One dataset, one job, any fine-tuning provider: changing vendor is changing one string."""


def main() -> None:
    """Run the command line and exit with its code: 0, 1, 2, 3, 4 or 130, as listed in `errors`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command; the exit code. Options of all commands may stand before the command or after it."""
    as_json = "--json" in arguments
    try:
        chosen, arguments = take_global_options(arguments)
        with logging_to(chosen.log_file, verbose=chosen.verbose):
            return _run(arguments, chosen, debug=debug or chosen.debug, as_json=as_json)
    except Stopped:
        return _INTERRUPTED
    except UsageError as problem:
        _report_error(problem, as_json=as_json, debug=debug)
        return problem.exit_code


def _run(arguments: list[str], chosen: GlobalOptions, *, debug: bool, as_json: bool) -> int:
    if chosen.insecure_base_url:
        os.environ[INSECURE] = "1"
    try:
        code = app(arguments or ["--help"], prog_name="ftbridge", standalone_mode=False) or 0
        if code == _INTERRUPTED:  # which is all that typer makes of Ctrl-C
            print_message(f"{line_end()}interrupted")
        return int(code)
    except FtbridgeError as problem:
        _report_error(problem, as_json=as_json, debug=debug)
        return problem.exit_code
    except _BadUsage as problem:
        sentence = getattr(problem, "format_message", problem.__str__)().replace("Value error, ", "")  # pydantic's word
        _report_error(UsageError(sentence, hint=_help_hint(arguments)), as_json=as_json)
        return UsageError.exit_code
    except (KeyboardInterrupt, typer.Abort):
        print_message(f"{line_end()}interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # the reader has closed the pipe; what is still buffered must not raise again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:  # the last line of defence: a sentence, never a traceback
        what = f"{type(problem).__name__}: {problem}"
        bug = FtbridgeError(what, hint="This is a bug: --debug shows where it happened.")
        _report_error(bug, as_json=as_json, debug=debug, is_bug=True)
        return FtbridgeError.exit_code


def _report_error(error: FtbridgeError, *, as_json: bool, debug: bool = False, is_bug: bool = False) -> None:
    """Log and print an error that is being handled; with `debug`, its traceback too, in which SDKs may show keys."""
    _logger.error("%s", error.message, exc_info=is_bug)
    if debug:
        print_message(redact(traceback.format_exc()))
    print_error(error, as_json=as_json)
