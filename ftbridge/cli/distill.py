"""`distill`: the answers of a teacher as training rows."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ftbridge.cli.asking_options import Fresh, MaxCost
from ftbridge.cli.dataset_options import Columns
from ftbridge.cli.output import AsJson, open_bridge, print_json, print_line, print_message, print_sentence
from ftbridge.cli.scores import answered
from ftbridge.cli.text_file import read_text
from ftbridge.dataset.data_file import parse_columns
from ftbridge.errors import UsageError
from ftbridge.wording import counted, did_you_mean, dollars, printable

if TYPE_CHECKING:
    from ftbridge.distillation.results import Distillation

_REASONING = ("keep", "drop")


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(distill)


def distill(
    prompts: Annotated[str, typer.Argument(help="The prompts: chats, with an answer or without; - is standard input.")],
    teacher: Annotated[str, typer.Option(help="Who answers: a target, or a job.")],
    out: Annotated[Path, typer.Option(help="The file for the rows.")],
    samples: Annotated[int, typer.Option(min=1, help="How many answers to ask for each prompt.")] = 1,
    grader: Annotated[
        Path | None, typer.Option(help="Keep the best answer by the OpenAI grader in this JSON file.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="Keep the best answer by this metric: exact, label, json, tools, text, or a plugin's."),
    ] = None,
    judge: Annotated[str | None, typer.Option(help="The target that judges for the grader.")] = None,
    minimum: Annotated[float | None, typer.Option("--min", help="The least score of a row.")] = None,
    system: Annotated[Path | None, typer.Option(help="Ask with the text of this file as the system message.")] = None,
    hide_system: Annotated[
        bool, typer.Option("--hide-system", help="Leave the text of --system out of the rows.")
    ] = False,
    reasoning: Annotated[str, typer.Option(help="What to do with the teacher's reasoning: keep or drop.")] = "drop",
    temperature: Annotated[
        float | None, typer.Option(min=0, help="The sampling temperature; default: 1 for several samples.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="The most tokens of an answer.")] = None,
    near_duplicates: Annotated[
        bool, typer.Option("--near-duplicates", help="Ask one of several prompts that are nearly equal.")
    ] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="The file for answers that are no rows; default: OUT with .rejects.jsonl.")
    ] = None,
    max_cost: MaxCost = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")] = False,
    fresh: Fresh = False,
    map: Columns = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Make training rows of a teacher's answers to your prompts."""
    if reasoning not in _REASONING:
        what = f"--reasoning {printable(reasoning)} is neither keep nor drop"
        raise UsageError(what, hint=f"{did_you_mean(reasoning, _REASONING)}Give one of these.")
    given = {"temperature": temperature, "max_tokens": max_tokens}
    options: Any = {name: value for name, value in given.items() if value is not None}
    made = open_bridge().distill(
        prompts,
        teacher,
        out,
        samples=samples,
        grader=grader,
        metric=metric,
        judge=judge,
        minimum=minimum,
        system=read_text(system, "system", "system message") if system else None,
        hide_system=hide_system,
        reasoning="keep" if reasoning == "keep" else "drop",
        near_duplicates=near_duplicates,
        rejects=rejects,
        map=parse_columns(map or ()),
        max_cost_usd=max_cost,
        fresh=fresh,
        dry_run=dry_run,
        **options,
    )
    if as_json:
        print_json(made.model_dump(mode="json"))
    elif dry_run:
        _print_plan(made)
    else:
        _print_made(made)


def _print_plan(made: Distillation) -> None:
    cost = (
        "what that costs is not known" if made.estimate_usd is None else f"at most about {dollars(made.estimate_usd)}"
    )
    print_sentence(f"{made.teacher} would be asked {counted(made.questions, 'question')}: {cost}.")
    _print_prompts(made)


def _print_made(made: Distillation) -> None:
    score = "" if made.mean_score is None else f", with a mean score of {made.mean_score:.3f}"
    print_line(f"{made.out}: {counted(made.rows, 'row')}{score}")
    if made.rejected:
        reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in made.rejected.items())
        print_line(f"{made.rejects}: {counted(sum(made.rejected.values()), 'answer')} left out: {reasons}")
    _print_prompts(made)
    if made.reasoning_dropped:
        print_sentence(f"The reasoning of {counted(made.reasoning_dropped, 'answer')} was left out (--reasoning keep).")
    if made.answers:
        print_sentence(answered(made.answers))
    if made.rejected.get("failed"):
        print_sentence("The same command asks again what has failed for now.")
    print_message(f"Train on it:  ftbridge run {shlex.quote(str(made.out))} --to TARGET")


def _print_prompts(made: Distillation) -> None:
    left_out = [(made.duplicates, "equal to"), (made.near_duplicates, "nearly equal to")]
    for count, how in left_out:
        if count:
            print_sentence(f"{counted(count, 'prompt')} of {made.prompts:,} left out: {how} an earlier one.")
