"""The rows of an evaluation as a file: JSON Lines, CSV or Parquet, by its extension."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftbridge.errors import MissingExtra, UsageError
from ftbridge.evaluation.results import EvaluatedRow, Evaluation
from ftbridge.files import replacing, require_folder_of

_EXTENSIONS = (".jsonl", ".csv", ".parquet")


def check_row_file(file: Path) -> None:
    """Raises `UsageError` for another extension, `MissingExtra` without pyarrow, `InputError` without a folder."""
    require_folder_of(file)
    if file.suffix not in _EXTENSIONS:
        raise UsageError(f"{file} is none of {', '.join(_EXTENSIONS)}", hint="The extension selects the format.")
    if file.suffix == ".parquet":
        _pyarrow()


def write_rows(evaluation: Evaluation, file: Path) -> None:
    """Write them completely or not at all; the file is its owner's alone, as it holds data."""
    with replacing(file) as temporary:
        if file.suffix == ".jsonl":
            with temporary.open("w", encoding="utf-8") as lines:
                lines.writelines(row.model_dump_json() + "\n" for row in evaluation.row_results)
            return
        table = [_flat(row, evaluation) for row in evaluation.row_results]
        if file.suffix == ".csv":
            with temporary.open("w", encoding="utf-8", newline="") as cells:
                writer = csv.DictWriter(cells, [*table[0]])
                writer.writeheader()
                writer.writerows(table)
            return
        arrow, parquet = _pyarrow()
        parquet.write_table(arrow.Table.from_pylist(table, schema=_schema(arrow, table, evaluation)), temporary)


def _flat(row: EvaluatedRow, evaluation: Evaluation) -> dict[str, Any]:
    """A row of a table: of each model the columns `NAME answer` and `NAME METRIC`."""
    cells: dict[str, Any] = {"line": row.line, "question": _question(row.question), "expected": _said(row)}
    for name, answer in row.answers.items():
        cells[f"{name} answer"] = _with_calls(answer.answer, answer.tool_calls)
        cells |= {f"{name} {one.name}": answer.scores.get(one.name) for one in evaluation.metrics}
    return {**cells, "winner": row.winner}


def _schema(arrow: Any, table: Sequence[dict[str, Any]], evaluation: Evaluation) -> Any:
    scores = {f"{model.name} {one.name}" for model in evaluation.models for one in evaluation.metrics}
    kinds = {"line": arrow.int64(), **dict.fromkeys(scores, arrow.float64())}
    return arrow.schema([(name, kinds.get(name, arrow.string())) for name in table[0]])


def _question(messages: Sequence[dict[str, Any]]) -> str:
    """The user's text where it is all, and otherwise the messages as JSON."""
    [*others, last] = messages
    text = last.get("content")
    return text if not others and isinstance(text, str) else json.dumps(messages, ensure_ascii=False)


def _said(row: EvaluatedRow) -> str:
    return _with_calls(row.expected, row.expected_calls)


def _with_calls(text: str, calls: Sequence[dict[str, Any]]) -> str:
    return "\n".join(filter(None, [text, *(json.dumps(call, ensure_ascii=False) for call in calls)]))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow  # type: ignore[import-untyped,unused-ignore]  # an extra
        import pyarrow.parquet as parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]  # likewise
    except ImportError:
        raise MissingExtra(
            "writing Parquet needs the package pyarrow",
            hint="pip install 'ftbridge[parquet]', or write .csv or .jsonl.",
        ) from None
    return pyarrow, parquet
