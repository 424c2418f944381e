"""The entry point: one command is run, and every error ends in one way."""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer
from pydantic import ValidationError

from ftbridge.cli.commands import COMMANDS, app_with
from ftbridge.cli.completion import VARIABLE, join_at_colons
from ftbridge.cli.global_options import GlobalOptions, take_global_options
from ftbridge.cli.logs import logging_to
from ftbridge.cli.output import Stopped, line_end, print_error, print_message
from ftbridge.errors import FtbridgeError, InputError, UsageError
from ftbridge.foreign.redaction import redact
from ftbridge.foreign.values import clean
from ftbridge.wording import broken_rule, printable

_INTERRUPTED = 130
# typer keeps its parser private; the base class of what it raises for bad usage is not exported by name
_BadUsage: type[Exception] = typer.BadParameter.__mro__[1]
_logger = logging.getLogger(__name__)


def _help_hint(arguments: list[str]) -> str:
    if arguments and arguments[0] in COMMANDS:
        return f"`ftbridge {arguments[0]} --help` lists its options."
    return "`ftbridge --help` lists the commands."


def _what_is_wrong(problem: Any) -> str:
    """A sentence for bad usage; where pydantic has read a value, in our words instead of its."""
    if not isinstance(problem.__cause__, ValidationError):
        return str(problem.message if getattr(problem, "possibilities", None) else problem.format_message())
    [first, *_] = problem.__cause__.errors()
    option = problem.param.get_error_hint().strip("'")
    return f"{option} = {printable(repr(first['input']))} cannot be used: {broken_rule(first)}"


def main() -> None:
    """Run the command line and exit with its code: 0, 1, 2, 3, 4 or 130, as listed in `errors`."""
    # without an open descriptor Python has no stream at all
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115, PTH123
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command; the exit code. Options of all commands may stand before the command or after it."""
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what the terminal's encoding lacks is escaped
    try:
        _check(arguments)
        chosen, arguments = take_global_options(arguments)
        with logging_to(chosen.log_file, verbose=chosen.verbose):
            return _run(arguments, chosen, debug=debug or chosen.debug, as_json=as_json)
    except Stopped:
        return _INTERRUPTED
    except UsageError as problem:
        return _report(problem, arguments, as_json=as_json, debug=debug)


def _check(arguments: Sequence[str]) -> None:
    """Raises `UsageError` for what is a mistake in every command: an empty argument, and one that is not text."""
    before = ""
    for argument in arguments:
        if not argument or (argument.startswith("--") and argument.endswith("=")):
            named = argument[:-1] or (before if before.startswith("-") else "an argument")
            raise UsageError(f"{printable(named)} is empty", hint="Give it a value, or leave it out.")
        if "\0" in argument:
            raise UsageError(f"{printable(repr(argument))} has the character U+0000", hint="No name can have it.")
        if clean(argument) != argument and not _names_file(argument, before):
            what = f"{printable(repr(argument))} is not UTF-8, and not the name of a file"
            raise UsageError(what, hint="Check the name, or type it again.")
        before = argument


def _names_file(argument: str, before: str) -> bool:
    """Whether it is, or will be, the name of a file, which need not be UTF-8."""
    option, sign, value = argument.partition("=")
    path = value if sign and option.startswith("--") else argument
    return "--out" in (option, before) or os.path.exists(path)  # noqa: PTH110  # of a name that is too long: False


def _run(arguments: list[str], chosen: GlobalOptions, *, debug: bool, as_json: bool) -> int:
    if chosen.insecure_base_url:
        from ftbridge.provider.connection import INSECURE

        os.environ[INSECURE] = "1"
    try:
        join_at_colons(os.environ)
        if not arguments and VARIABLE not in os.environ:
            from ftbridge.cli.next_steps import print_next_steps

            print_next_steps()
            return 0
        app = app_with(arguments[0] if arguments else None)
        code = app(arguments, prog_name="ftbridge", standalone_mode=False) or 0
        if code == _INTERRUPTED:  # which is all that typer makes of Ctrl-C
            print_message(f"{line_end()}interrupted")
        return int(code)
    except (KeyboardInterrupt, typer.Abort):
        print_message(f"{line_end()}interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # the reader has closed the pipe
        return 0
    except Exception as problem:
        return _report(problem, arguments, as_json=as_json, debug=debug)


def _report(problem: Exception, arguments: list[str], *, as_json: bool, debug: bool) -> int:
    """Log and print what ended a command, with `debug` its traceback too; the exit code."""
    error = _error_of(problem, arguments)
    _logger.error("%s", error.message, exc_info=type(error) is FtbridgeError)
    if debug and not isinstance(problem, _BadUsage):
        print_message(redact(traceback.format_exc()))  # in which SDKs may show keys
    try:
        print_error(error, as_json=as_json)
    except OSError:  # the disk below stdout is full
        _drop_output()
        print_error(error, as_json=False)
    return error.exit_code


def _drop_output() -> None:
    """What is still buffered must not raise again when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _error_of(problem: Exception, arguments: list[str]) -> FtbridgeError:
    """What ended a command, as a sentence: never a traceback."""
    if isinstance(problem, FtbridgeError):
        return problem
    if isinstance(problem, _BadUsage):
        meant = "".join(f"Did you mean {name!r}? " for name in (getattr(problem, "possibilities", None) or ())[:1])
        return UsageError(_what_is_wrong(problem), hint=f"{meant}{_help_hint(arguments)}")
    if isinstance(problem, OSError):
        file = f"{printable(str(problem.filename), 200)} cannot be used: " if problem.filename else ""
        reason = (problem.strerror or str(problem)).lower()
        return InputError(f"{file}{reason}", hint="Check the path, its permissions, and the space there.")
    return FtbridgeError(f"{type(problem).__name__}: {problem}", hint="This is a bug: --debug shows where it happened.")
