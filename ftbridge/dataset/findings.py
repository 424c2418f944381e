"""What is wrong with a dataset, and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ftbridge.errors import DataError

LEFT_OUT = "key_not_read"
"""The code of findings about what is left out of the examples: reported once for each key, and counted."""

REPORTED_ONCE = frozenset({LEFT_OUT, "shape", "tools_in_text", "reasoning_missing", "reasoning_not_listed"})
"""Codes of findings that apply to the file as a whole, and are reported for the first row that shows them."""

MOST_OF_A_RULE = 10_000
"""How many findings of one rule are kept: the first ones. The others are counted."""

MOST_OF_A_ROW = 1_000
"""How many findings a row can have before no more are looked for in it."""

MOST_IN_VAIN = 250_000
"""How many rows without an example are read, where they are nine in ten of all rows so far."""

_MOST_BYTES = 32 * 2**20  # of kept findings, roughly; beyond that each rule has its first few and no more
_FIRST_FEW = 10
_SIZE = 250  # bytes of a finding without its texts
_INDEX = re.compile(r"\[\d+\]")

Level: TypeAlias = Literal["error", "warning"]
Rule: TypeAlias = tuple[Level, str, str]  # level, code, target
_Topic: TypeAlias = tuple[str, str, str]  # code, target, path without the numbers


class Finding(Struct, frozen=True, gc=False, omit_defaults=True):
    """One problem: on which line (from 1; 0 is the file as a whole), at which JSON path, what and what to do.

    `code` is a stable word for programs, `message` and `fix` are sentences for people: quotes from the data in them
    have been through `printable`. `target` is set where only that target's rules object. `times` is how often
    something was left out.
    """

    line: int
    path: str
    level: Level
    code: str
    message: str
    fix: str
    target: str = ""
    times: int = 1


class Omitted(Struct, frozen=True, omit_defaults=True):
    """How many more findings of one rule there are than are listed."""

    level: Level
    code: str
    count: int
    target: str = ""


class RowIsFull(Exception):  # noqa: N818  # it is no error of the program: it ends the search for more in a row
    """The row has `MOST_OF_A_ROW` findings, of which the last says so."""


class ReadInVain(DataError):  # noqa: N818  # named as those in `errors`
    """Hardly a row of the file is an example, so the rest is not read."""


class Diagnostics:
    """Where the rules for one example record what they find and what they change.

    One object serves a whole file: the reader advances `line`, so that rules stay pure functions of an example and
    never know where it came from. It takes bounded memory: of each rule the first findings are kept, and all are
    counted. `invalid` counts the rows with errors, by the code of the first; `errors` and `warnings` count findings.
    Each message ends with the `remark`. What is added raises `RowIsFull` where its row has too many findings, and
    `ReadInVain` where too many rows have errors or are blank.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.line = 0
        self.errors = self.warnings = 0
        self.invalid: Counter[str] = Counter()
        self.findings: list[Finding] = []
        self.changes: list[str] = []
        self.with_images = 0
        self.remark = ""
        self.in_vain = False
        self._kept: Counter[Rule] = Counter()
        self._omitted: Counter[Rule] = Counter()
        self._bytes = 0
        self._topics: dict[_Topic, int] = {}  # the index of the finding about each
        self._counted_line = self._on_line = self._without_example = 0
        self._invalid_line = -1

    def error(self, path: str, code: str, message: str, fix: str) -> None:
        """The example cannot be used as it is."""
        self.add(Finding(self.line, path, "error", code, message + self.remark, fix, self.target))

    def warning(self, path: str, code: str, message: str, fix: str) -> None:
        """The example can be used, but its owner should know."""
        self.add(Finding(self.line, path, "warning", code, message + self.remark, fix, self.target))

    def add(self, finding: Finding) -> None:
        """A finding that was made elsewhere."""
        if finding.line != self._counted_line:
            self._counted_line, self._on_line = finding.line, 0
        if self._on_line >= MOST_OF_A_ROW:
            raise RowIsFull
        self._on_line += finding.line > 0
        if self._on_line == MOST_OF_A_ROW:
            message = f"the row has {MOST_OF_A_ROW:,} problems, and no more were looked for"
            finding = Finding(
                finding.line, "$", "error", "too_many_problems", message, "Mend or remove it.", self.target
            )
        if finding.level == "error" and finding.line != self._invalid_line:
            self._invalid_line = finding.line
            self.invalid[finding.code] += 1
            self._record(finding)
            self._count_in_vain()
        else:
            self._record(finding)
        if self._on_line == MOST_OF_A_ROW:
            raise RowIsFull

    def blank(self) -> None:
        """The line is blank."""
        fix = "Remove it: some vendors refuse it."
        self.warning("$", "blank_line", "the line is blank and is skipped", fix)
        self._count_in_vain()

    def left_out_again(self, path: str) -> bool:
        """Count once more what is left out at a path of that kind; False where it is not reported yet."""
        return self._is_known((LEFT_OUT, self.target, _INDEX.sub("[]", path)), 1)

    def is_full(self, level: Level, code: str) -> bool:
        """Whether further findings of that rule are counted and not kept, so that their texts are of no use."""
        return self._kept[level, code, self.target] >= MOST_OF_A_RULE

    def has(self, level: Level, code: str) -> bool:
        """Whether there is a finding of that rule: to look for those that are reported once no longer than needed."""
        return self._kept[level, code, self.target] > 0

    def take(self, later: Diagnostics, lines_before: int = 0) -> None:
        """Take in what was found in rows that come next, or by other rules; `later` counted lines from there."""
        for finding in later.findings:
            self._record(replace(finding, line=finding.line + lines_before) if lines_before else finding)
        for (level, code, target), count in later._omitted.items():
            self._omit((level, code, target), count)
        self.invalid += later.invalid

    def take_part(self, part: Diagnostics, lines_before: int) -> None:
        """Take in what was found in the part of the file that comes next, which counted its lines from there.

        Raises `ReadInVain` where too many rows of all parts so far have errors or are blank.
        """
        self.take(part, lines_before)
        self.line = lines_before + part.line
        self.in_vain = part.in_vain
        self._without_example += part._without_example
        if not self.in_vain:
            self._check_in_vain()

    @contextmanager
    def at(self, line: int) -> Iterator[None]:
        """In the block, findings are about an earlier line than the one that was read last."""
        self.line, now = line, self.line
        try:
            yield
        finally:
            self.line = now

    @contextmanager
    def until_in_vain(self) -> Iterator[None]:
        """End the block where `ReadInVain` is raised in it; that is then a finding, and `in_vain` is set."""
        try:
            yield
        except ReadInVain as problem:
            self.in_vain = True
            fix = "Mend what is wrong with the first ones, and check again."
            self._record(Finding(self.line, "$", "error", "read_in_vain", problem.message, fix))

    def changed(self, code: str) -> None:
        """The vendor's row expresses the same in another way, or less of it; `code` names the difference."""
        self.changes.append(code)

    @property
    def omitted(self) -> tuple[Omitted, ...]:
        """The rules of which not all findings were kept."""
        rules = sorted(self._omitted.items())
        return tuple(Omitted(level, code, count, target) for (level, code, target), count in rules)

    def _count_in_vain(self) -> None:
        self._without_example += 1
        self._check_in_vain()

    def _check_in_vain(self) -> None:
        if self._without_example >= MOST_IN_VAIN and self._without_example >= 0.9 * self.line:
            count, line = f"{self._without_example:,}", f"{self.line:,}"
            raise ReadInVain(
                f"{count} rows up to line {line} are no valid examples, so the rest is not read",
                hint="`ftbridge check` shows what is wrong with the first ones.",
                line=self.line,
            )

    def _record(self, finding: Finding) -> None:
        rule = finding.level, finding.code, finding.target
        size = _SIZE + len(finding.path) + len(finding.message) + len(finding.fix)
        fits = self._kept[rule] < (MOST_OF_A_RULE if self._bytes + size < _MOST_BYTES else _FIRST_FEW)
        if finding.code in REPORTED_ONCE:
            topic = finding.code, finding.target, _INDEX.sub("[]", finding.path)
            if self._is_known(topic, finding.times) or not fits:
                return
            self._topics[topic] = len(self.findings)
        if not fits:
            self._omit(rule, 1)
            return
        self._kept[rule] += 1
        self._bytes += size
        self._count(finding.level, 1)
        self.findings.append(finding)

    def _is_known(self, topic: _Topic, times: int) -> bool:
        """Whether a topic is reported already; what is left out is then counted."""
        index = self._topics.get(topic)
        if index is not None and topic[0] == LEFT_OUT:
            first = self.findings[index]
            self.findings[index] = replace(first, times=first.times + times)
        return index is not None

    def _omit(self, rule: Rule, count: int) -> None:
        self._omitted[rule] += count
        self._count(rule[0], count)

    def _count(self, level: Level, count: int) -> None:
        if level == "error":
            self.errors += count
        else:
            self.warnings += count


def omitted_of(omitted: Iterable[Omitted], level: Level) -> int:
    """How many findings of that level are not listed."""
    return sum(other.count for other in omitted if other.level == level)
