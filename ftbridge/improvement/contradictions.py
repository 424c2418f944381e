"""Training rows that contradict each other: the same input, or nearly the same one, with different answers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ftbridge.improvement.inputs import Input, Inputs
from ftbridge.improvement.likeness import Likeness, words_of
from ftbridge.improvement.results import Issue
from ftbridge.improvement.rows import json_of

_NEARLY_EQUAL = 0.85  # a greeting more or less in a text of a hundred characters
_OTHER_TEXT = 0.5  # answers less alike than this say something else
_FEW_WORDS = 3
_NUMBER = re.compile(r"\d+")


def contradictions(inputs: Inputs) -> Iterator[Issue]:
    """Inputs with several answers; answers that differ in spelling alone are one."""
    for one in inputs.all:
        if len({words_of(answer) or answer for answer in one.answers}) > 1:
            yield Issue(kind="contradiction", training=one.lines, text=one.text, answers=one.answers)


def near_contradictions(inputs: Inputs) -> Iterator[Issue]:
    """Groups of nearly equal inputs whose answers say something else.

    Inputs with different numbers are different questions, and so are those in different settings.
    """
    linked: defaultdict[Input, set[Input]] = defaultdict(set)
    for one, near in inputs.neighbours:
        for other, cosine in near:
            if cosine >= _NEARLY_EQUAL and _contradict(one, other):
                linked[one].add(other)
                linked[other].add(one)
    for group in _groups(linked):
        rows = sorted((row for one in group for row in one.rows), key=lambda row: row.line)
        whole = Input(tuple(rows))
        yield Issue(kind="near_contradiction", training=whole.lines, text=whole.text, answers=whole.answers)


def most_frequent(answers: Mapping[str, tuple[int, ...]]) -> str | None:
    """The answer that at least two thirds of the rows have, and so the right one where the others are mistakes."""
    counts = Counter({answer: len(lines) for answer, lines in answers.items()})
    answer, count = counts.most_common(1)[0]
    return answer if 3 * count >= 2 * counts.total() else None


def _contradict(one: Input, other: Input) -> bool:
    if one.rows[0].setting != other.rows[0].setting or _NUMBER.findall(one.text) != _NUMBER.findall(other.text):
        return False
    first, second = ({words_of(answer) or answer for answer in each.answers} for each in (one, other))
    return not first & second and differ(one.answer, other.answer)


def differ(one: str, other: str) -> bool:
    """Whether two answers say something else: JSON or few words that are not the same, and texts that are not alike."""
    if words_of(one) == words_of(other):
        return False
    if json_of(one) is not None or json_of(other) is not None:
        return True
    if min(len(one.split()), len(other.split())) <= _FEW_WORDS:
        return True
    vectors = Likeness([one, other]).vectors
    return float((vectors[[0]] @ vectors[[1]].T).toarray()[0, 0]) < _OTHER_TEXT


def _groups(linked: Mapping[Input, set[Input]]) -> Iterator[set[Input]]:
    """The connected parts."""
    seen: set[Input] = set()
    for start in linked:
        if start in seen:
            continue
        group, waiting = {start}, [start]
        while waiting:
            new = linked[waiting.pop()] - group
            group |= new
            waiting += new
        seen |= group
        yield group
