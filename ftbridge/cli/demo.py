"""`demo`: the whole workflow on this machine, offline, in a few minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.data import print_report
from ftbridge.cli.output import AsJson, Exit, open_bridge, print_json, print_line, print_message
from ftbridge.cli.scores import print_scores
from ftbridge.cli.watch import follow
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Chat
from ftbridge.model import Job, Status
from ftbridge.sample import SampleFiles, sample_files

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.evaluation.results import Evaluation

_REPORT = "demo.html"
_BATCH = 8  # rows in a step: the answers are short, and fewer would give a noisy gradient


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(demo)


def demo(
    to: Annotated[str, typer.Option("--to", help="The target.")] = "local:tiny",
    as_json: AsJson = False,
) -> None:
    """Run the whole workflow offline: check a dataset, train, watch, evaluate, chat."""
    bridge, files, started = open_bridge(), sample_files(), time.monotonic()
    if as_json:
        job, evaluation = _train(bridge, files, to, quiet=True)
        document = {"job": job.model_dump(mode="json"), "evaluation": evaluation.model_dump(mode="json")}
        report = str(bridge.write_report(job, bridge.home / _REPORT))
        print_json({**document, "report": report, "seconds": round(time.monotonic() - started, 1)})
        return

    _step("Support tickets in, strict JSON out. Is the dataset valid for the target?", f"check {files.train} --to {to}")
    print_report(bridge.check(files.train, [to]))
    _step(
        "Train a LoRA adapter on it.",
        f"run {files.train} --to {to} --validation {files.validation} --batch-size {_BATCH}",
    )
    job, evaluation = _train(bridge, files, to, quiet=False)
    _step(
        "Is it better than its base model, on tickets that neither has seen?",
        f"evaluate {job.id} {files.heldout} --baseline",
    )
    print_scores(evaluation)
    _print_losses(_validation_losses(bridge, job))
    _step("Send it a ticket.", f'chat {job.id} "…"')
    _print_one_ticket(bridge, job, files)
    _step("Have all of it in one file, to show to others.", f"report {job.id} --out {bridge.home / _REPORT}")
    print_line(f"Open {bridge.write_report(job, bridge.home / _REPORT)} in a browser.")
    _print_next(job, files)
    print_line(f"\n{_verdict(evaluation)}", style="bold")
    print_message(f"\nAll of this took {time.monotonic() - started:.0f} s. All files are in {bridge.home}.")


def _train(bridge: Bridge, files: SampleFiles, to: str, *, quiet: bool) -> tuple[Job, Evaluation]:
    submitted = bridge.submit(
        files.train, to, validation=files.validation, name="demo", batch_size=_BATCH, allow_ignored=True
    )
    [job] = follow([submitted.id], quiet=quiet)
    if job.status is not Status.SUCCEEDED:
        print_message(f"error: job {job.id} {job.status}: {job.error}", style="bold red")
        raise Exit(1)
    return job, bridge.evaluate(job, files.heldout, baseline=True)


def _validation_losses(bridge: Bridge, job: Job) -> list[float]:
    return [event.valid_loss for event in bridge.events(job) if event.valid_loss is not None]


def _step(sentence: str, command: str) -> None:
    print_line(f"\n{sentence}", style="bold")
    print_line(f"$ ftbridge {command}\n", style="dim")


def _print_losses(losses: list[float]) -> None:
    if losses:
        print_line(f"Validation loss: {losses[0]:.3f} at the start of training, {losses[-1]:.3f} at the end.")


def _print_one_ticket(bridge: Bridge, job: Job, files: SampleFiles) -> None:
    chat = next(example for _line, example in read_examples(files.heldout) if isinstance(example, Chat))
    print_line(f"ticket  {chat.messages[-2].content}")
    print_line(f"model   {bridge.chat(job, Chat(messages=chat.messages[:-1])).text}")


def _verdict(evaluation: Evaluation) -> str:
    from ftbridge.report.scores import judged, model_names

    found = judged(evaluation, model_names(evaluation))
    return f"{found.headline}. {found.details[0]}"


def _print_next(job: Job, files: SampleFiles) -> None:
    print_line("\nNext:", style="bold")
    print_line(f"  ftbridge show {job.id}")
    print_line(f"  ftbridge fetch {job.id} --out my-adapter")
    print_line("  ftbridge run mine.jsonl --to local:tiny --epochs 3")
