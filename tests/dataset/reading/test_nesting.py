"""How deep a row may be nested depends on the row alone, and not on the calls of the program that reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge.dataset import check
from ftbridge.dataset.reading.nesting import DEEPEST
from planted_rows import GOOD


def within(calls: int, call: Callable[[], list[str]]) -> list[str]:
    """The result of a call that is made by another, and that by another."""
    return call() if calls == 0 else within(calls - 1, call)


def codes(path: Path) -> list[str]:
    return [finding.code for finding in check(path).findings if finding.level == "error"]


def with_schema(levels: int) -> str:
    """A chat whose levels are so many: the row, its tools, a tool, its function, and the parameters."""
    schema: dict[str, object] = {}
    for _ in range(levels - 5):
        schema = {"not": schema}
    return json.dumps({**GOOD, "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]})


def unknown(levels: int) -> str:
    return json.dumps({**GOOD, "x": 0}).replace('"x": 0', '"x": ' + "[" * (levels - 1) + "]" * (levels - 1))


def a_list(levels: int) -> str:
    return "[" * levels + "]" * levels


def left_open(levels: int) -> str:
    return '{"messages": ' * levels


@pytest.mark.parametrize(
    ("write", "otherwise"),
    [(with_schema, []), (unknown, ["unknown_key"]), (a_list, ["not_an_object"]), (left_open, ["json"])],
)
@pytest.mark.parametrize("calls", [0, 500])
def test_a_row_is_too_deep_at_the_same_level_wherever_it_is_read(
    tmp_path: Path, write: Callable[[int], str], otherwise: list[str], calls: int
) -> None:
    for levels, expected in ((DEEPEST, otherwise), (DEEPEST + 1, ["too_deep"]), (700, ["too_deep"])):
        path = tmp_path / "rows.jsonl"
        path.write_text(f"{write(levels)}\n{json.dumps(GOOD)}\n")
        assert within(calls, lambda: codes(path)) == expected, levels  # noqa: B023  # it is called at once


def test_brackets_in_texts_are_no_levels(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    row = {"prompt": "[{" * 500 + '\\"[' * 500, "completion": "a"}
    path.write_text(json.dumps(row) + "\n")
    assert codes(path) == []
