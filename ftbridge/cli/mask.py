"""`check --show-mask`: rows as the model reads them, with the tokens that are trained.

A line begins with + where its tokens are trained, as in a diff, so that it can be read without colour. In colour the
tokens of a trained stretch alternate, so that each can be told from the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, groupby
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from ftbridge.cli.findings import finding_document, print_findings
from ftbridge.cli.output import Exit, console, print_json, print_line, print_note
from ftbridge.dataset import Finding, RenderedRow, RenderedToken
from ftbridge.errors import UsageError
from ftbridge.foreign.redaction import without_keys_in_use
from ftbridge.wording import counted, escaped

if TYPE_CHECKING:
    from rich.text import Text

    from ftbridge.context import Context
    from ftbridge.data import RenderedLine

_MOST_ROWS = 3  # that are shown unless one is asked for
_HEAD, _TAIL = 8, 3  # lines that are shown of a longer stretch, unless the row is asked for
_TRAINED = ("black on green", "black on bright_green")
_MARGIN = 2  # characters before each line


def show_masks(
    context: Context, data: str, to: Sequence[str], only: int | None, options: Mapping[str, Any], *, as_json: bool
) -> NoReturn:
    """Print the rows, for people the first ones or the one on line `only`; what cannot be trained is an error."""
    if len(to) != 1:
        raise UsageError("--show-mask shows the rows of one target", hint="Give --to local:MODEL, once.")
    from ftbridge.data import render

    lines = render(context, data, to[0], line=only, **options)
    shown, errors = 0, list[Finding]()
    for line in map(_without_keys, lines):
        if shown == _MOST_ROWS and not as_json:
            print_note("--show-mask LINE shows another row in full, and --json all rows.", indent="")
            break
        errors += line.errors
        shown += bool(line.rows)
        if as_json:
            _print_documents(line)
            continue
        for row in line.rows:
            print_line(f"line {line.line}" + (f", {row.output}" if row.output else "") + f": {_summary(row)}")
            _print_row(row, in_full=only is not None)
    if not as_json:
        print_findings(tuple(errors))
    raise Exit(1 if errors else 0)


def _without_keys(line: RenderedLine) -> RenderedLine:
    """The line; one with a key in use is an error instead, since its tokens would show the key in parts."""
    if not any(without_keys_in_use(row.text) != row.text for row in line.rows):
        return line
    message = "the row holds an API key that is in use here, so it is not shown"
    return line._replace(rows=(), errors=(Finding(line.line, "$", "error", "secret", message, "Remove the key."),))


def _print_documents(line: RenderedLine) -> None:
    """A JSON line for each row, or one with what is wrong with it."""
    for row in line.rows:
        fields: dict[str, Any] = msgspec.to_builtins(row)
        print_json({"line": line.line, **fields})
    if line.errors:
        print_json({"line": line.line, "errors": [finding_document(finding) for finding in line.errors]})


def _summary(row: RenderedRow) -> str:
    trained = sum(token.trained for token in row.tokens)
    last = next((token.text for token in reversed(row.tokens) if token.trained), "")
    end = "no end token is trained" if row.end is None else f"the answer ends with {last} (id {row.end})"
    cut = f"; {counted(row.cut_off, 'token')} more, which do not fit, are cut off" if row.cut_off else ""
    return f"{counted(len(row.tokens), 'token')}, {trained:,} of them trained; {end}{cut}"


def _print_row(row: RenderedRow, *, in_full: bool) -> None:
    for trained, tokens in groupby(row.tokens, lambda token: token.trained):
        margin = "+ " if trained else "  "
        lines = [part for line in _lines(tokens) for part in _wrapped(line)]
        left_out = 0 if in_full else len(lines) - _HEAD - _TAIL
        for index, line in enumerate(lines):
            if left_out <= 0 or not _HEAD <= index < len(lines) - _TAIL:
                console().print(margin, line, sep="", soft_wrap=True)
            elif index == _HEAD:
                print_line(f"{margin}… {counted(left_out, 'more line')}", style="dim")


def _lines(tokens: Iterable[RenderedToken]) -> Iterator[Text]:
    """The lines of a stretch, with a sign where the row itself has a line break."""
    from rich.text import Text

    line, line_break = Text(), "↵" if console().encoding.startswith("utf") else "\\n"
    for index, token in enumerate(token for token in tokens if token.text):
        style = _TRAINED[index % 2] if token.trained else ""
        *ended, rest = escaped(token.text, keep="\n").split("\n")
        for part in ended:
            yield line.append(part + line_break, style)
            line = Text()
        line.append(rest, style)
    if line:
        yield line


def _wrapped(line: Text) -> Iterable[Text]:
    """The parts of a line that fit on the terminal, where there is one."""
    from rich.cells import chop_cells

    if not console().is_terminal:
        return [line]
    parts = chop_cells(line.plain, console().width - _MARGIN)
    return line.divide(accumulate(map(len, parts[:-1])))
