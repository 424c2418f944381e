"""`demo`: the whole way on this machine, offline, in a few minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.data import print_report
from ftbridge.cli.models import print_scores
from ftbridge.cli.output import AsJson, Exit, open_bridge, print_json, say, show
from ftbridge.cli.watch import follow
from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Chat
from ftbridge.model import Job, Status
from ftbridge.sample import SampleFiles, sample_files

if TYPE_CHECKING:
    from ftbridge.bridge import Bridge
    from ftbridge.evaluation.scores import Evaluation

_BATCH = 8  # rows in a step: the answers are short, and few of them would teach too little at once


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(demo)


def demo(
    to: Annotated[str, typer.Option("--to", help="The target.")] = "local:tiny",
    as_json: AsJson = False,
) -> None:
    """The whole way, offline: check a dataset, train, watch, compare with the base, chat."""
    bridge, files, started = open_bridge(), sample_files(), time.monotonic()
    if as_json:
        job, found = _train(bridge, files, to, quiet=True)
        document = {"job": job.model_dump(mode="json"), "evaluation": found.model_dump(mode="json")}
        print_json({**document, "seconds": round(time.monotonic() - started, 1)})
        return

    _step("Support tickets in, strict JSON out. Is the dataset fit for the target?", f"check {files.train} --to {to}")
    print_report(bridge.check(files.train, [to]))
    _step(
        "Train a LoRA adapter on it.",
        f"run {files.train} --to {to} --validation {files.validation} --batch-size {_BATCH}",
    )
    job, found = _train(bridge, files, to, quiet=False)
    _step("Is it better than its base, on tickets neither has seen?", f"evaluate {job.id} {files.heldout} --baseline")
    print_scores(found)
    _print_losses(_validation_losses(bridge, job))
    _step("Talk to it.", f'chat {job.id} "…"')
    _print_one_ticket(bridge, job, files)
    _print_next(job, files)
    say(f"\nAll that took {time.monotonic() - started:.0f} s and left nothing outside {bridge.home}.")


def _train(bridge: Bridge, files: SampleFiles, to: str, *, quiet: bool) -> tuple[Job, Evaluation]:
    submitted = bridge.submit(
        files.train, to, validation=files.validation, name="demo", batch_size=_BATCH, allow_ignored=True
    )
    [job] = follow([submitted.id], quiet=quiet)
    if job.status is not Status.SUCCEEDED:
        say(f"error: job {job.id} {job.status}: {job.error}", style="bold red")
        raise Exit(1)
    return job, bridge.evaluate(job, files.heldout, baseline=True)


def _validation_losses(bridge: Bridge, job: Job) -> list[float]:
    return [event.valid_loss for event in bridge.events(job) if event.valid_loss is not None]


def _step(sentence: str, command: str) -> None:
    show(f"\n{sentence}", style="bold")
    show(f"$ ftbridge {command}\n", style="dim")


def _print_losses(losses: list[float]) -> None:
    if losses:
        show(f"Validation loss while training: {losses[0]:.3f} at the start, {losses[-1]:.3f} at the end.")


def _print_one_ticket(bridge: Bridge, job: Job, files: SampleFiles) -> None:
    chat = next(example for _line, example in read_examples(files.heldout) if isinstance(example, Chat))
    show(f"ticket  {chat.messages[-2].content}")
    show(f"model   {bridge.chat(job, Chat(messages=chat.messages[:-1])).text}")


def _print_next(job: Job, files: SampleFiles) -> None:
    show("\nNext:", style="bold")
    show(f"  ftbridge show {job.id}")
    show(f"  ftbridge fetch {job.id} --out my-adapter")
    show("  ftbridge run mine.jsonl --to local:tiny --epochs 3")
