"""`verify`: is what is served what was trained?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ftbridge.cli.dataset_options import Columns
from ftbridge.cli.output import AsJson, Exit, JobId, console, open_bridge, print_json, print_line, print_note, table
from ftbridge.dataset.data_file import parse_columns
from ftbridge.wording import counted, escaped

if TYPE_CHECKING:
    from ftbridge.provider.served import Token
    from ftbridge.verification.findings import FirstDifference, RowVerdict, Verification

_WORDS = {"same": "same", "different": "DIFFERENT", "unknown": "?"}
_LINES = 3  # that a cause names
_BESIDE = 13  # characters of a line beside the text and the token


def register(app: typer.Typer, group: str) -> None:
    """Add the command to a group of the app."""
    app.command(rich_help_panel=group)(verify)


def verify(
    job: JobId,
    at: Annotated[str | None, typer.Option(metavar="URL", help="A server with OpenAI's API: vLLM, llama.cpp …")] = None,
    ollama: Annotated[str | None, typer.Option(metavar="NAME", help="A model of Ollama's, at $OLLAMA_HOST.")] = None,
    gguf: Annotated[Path | None, typer.Option(metavar="FILE", help="A GGUF file.")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What `export` or `fetch` wrote: merged, or an adapter.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="The model's name at --at, where that has several.")] = None,
    rows: Annotated[
        str | None, typer.Option(help="Chats to ask about; default: the job's own validation or training rows.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows are asked.")] = 8,
    max_tokens: Annotated[int, typer.Option(min=1, help="The most tokens of an answer.")] = 128,
    greedy_only: Annotated[
        bool, typer.Option("--greedy-only", help="Do not ask without a temperature, as some clients do.")
    ] = False,
    map: Columns = None,  # noqa: A002 - the option's name
    as_json: AsJson = False,
) -> None:
    """Compare what is served with what was trained: prompts token by token, and greedy answers.

    Exit code 0: the same; 1: different; 4: the server cannot be reached.
    """
    result = open_bridge().verify(
        job,
        at=at,
        ollama=ollama,
        gguf=gguf,
        folder=folder,
        model=model,
        rows=rows,
        limit=limit,
        max_tokens=max_tokens,
        greedy_only=greedy_only,
        map=parse_columns(map or ()),
    )
    if as_json:
        print_json(result.model_dump(mode="json"))
    else:
        print_verification(result)
    raise Exit(0 if result.same else 1)


def print_verification(result: Verification) -> None:
    """The rows as a table, the first difference in full, the causes with what to do, and the verdict."""
    lines = [[str(row.line), _WORDS[row.prompt], _WORDS[row.answer], _why(row), _gap(row)] for row in result.rows]
    console().print(table(["line", "prompt", "greedy answer", "why", "logprobs"], lines, right=(0, 4), fold=3))
    shown = next((row for row in result.rows if row.first and not row.same), None)
    if shown and shown.first:
        _print_difference(shown.line, shown.first)
    for cause in result.causes:
        where = ", ".join(map(str, cause.lines[:_LINES])) + ", …" * (len(cause.lines) > _LINES)
        print_note(f"{cause.code}: {cause.message}" if cause.decisive else f"note: {cause.message}", indent="")
        if cause.decisive:
            print_note(f"{'Lines' if len(cause.lines) > 1 else 'Line'} {where}. {cause.fix}")
    for sentence in result.not_compared:
        print_note(f"not compared: {sentence}", indent="")
    print_note(_verdict(result), indent="")


def _verdict(result: Verification) -> str:
    served = result.served
    what = f"{served.model} ({served.server}" + (f", {served.quantisation}" if served.quantisation else "") + ")"
    different = sum(not row.same for row in result.rows)
    if not different:
        return f"Same: {what} answers {counted(len(result.rows), 'row')} as {result.job} does."
    return f"Different: {what} is not what {result.job} trained, in {different} of {counted(len(result.rows), 'row')}."


def _why(row: RowVerdict) -> str:
    return ", ".join(dict.fromkeys(finding.code for finding in row.findings if finding.decisive))


def _gap(row: RowVerdict) -> str:
    return "" if row.logprob_gap is None else f"±{row.logprob_gap:.3f}"


def _print_difference(line: int, first: FirstDifference) -> None:
    where = f", at token {first.index}" if first.index is not None else ""
    print_line(f"Line {line}, the first difference of the {first.where}{where}:")
    rows = [
        ["both", "…" + _one_line(first.before) if first.before else "(nothing)", ""],
        ["trained", _one_line(first.trained_text) or "(ends)", _token(first.trained)],
        ["served", _one_line(first.served_text) or ("(ends)" if first.served is None else ""), _token(first.served)],
    ]
    width = console().width
    for name, text, token in rows:
        room = max(width - _BESIDE - len(token), 20)
        cut = text if len(text) <= room else ("…" + text[-room + 1 :] if name == "both" else text[: room - 1] + "…")
        print_line(f"  {name:<8} {cut}" + (f"  {token}" if token else ""))
    print_line("")


def _token(token: Token | None) -> str:
    if token is None:
        return ""
    return f"[{token.id if token.id is not None else '?'}" + (f" {_one_line(token.text)}]" if token.text else "]")


def _one_line(text: str) -> str:
    return escaped(text.replace("\n", "↵"))
