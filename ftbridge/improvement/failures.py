"""Why held-out rows fail, as far as the training rows can tell: each failure has one reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ftbridge.improvement.contradictions import differ
from ftbridge.improvement.inputs import NEIGHBOURS, Input, Inputs
from ftbridge.improvement.labels import Labels, lines_with, named, votes
from ftbridge.improvement.likeness import Neighbours, words_of
from ftbridge.improvement.results import Issue
from ftbridge.improvement.rows import Row

_OUTSIDE = 0.05  # of the training inputs are as far from all others as an input that none covers
_MOST_ALIKE = 0.4  # what is more alike than this is covered, however alike the training inputs are
_SAME_REGION = 0.2
_SAME_QUESTION = 0.7  # texts so alike that their answers can be compared
_WORDS = 4  # that are shown of a region


class Failure(NamedTuple):
    """A row that the model answers otherwise than is expected, and the training inputs nearest to it."""

    row: Row
    answer: str
    near: list[Input]
    cosine: float


def failures_of(rows: Iterable[Row], answers: Mapping[int, str], inputs: Inputs) -> list[Failure]:
    """Those whose answers differ, each with its nearest training inputs; a training row is not its own."""
    failed = [row for row in rows if row.line in answers and answers[row.line] != row.answer]
    if not failed:
        return []
    found: Neighbours = inputs.likeness.to([row.input for row in failed], NEIGHBOURS + 1)
    return [
        _failure(row, answers[row.line], indices, cosines, inputs)
        for row, indices, cosines in zip(failed, found.indices.tolist(), found.cosines.tolist(), strict=True)
    ]


def _failure(row: Row, answer: str, indices: list[int], cosines: list[float], inputs: Inputs) -> Failure:
    own = [index for index in indices if any(one.chat is row.chat for one in inputs.all[index].rows)]
    others = [(index, cosine) for index, cosine in zip(indices, cosines, strict=True) if index not in own]
    near = [inputs.all[index] for index, _cosine in others[:NEIGHBOURS]]
    return Failure(row, answer, near, others[0][1] if others else 0.0)


class Reasons:
    """Sorts failures by reason: a label that is seldom trained, a region that is not covered, what the nearest say."""

    def __init__(self, labels: Labels, inputs: Inputs, kinds: set[str]) -> None:
        self._labels, self._kinds, self._likeness = labels, kinds, inputs.likeness
        self._least = min(_MOST_ALIKE, _edge(inputs))
        self._known = {word for one in inputs.all for word in words_of(one.text).split()}

    def issues(self, failures: Sequence[Failure]) -> Iterator[Issue]:
        """An issue for each failure, those of one region together."""
        outside: list[Failure] = []
        for one in failures:
            if any(self._labels.seldom(one.row.answer)):
                continue  # it is among those of its label
            if one.cosine < self._least:
                outside.append(one)
            else:
                yield self._by_neighbours(one)
        yield from self._regions(outside)

    def _by_neighbours(self, one: Failure) -> Issue:
        against, agreeing = self._said(one)
        return Issue(
            kind="neighbours_disagree" if against else "not_learned" if agreeing else "unexplained",
            held_out=(one.row.line,),
            training=tuple(sorted(line for lines in (against or agreeing).values() for line in lines)),
            text=one.row.input,
            answers=against or agreeing,
            expected=one.row.answer,
            answer=one.answer,
            similarity=one.cosine,
        )

    def _said(self, one: Failure) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
        """What most of the nearest rows say against the expected answer, and what they say for it, with the lines."""
        expected, answered = self._labels.of(one.row.answer), self._labels.of(one.answer)
        if not expected:
            return self._texts(one)
        against: dict[str, tuple[int, ...]] = {}
        agreeing: dict[str, tuple[int, ...]] = {}
        for kind, label in expected.items():
            if answered.get(kind) == label:
                continue
            voted = votes(self._labels, kind, one.near)
            other, count = voted.most_common(1)[0] if voted else ("", 0)
            if kind in self._kinds and other != label and 2 * count > len(one.near):
                against[named(kind, other)] = lines_with(self._labels, kind, other, one.near)
            elif voted[label]:
                agreeing[named(kind, label)] = lines_with(self._labels, kind, label, one.near)
        return against, agreeing

    def _texts(self, one: Failure) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
        if not one.near or one.cosine < _SAME_QUESTION:
            return {}, {}
        nearest = one.near[0].answers
        said = one.near[0].answer
        return (nearest, {}) if differ(said, one.row.answer) else ({}, {said: nearest[said]})

    def _regions(self, failures: Sequence[Failure]) -> Iterator[Issue]:
        """Failures that are alike, together: each joins the first group that has one like it."""
        if not failures:
            return
        vectors = self._likeness.of([one.row.input for one in failures])
        cosines = (vectors @ vectors.T).toarray()
        groups: list[list[int]] = []
        for index in range(len(failures)):
            group = next((one for one in groups if cosines[index, one].max() >= _SAME_REGION), None)
            if group is None:
                groups.append([index])
            else:
                group.append(index)
        for group in groups:
            members = [failures[index] for index in group]
            yield Issue(
                kind="uncovered",
                held_out=tuple(one.row.line for one in members),
                text=members[0].row.input,
                words=self._strange([one.row.input for one in members]),
                similarity=max(one.cosine for one in members),
            )

    def _strange(self, texts: Sequence[str]) -> tuple[str, ...]:
        counts = Counter(word for text in texts for word in {*words_of(text).split()} if word not in self._known)
        return tuple(sorted(counts, key=lambda word: (-counts[word], word))[:_WORDS])


def seldom_labels(labels: Labels, rows: Iterable[Row], inputs: Inputs) -> Iterator[Issue]:
    """The labels that held-out rows ask for and that no training row has, or few."""
    asked: defaultdict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in rows:
        for seldom in labels.seldom(row.answer):
            asked[seldom].append(row)
    for (kind, label, count), those in asked.items():
        yield Issue(
            kind="rare_label" if count else "absent_label",
            training=tuple(sorted(lines_with(labels, kind, label, inputs.all))),
            held_out=tuple(row.line for row in those),
            text=those[0].input,
            label=named(kind, label),
        )


def _edge(inputs: Inputs) -> float:
    """The cosine to the nearest other that all but `_OUTSIDE` of the training inputs reach."""
    import numpy

    if len(inputs.all) < 2:
        return 0.0
    return float(numpy.quantile([near[0][1] for _one, near in inputs.neighbours], _OUTSIDE))
