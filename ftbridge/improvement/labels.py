"""What answers have in common: a label as the whole answer, as a field of a JSON object, or a tool that is called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from ftbridge.improvement.inputs import Input, Inputs
from ftbridge.improvement.results import Issue
from ftbridge.improvement.rows import Row, json_of

RARE = 5
"""A label with fewer training rows is rarely learned."""
TELLING = 0.8
"""Where so many of the rows have the label that most of their neighbours have, these can say that one is wrong."""
ANSWER, TOOL = "answer", "tool"
_MOST = 50  # different labels of a kind
_ROWS_OF_A_LABEL = 5  # on average: what is repeated less is text
_LONGEST = 80  # characters of a label
_AGREEING = 4  # of the neighbours


class Labels:
    """The labels of the training rows, by their kinds: `ANSWER`, `TOOL`, or the key of a JSON object."""

    def __init__(self, rows: Sequence[Row]) -> None:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            for kind, label in _all_of(row.answer):
                counts[kind][label] += 1
        self.counts = {kind: counts[kind] for kind in counts if kind == TOOL or _is_label(counts[kind])}

    def of(self, answer: str) -> dict[str, str]:
        """The label of each kind that the answer has: of several tools the first."""
        found: dict[str, str] = {}
        for kind, label in _all_of(answer):
            if kind in self.counts:
                found.setdefault(kind, label)
        return found

    def seldom(self, answer: str) -> Iterator[tuple[str, str, int]]:
        """The labels of the answer that fewer than `RARE` training rows have: kind, label and that number."""
        for kind, label in self.of(answer).items():
            if self.counts[kind][label] < RARE:
                yield kind, label, self.counts[kind][label]


def named(kind: str, label: str) -> str:
    """A label with its kind, for people."""
    return label if kind == ANSWER else f"{kind}: {label}"


def votes(labels: Labels, kind: str, neighbours: Iterable[Input]) -> Counter[str]:
    """How many of the neighbours have each label; one with several rows votes once, for that of most of them."""
    said = (labels.of(one.answer).get(kind) for one in neighbours)
    return Counter(label for label in said if label is not None)


def predictable(labels: Labels, inputs: Inputs) -> dict[str, float]:
    """For each kind, the share of the training inputs whose label is the one that most neighbours have."""
    hits: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    for one, near in inputs.neighbours:
        for kind, label in labels.of(one.answer).items():
            voted = votes(labels, kind, (other for other, _cosine in near))
            totals[kind] += 1
            hits[kind] += bool(voted) and voted.most_common(1)[0][0] == label
    return {kind: hits[kind] / totals[kind] for kind in totals if len(labels.counts[kind]) > 1}


def telling(shares: Mapping[str, float]) -> set[str]:
    """The kinds of which neighbours can say that a label is wrong."""
    return {kind for kind, share in shares.items() if share >= TELLING}


def suspect_labels(labels: Labels, inputs: Inputs, kinds: set[str], known: Container[int]) -> Iterator[Issue]:
    """Training rows whose neighbours nearly all agree on another label.

    Not those of `known` lines, whose trouble has another name, and not of rare labels, which no neighbour can have.
    """
    for one, near in inputs.neighbours:
        if any(line in known for line in one.lines):
            continue
        others = [other for other, _cosine in near]
        for kind, label in labels.of(one.answer).items():
            voted = votes(labels, kind, others)
            if not voted or kind not in kinds or labels.counts[kind][label] < RARE:
                continue
            other, count = voted.most_common(1)[0]
            if other != label and count >= _AGREEING:
                yield Issue(
                    kind="suspect_label",
                    training=one.lines,
                    text=one.text,
                    answers={named(kind, other): lines_with(labels, kind, other, others)},
                    label=named(kind, label),
                    similarity=near[0][1],
                )


def lines_with(labels: Labels, kind: str, label: str, inputs: Iterable[Input]) -> tuple[int, ...]:
    """The lines of the rows that have a label."""
    return tuple(row.line for one in inputs for row in one.rows if labels.of(row.answer).get(kind) == label)


def _all_of(answer: str) -> Iterator[tuple[str, str]]:
    value = json_of(answer)
    if value is None:
        if 0 < len(answer) <= _LONGEST:
            yield ANSWER, answer
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str | bool | int) and len(str(item)) <= _LONGEST:
                yield key, str(item)
    else:
        yield from ((TOOL, str(call["tool"])) for call in value if isinstance(call, dict) and "tool" in call)


def _is_label(counts: Counter[str]) -> bool:
    return len(counts) <= _MOST and counts.total() >= _ROWS_OF_A_LABEL * len(counts)
