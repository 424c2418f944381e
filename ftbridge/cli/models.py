"""The commands about models: who trains them, talking to them, scoring them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.output import AsJson, JobId, console, number, open_bridge, print_json, say, show, show_note, table
from ftbridge.cli.submit import option_name
from ftbridge.errors import UsageError
from ftbridge.plugins import load_provider, provider_names
from ftbridge.target import Target
from ftbridge.wording import counted

if TYPE_CHECKING:
    from ftbridge.evaluation.scores import Evaluation

_VERDICTS = {
    "better": "So the new model is better.",
    "as good": "So the new model is as good: it loses {margin} points at most.",
    "worse": "So the new model is worse.",
    "undecided": "So it is undecided whether it loses more than {margin} points: give more held-out rows to know.",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    for command in (providers, chat, evaluate):
        app.command()(command)


def providers(as_json: AsJson = False) -> None:
    """The installed providers and what each can do."""
    from ftbridge.home import find_home

    found = {name: load_provider(Target(name, ""), find_home()).capabilities for name in provider_names()}
    if as_json:
        print_json({"providers": [{"name": name, **able.model_dump(mode="json")} for name, able in found.items()]})
        return
    for name, able in found.items():
        taken = [key for key, handling in able.hyperparameters.items() if handling.how != "refused"]
        show(name, style="bold")
        show_note(f"methods: {', '.join(sorted(able.methods))}")
        show_note(f"commands: {', '.join(able.commands)}")
        show_note(f"hyperparameters: {' '.join(map(option_name, taken))}")
    show("\nAll take submit, run, show, watch, events and fetch.")


def chat(
    job: JobId,
    prompt: Annotated[str | None, typer.Argument(help="What to say; left out, it is read from the keyboard.")] = None,
    system: Annotated[str | None, typer.Option(help="A system message before it.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The longest reply, in tokens.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0, help="0 is the most likely answer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Talk to the tuned model."""
    bridge = open_bridge()
    given = {"max_tokens": max_tokens, "temperature": temperature}
    options = {name: value for name, value in given.items() if value is not None}
    for question in [prompt] if prompt is not None else _questions():
        reply = bridge.chat(job, question, system=system, **options)
        if as_json:
            usage = reply.usage.model_dump() if reply.usage else None
            print_json({"reply": reply.text, "model": reply.model, "usage": usage})
        else:
            show(reply.text)


def _questions() -> list[str]:
    if not sys.stdin.isatty():
        text = sys.stdin.read().strip()
        if not text:
            raise UsageError("there is no prompt", hint='Give one: ftbridge chat JOB "…"')
        return [text]
    say("One prompt per line, Ctrl-D ends.")
    return [line.strip() for line in sys.stdin if line.strip()]


def evaluate(
    job: JobId,
    data: Annotated[str, typer.Argument(help="Held-out chats; each last message is the expected answer.")],
    baseline: Annotated[bool, typer.Option("--baseline", help="Score the base model as well.")] = False,
    against: Annotated[str | None, typer.Option(help="Another job, to be compared on the same rows.")] = None,
    margin: Annotated[float, typer.Option(min=0, help="The share of exact answers it may lose and be as good.")] = 0.05,
    as_json: AsJson = False,
) -> None:
    """Score the tuned model on held-out rows: exact answers, and loss."""
    found = open_bridge().evaluate(job, data, baseline=baseline, against=against, margin=margin)
    if as_json:
        print_json(found.model_dump(mode="json", exclude_none=not baseline))
        return
    print_scores(found)


def print_scores(found: Evaluation) -> None:
    """The scores as a table, the base first where it was asked too."""
    tuned = found.job if found.rival else "tuned"
    scores = {"base": found.baseline, found.rival or "": found.against, tuned: found.tuned}
    rows = [[name, f"{score.exact_match:.1%}", number(score.loss)] for name, score in scores.items() if score]
    console().print(table([counted(found.rows, "held-out row"), "exact answers", "loss"], rows, right=(1, 2)))
    if pair := found.paired:
        low, high, margin = 100 * pair.low, 100 * pair.high, 100 * pair.margin
        show(f"Exact answers of {found.job} less those of {found.rival}: {100 * pair.difference:+.1f} points.")
        show(f"95 times in 100 the true difference is between {low:+.1f} and {high:+.1f} points.")
        show(_VERDICTS[pair.verdict].format(margin=f"{margin:g}"))
