"""The commands that use a finished job's result: `fetch`, `export`, `chat` and `evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.dataset_options import Columns
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
from ftbridge.dataset.data_file import parse_columns
from ftbridge.errors import UsageError
from ftbridge.model import Job, Result
from ftbridge.provider.capabilities import ExportForm
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.evaluation.scores import Evaluation

_VERDICTS = {
    "better": "The new model is better.",
    "as good": "The new model is as good: it loses {margin} points at most.",
    "worse": "The new model is worse.",
    "undecided": "It is undecided whether the new model loses more than {margin} points: evaluate on more rows.",
}


def register(app: typer.Typer, group: str) -> None:
    """Add the commands to a group of the app."""
    for command in (fetch, export, checkpoints, chat, evaluate):
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


def evaluate(
    job: JobId,
    data: Annotated[str, typer.Argument(help="Held-out chats; the last message of each is the expected answer.")],
    baseline: Annotated[bool, typer.Option("--baseline", help="Score the base model as well.")] = False,
    against: Annotated[str | None, typer.Option(help="Another job to compare with, on the same rows.")] = None,
    margin: Annotated[
        float, typer.Option(min=0, help="The share of exact answers that counts as no loss, with --against.")
    ] = 0.05,
    rows: Annotated[
        Path | None, typer.Option(help="Write each row's answer and loss into this file, as JSON Lines.")
    ] = None,
    map: Columns = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Score the tuned model on held-out rows: exact answers, and loss."""
    columns = parse_columns(map or ())
    evaluation = open_bridge().evaluate(
        job, data, baseline=baseline, against=against, margin=margin, map=columns, rows=rows
    )
    if as_json:
        print_json(evaluation.model_dump(mode="json", exclude_none=not baseline))
    else:
        print_scores(evaluation)


def print_scores(evaluation: Evaluation) -> None:
    """The scores as a table, the base model first where it was scored too."""
    tuned = evaluation.job if evaluation.rival else "tuned"
    scores = {"base": evaluation.baseline, evaluation.rival or "": evaluation.against, tuned: evaluation.tuned}
    rows = [[name, f"{score.exact_match:.1%}", number(score.loss)] for name, score in scores.items() if score]
    console().print(table([counted(evaluation.rows, "held-out row"), "exact answers", "loss"], rows, right=(1, 2)))
    if pair := evaluation.paired:
        low, high, margin = 100 * pair.low, 100 * pair.high, 100 * pair.margin
        difference = f"{100 * pair.difference:+.1f} points (95% interval: {low:+.1f} to {high:+.1f})"
        print_line(f"Exact answers, {evaluation.job} minus {evaluation.rival}: {difference}.")
        print_line(_VERDICTS[pair.verdict].format(margin=f"{margin:g}"))
