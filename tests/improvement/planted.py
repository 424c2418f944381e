"""The sample's tickets with errors planted in them: which line has which is known."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ftbridge.sample import sample_files
from small_data import write_rows

OTHER = {"billing": "delivery", "delivery": "fault", "fault": "question", "question": "billing"}
REGION = [
    "Which soil do tomatoes like, and how often are they watered?",
    "My tomatoes have yellow leaves: is the soil too wet?",
    "How deep are tomatoes planted in heavy soil?",
]
FAR = "Guten Tag, wann blüht der Flieder im Schwarzwald?"


class Planted(NamedTuple):
    """Both files, and the lines of what was planted."""

    training: Path
    held_out: Path
    contradictions: list[tuple[int, int]]
    near_contradictions: list[tuple[int, int]]
    label_errors: list[int]
    rare: list[int]
    held_out_rare: list[int]
    held_out_absent: list[int]
    held_out_errors: list[int]
    region: list[int]
    far: list[int]


def plant(folder: Path) -> Planted:
    """400 tickets, of which 20 have a wrong category, with 8 + 6 contradictions, and 60 held-out ones."""
    training, held = _rows(sample_files().train), _rows(sample_files().heldout)
    known = [index for index, row in enumerate(training) if _category(row) in OTHER]
    errors = known[::17][:20]
    correct = [index for index in known if index not in errors]
    doubled, nearly = correct[::40][:8], correct[1::40][:6]
    for index in errors:
        training[index] = _as(training[index], OTHER[_category(training[index])])
    contradictions, near = [], []
    for index in doubled:
        training.append(_as(training[index], OTHER[_category(training[index])]))
        contradictions.append((index + 1, len(training)))
    for index in nearly:
        training.append(_as(training[index], OTHER[_category(training[index])], "Please look into it: "))
        near.append((index + 1, len(training)))
    rare = [_as(training[correct[2 + n]], "praise", "What a wonderful service. ") for n in range(2)]
    training += rare
    held_errors = [index for index, row in enumerate(held) if _category(row) in OTHER][::12][:4]
    for index in held_errors:
        held[index] = _as(held[index], OTHER[_category(held[index])])
    praised = [_as(held[7], "praise", "What a wonderful service. ")]
    legal = [_as(held[n], "legal", "My lawyer will write to you. ") for n in (8, 9)]
    region = [_asked(held[0], text) for text in REGION]
    size = len(held)
    held += [*praised, *legal, *region, _asked(held[0], FAR)]
    return Planted(
        write_rows(folder / "planted.jsonl", training),
        write_rows(folder / "planted-held.jsonl", held),
        contradictions,
        near,
        [index + 1 for index in errors],
        [len(training) - 1, len(training)],
        [size + 1],
        [size + 2, size + 3],
        [index + 1 for index in held_errors],
        [size + 4, size + 5, size + 6],
        [size + 7],
    )


def _rows(file: Path | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]


def _category(row: dict[str, Any]) -> str:
    return str(json.loads(row["messages"][-1]["content"])["category"])


def _as(row: dict[str, Any], category: str, before: str = "") -> dict[str, Any]:
    """The row with another category, and words before its text."""
    system, user, answer = row["messages"]
    content = json.dumps({**json.loads(answer["content"]), "category": category})
    return {"messages": [system, {**user, "content": before + user["content"]}, {**answer, "content": content}]}


def _asked(row: dict[str, Any], text: str) -> dict[str, Any]:
    system, user, _answer = row["messages"]
    content = json.dumps({"category": "question", "priority": "normal"})
    return {"messages": [system, {**user, "content": text}, {"role": "assistant", "content": content}]}


def lines_of(groups: Sequence[Sequence[int]]) -> set[int]:
    """All lines of some groups."""
    return {line for group in groups for line in group}
