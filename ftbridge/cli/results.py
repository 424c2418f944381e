"""The commands that use a finished job's result: `fetch`, `export`, `checkpoints` and `chat`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ftbridge.cli.output import (
    AsJson,
    JobId,
    console,
    number,
    open_bridge,
    print_json,
    print_line,
    table,
)
from ftbridge.errors import UsageError
from ftbridge.model import Job, Result
from ftbridge.provider.capabilities import ExportForm


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (fetch, export, checkpoints, chat):
        app.command(rich_help_panel=group)(command)


def fetch(
    job: JobId,
    out: Annotated[Path | None, typer.Option(help="The folder to write; default: one named after the job.")] = None,
    as_json: AsJson = False,
) -> None:
    """Download a finished job's result into a folder."""
    finished = open_bridge().job(job)
    _print_result(finished, fetch_into(finished, out), as_json=as_json)


def export(
    job: JobId,
    out: Annotated[Path, typer.Option(help="The folder to write, new or empty.")],
    form: Annotated[ExportForm, typer.Option("--format", help="The format to write.")] = "merged",
    as_json: AsJson = False,
) -> None:
    """Write a finished job's result for other programs: as adapter, merged model, GGUF file, or for Ollama."""
    bridge = open_bridge()
    finished = bridge.job(job)
    _print_result(finished, bridge.export(finished, out, form=form), as_json=as_json)


def checkpoints(job: JobId, as_json: AsJson = False) -> None:
    """List the checkpoints of a job, with the losses at their steps and the names by which the provider has them."""
    saved = open_bridge().checkpoints(job)
    if as_json:
        print_json({"checkpoints": [one.model_dump(mode="json") for one in saved]})
        return
    if not saved:
        print_line("It has no checkpoints.")
        return
    rows = [[f"{one.step}", number(one.train_loss), number(one.valid_loss), one.model] for one in saved]
    console().print(table(["step", "loss", "valid", "checkpoint"], rows, right=(0, 1, 2), fold=3))


def fetch_into(job: Job, out: Path | None) -> Result:
    """Fetch into `out`, or into a folder named after the job."""
    return open_bridge().fetch(job, out or Path(job.name or job.id))


def _print_result(job: Job, result: Result, *, as_json: bool) -> None:
    if as_json:
        print_json(job.model_copy(update={"result": result}).model_dump(mode="json"))
    else:
        print_line(str(result.path or result.model))


def chat(
    job: JobId,
    prompt: Annotated[
        str | None, typer.Argument(help="The prompt; default: a conversation on a terminal, else standard input.")
    ] = None,
    system: Annotated[str | None, typer.Option(help="A system message before the prompt.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The most tokens of a reply.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="The sampling temperature; 0 is greedy.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send prompts to the tuned model."""
    bridge = open_bridge()
    tuned = bridge.job(job)  # once, since "last" may be another one by the next prompt
    given = {"max_tokens": max_tokens, "temperature": temperature}
    options: Any = {name: value for name, value in given.items() if value is not None}
    if prompt is None and sys.stdin.isatty() and not as_json:
        from ftbridge.cli.conversation import converse

        converse(bridge, tuned, system=system, options=options)
        return
    for question in [prompt] if prompt is not None else _prompts():
        reply = bridge.chat(tuned, question, system=system, **options)
        if as_json:
            document = reply.model_dump(mode="json")
            print_json({"reply": document.pop("text"), **document})
        else:
            print_line(reply.text)


def _prompts() -> Iterator[str]:
    """A prompt a line of a terminal, and otherwise all of standard input as one."""
    if sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    text = sys.stdin.read().strip()
    if not text:
        raise UsageError("there is no prompt", hint='Give one: ftbridge chat JOB "…"')
    yield text
