"""What a distillation has made, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from ftbridge.answers import AnswerCounts
from ftbridge.foreign.values import StoredPath
from ftbridge.model import Frozen


class Origin(Frozen):
    """Where a row is from: a line of the file beside the rows, with the same number as the row's.

    `prompt_line` is the line of the prompt, `teacher` the target or the job, `model` what its vendor calls it, and
    `options` those of the chat completion. `sample` is a number from 0, and `score` what the grader or the metric gave.
    """

    prompt_line: int
    teacher: str
    model: str
    answered_at: datetime | None
    sample: int
    options: Mapping[str, Any] = Field(default_factory=dict)
    score: float | None = None
    system_hidden: bool = False
    reasoning_dropped: bool = False


class Distillation(Frozen):
    """The rows that a teacher's answers have become, in the file `out`.

    Of the `prompts` in the file, `duplicates` and `near_duplicates` were left out. `rejected` counts the answers that
    are no rows, by reason; they are in the file `rejects`. `provenance` has an `Origin` for each row. `mean_score` is
    that of the rows. Nothing was asked in a `dry_run`, which has no files and no rows: `questions` is how often the
    teacher would be asked, beside the answers that the ledger has, for `estimate_usd`, `None` where it is not known.
    """

    teacher: str
    prompts: int
    duplicates: int = 0
    near_duplicates: int = 0
    samples: int = 1
    questions: int = 0
    estimate_usd: float | None = None
    dry_run: bool = False
    rows: int = 0
    rejected: Mapping[str, int] = Field(default_factory=dict)
    reasoning_dropped: int = 0
    mean_score: float | None = None
    answers: AnswerCounts | None = None
    out: StoredPath | None = None
    rejects: StoredPath | None = None
    provenance: StoredPath | None = None
