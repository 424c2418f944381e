"""What is found in the data, and what is drafted from it: plain frozen data, for lists, reports and programs alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from pydantic import Field

from ftbridge.answers import AnswerCounts
from ftbridge.model import Frozen

Kind: TypeAlias = Literal[
    "contradiction",
    "near_contradiction",
    "suspect_label",
    "absent_label",
    "rare_label",
    "uncovered",
    "neighbours_disagree",
    "not_learned",
    "unexplained",
]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]  # of the alias


class Issue(Frozen):
    """One thing to look at, by the lines of both files.

    - `contradiction`, `near_contradiction`: training rows with the same input, or nearly, and different `answers`.
    - `suspect_label`: a training row whose nearest training rows, those of `answers`, agree on something else.
    - `absent_label`, `rare_label`: the held-out rows ask for a `label` that no training row has, or fewer than five.
    - `uncovered`: failures that no training row resembles, whose inputs are like each other; `words` are those that
      no training row has.
    - `neighbours_disagree`: a failure whose nearest training rows say something else than it expects.
    - `not_learned`: a training row that the model does not answer as it was trained to; or a failure whose nearest
      training rows say what it expects.
    - `unexplained`: a failure with none of these reasons.

    `text` is the beginning of the first input. Of one failure `expected` is the answer that its row has, and `answer`
    the model's. `similarity` is that of the nearest training row, a cosine from 0 to 1. `loss` is the row's last one in
    training, in nats per trained token, where that is known.
    """

    kind: Kind
    training: tuple[int, ...] = ()
    held_out: tuple[int, ...] = ()
    text: str = ""
    answers: Mapping[str, tuple[int, ...]] = Field(default_factory=dict)
    expected: str | None = None
    answer: str | None = None
    label: str | None = None
    words: tuple[str, ...] = ()
    similarity: float | None = None
    loss: float | None = None


class Draft(Frozen):
    """Rows for a second round, in `file` if there are any, by the lines of the training file from which they are.

    Of `repaired` contradictions each row has the answer that most of its rows have. `repeated` rows were not learned,
    are near a failure, or have a rare label. `kept` ones are drawn from all others, so that these are not forgotten.
    `held_out` are lines of the held-out file, which then can judge no model any more. `templates` is a file of rows to
    be written by a person, so many as `to_write`, and None where there is nothing to write.
    """

    file: str
    rows: int
    repaired: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    held_out: tuple[int, ...] = ()
    templates: str | None = None
    to_write: int = 0


class Improvement(Frozen):
    """What the failures of a job's model say about the data.

    `failures` of the `held_out_rows` are not answered as expected. `training_asked` of the `training_rows` were asked,
    too; where `same_file` is set the held-out file is the training file, and all of them were. `left_out` rows of the
    training file are no chats that end with an answer. `predictable` has for each kind of label how often the nearest
    training rows have it: where that is seldom, they cannot say that a label is wrong. Of the different `inputs` of the
    training rows `compared` ones, spread over the file, are compared with all others. `answers` counts the questions.
    """

    job: str
    training_file: str
    held_out_file: str
    same_file: bool = False
    training_rows: int
    left_out: int = 0
    held_out_rows: int
    failures: int
    training_asked: int = 0
    predictable: Mapping[str, float] = Field(default_factory=dict)
    compared: int
    inputs: int
    issues: tuple[Issue, ...] = ()
    draft: Draft | None = None
    answers: tuple[AnswerCounts, ...] = ()

    def of(self, kind: Kind) -> tuple[Issue, ...]:
        """The issues of that kind."""
        return tuple(issue for issue in self.issues if issue.kind == kind)
