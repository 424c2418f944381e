"""The different inputs of the training file, each with its rows, and which of them are alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ftbridge.improvement.likeness import Likeness, words_of
from ftbridge.improvement.rows import Row

NEIGHBOURS = 5
"""How many neighbours have a say."""
MOST_COMPARED = 10_000
"""So many inputs are compared with all others, which takes half a minute of CPU if they have 150 characters; of more
inputs, so many that are evenly spread over the file."""


@dataclass(frozen=True, eq=False)
class Input:
    """Rows of one setting whose inputs have the same words."""

    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        """Its text, as the first row has it."""
        return self.rows[0].input

    @property
    def answers(self) -> dict[str, tuple[int, ...]]:
        """The lines of each answer, the most frequent answer first."""
        lines: defaultdict[str, list[int]] = defaultdict(list)
        for row in self.rows:
            lines[row.answer].append(row.line)
        return {answer: tuple(lines[answer]) for answer in sorted(lines, key=lambda answer: -len(lines[answer]))}

    @property
    def answer(self) -> str:
        """The one that most of its rows have."""
        return next(iter(self.answers))

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of its rows."""
        return tuple(row.line for row in self.rows)


class Inputs:
    """All of a file; what is alike is computed when it is first asked for."""

    def __init__(self, rows: Sequence[Row]) -> None:
        groups: defaultdict[tuple[bytes, str], list[Row]] = defaultdict(list)
        for row in rows:
            groups[row.setting, words_of(row.input)].append(row)
        self.all = [Input(tuple(group)) for group in groups.values()]
        spread = max(1.0, len(self.all) / MOST_COMPARED)
        self.compared = [int(number * spread) for number in range(int(len(self.all) / spread))]

    @cached_property
    def likeness(self) -> Likeness:
        """Of their texts."""
        return Likeness([one.text for one in self.all])

    @cached_property
    def neighbours(self) -> list[tuple[Input, list[tuple[Input, float]]]]:
        """Each input that is compared, with the most alike of all others and their cosines, the nearest first."""
        found = self.likeness.among(self.compared, NEIGHBOURS)
        return [
            (self.all[index], [(self.all[other], cosine) for other, cosine in zip(*near, strict=True)])
            for index, *near in zip(self.compared, found.indices.tolist(), found.cosines.tolist(), strict=True)
        ]
