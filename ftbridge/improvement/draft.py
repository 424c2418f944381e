"""A draft for a second round: training rows to repair and to repeat, and templates of rows to be written.

Held-out rows are left out unless they are asked for: a row that was trained on judges no model any more.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ftbridge.dataset.canonical.example import Assistant, Chat, Developer, System, User
from ftbridge.errors import InputError
from ftbridge.files import replacing, require_folder_of
from ftbridge.improvement.contradictions import most_frequent
from ftbridge.improvement.labels import RARE, TOOL
from ftbridge.improvement.results import Draft, Issue, Kind
from ftbridge.improvement.rows import Row, json_of

SEED = 0
"""Of the choice of rows that are kept: the same for everybody, so that a draft can be repeated."""
_KEPT = 3  # for each row that is repaired or repeated, against forgetting
_FOR_A_REGION = 5  # rows to be written
_DOUBTFUL: tuple[Kind, ...] = ("contradiction", "near_contradiction", "suspect_label", "neighbours_disagree")
_REPEATED: tuple[Kind, ...] = ("not_learned", "rare_label")
_encode = msgspec.json.Encoder().encode


class Chosen(NamedTuple):
    """The lines of a draft, by why they are in it."""

    repaired: tuple[int, ...]
    repeated: tuple[int, ...]
    kept: tuple[int, ...]
    held_out: tuple[int, ...]


def check_free(out: Path) -> None:
    """Raises `InputError` where the files of the draft cannot be written, or exist: they may have been worked on."""
    require_folder_of(out)
    taken = next((file for file in (out, templates_file(out)) if file.exists()), None)
    if taken is not None:
        raise InputError(f"{taken} exists already", hint="Give --out another file, or remove this one.")


def templates_file(out: Path) -> Path:
    """Where the templates are, beside the draft."""
    return out.with_name(f"{out.stem}.templates{out.suffix}")


def write_draft(
    out: Path, issues: Sequence[Issue], training: Sequence[Row], failed: Sequence[Row], *, include_held_out: bool
) -> Draft | None:
    """The draft and the templates, each written completely or not at all; None where there is nothing to draft.

    Of the rows that `failed` those that are training rows are repeated, and held-out ones are left out unless
    they are asked for.
    """
    chosen = _choose(issues, training, failed, include_held_out=include_held_out)
    by_line, held_out = ({row.line: row.chat for row in rows} for rows in (training, failed))
    chats = [by_line[line] for line in (*chosen.repaired, *chosen.repeated, *chosen.kept)]
    chats += [held_out[line] for line in chosen.held_out]
    templates = [chat for issue in issues for chat in _templates(issue, training)]
    if not chats and not templates:
        return None
    if chats:
        _write(out, chats)
    if templates:
        _write(templates_file(out), templates)
    return Draft(
        file=str(out),
        rows=len(chats),
        **chosen._asdict(),
        templates=str(templates_file(out)) if templates else None,
        to_write=len(templates),
    )


def _choose(
    issues: Sequence[Issue], training: Sequence[Row], failed: Sequence[Row], *, include_held_out: bool
) -> Chosen:
    repaired = set(_repaired(issues))
    doubtful = {line for issue in issues if issue.kind in _DOUBTFUL for line in issue.training}
    repeated = {line for issue in issues if issue.kind in _REPEATED for line in issue.training}
    suspected = {line for issue in issues if issue.kind == "neighbours_disagree" for line in issue.held_out}
    clear = {row.line for row in failed if row.line not in suspected}
    if {id(row) for row in failed} <= {id(row) for row in training}:  # they are training rows
        doubtful, repeated, clear = doubtful | suspected, repeated | clear, set()
    repeated -= doubtful
    others = [row.line for row in training if row.line not in doubtful | repeated]
    random.Random(SEED).shuffle(others)  # noqa: S311 - a choice that can be repeated, no secret
    kept = others[: _KEPT * len(repaired | repeated)]
    lines = (repaired, repeated, kept, clear if include_held_out else ())
    return Chosen(*(tuple(sorted(chosen)) for chosen in lines))


def _repaired(issues: Iterable[Issue]) -> Iterator[int]:
    """Of each contradiction that most of its rows decide, the first row with their answer."""
    for issue in issues:
        if issue.kind == "contradiction" and (answer := most_frequent(issue.answers)) is not None:
            yield issue.answers[answer][0]


def _templates(issue: Issue, training: Sequence[Row]) -> list[Chat]:
    """Rows without an input, which `check` refuses until somebody has written it."""
    if issue.kind == "uncovered":
        return [_template(training[0], "")] * _FOR_A_REGION
    if issue.kind in ("absent_label", "rare_label"):
        return [_template(training[0], _answer_with(issue.label or "", training))] * (RARE - len(issue.training))
    return []


def _template(like: Row, answer: str) -> Chat:
    system = [message for message in like.chat.messages if isinstance(message, System | Developer)]
    return Chat(messages=[*system, User(content=""), Assistant(content=answer)], tools=like.chat.tools)


def _answer_with(label: str, training: Sequence[Row]) -> str:
    """An answer with that label, whose other fields are empty: of a tool, whose arguments nobody knows, none."""
    kind, sign, value = label.partition(": ")
    typical = json_of(training[0].answer)
    if isinstance(typical, dict) and sign and kind in typical:
        return json.dumps({**dict.fromkeys(typical, ""), kind: value}, ensure_ascii=False)
    return "" if kind == TOOL and sign else label


def _write(out: Path, chats: Sequence[Chat]) -> None:
    with replacing(out) as temporary, temporary.open("wb") as lines:
        lines.writelines(_encode(chat) + b"\n" for chat in chats)
