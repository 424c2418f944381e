"""What `improve` finds of errors that are planted in a file of tickets, and what it finds beside them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from ftbridge.improvement.contradictions import contradictions, near_contradictions
from ftbridge.improvement.failures import Reasons, failures_of, seldom_labels
from ftbridge.improvement.inputs import Inputs
from ftbridge.improvement.labels import Labels, predictable, suspect_labels, telling
from ftbridge.improvement.results import Issue
from ftbridge.improvement.rows import Row, read_rows
from ftbridge.sample import sample_files
from improvement.planted import Planted, lines_of, plant

NONSENSE = '{"category": "none", "priority": "none"}'


class Read(NamedTuple):
    """Both files as they are compared."""

    planted: Planted
    inputs: Inputs
    labels: Labels
    held_out: list[Row]


def rows_of(file: Path) -> list[Row]:
    return [row for _line, row in read_rows(file) if row]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    planted = plant(tmp_path_factory.mktemp("planted"))
    training = rows_of(planted.training)
    return Read(planted, Inputs(training), Labels(training), rows_of(planted.held_out))


@pytest.fixture(scope="module")
def reasons(read: Read) -> list[Issue]:
    """Of a model that answers nothing as expected."""
    failures = failures_of(read.held_out, dict.fromkeys((row.line for row in read.held_out), NONSENSE), read.inputs)
    kinds = telling(predictable(read.labels, read.inputs))
    return [*Reasons(read.labels, read.inputs, kinds).issues(failures)]


def held_out(issues: list[Issue], kind: str) -> set[int]:
    return lines_of([issue.held_out for issue in issues if issue.kind == kind])


def test_all_contradictions_are_found_and_no_others(read: Read) -> None:
    assert sorted(issue.training for issue in contradictions(read.inputs)) == sorted(read.planted.contradictions)


def test_five_of_six_near_contradictions_are_found_and_no_others(read: Read) -> None:
    found = {issue.training for issue in near_contradictions(read.inputs)}
    assert found < {*read.planted.near_contradictions}
    assert len(found) == 5, "the sixth text is so short that three words more make it another one"


def test_four_in_five_label_errors_are_found_and_no_row_is_suspected_wrongly(read: Read) -> None:
    known = lines_of([*read.planted.contradictions, *read.planted.near_contradictions])
    kinds = telling(predictable(read.labels, read.inputs))
    found = lines_of([issue.training for issue in suspect_labels(read.labels, read.inputs, kinds, known)])
    assert found <= {*read.planted.label_errors}
    assert len(found) == 16


def test_labels_are_suspected_only_where_neighbours_can_tell(read: Read) -> None:
    shares = predictable(read.labels, read.inputs)
    assert shares["category"] > 0.9
    assert shares["priority"] < 0.7, "half a sentence of the ticket decides it"
    assert telling(shares) == {"category"}


def test_rare_and_absent_labels_are_found_with_the_rows_that_ask_for_them(read: Read) -> None:
    found = {issue.label: (issue.kind, issue.held_out, issue.training) for issue in _seldom(read)}
    assert found == {
        "category: praise": ("rare_label", tuple(read.planted.held_out_rare), tuple(read.planted.rare)),
        "category: legal": ("absent_label", tuple(read.planted.held_out_absent), ()),
    }


def _seldom(read: Read) -> list[Issue]:
    return [*seldom_labels(read.labels, read.held_out, read.inputs)]


def test_failures_outside_the_training_data_are_found_region_by_region(read: Read, reasons: list[Issue]) -> None:
    regions = [issue for issue in reasons if issue.kind == "uncovered"]
    assert [issue.held_out for issue in regions] == [tuple(read.planted.region), tuple(read.planted.far)]
    assert {"soil", "tomatoes"} < {*regions[0].words}


def test_all_errors_in_held_out_labels_are_found_and_no_others(read: Read, reasons: list[Issue]) -> None:
    assert held_out(reasons, "neighbours_disagree") == {*read.planted.held_out_errors}


def test_all_other_failures_have_neighbours_that_say_what_is_expected(read: Read, reasons: list[Issue]) -> None:
    planted = read.planted
    elsewhere = {*planted.held_out_errors, *planted.held_out_rare, *planted.held_out_absent}
    elsewhere |= {*planted.region, *planted.far}
    assert held_out(reasons, "not_learned") == {row.line for row in read.held_out} - elsewhere
    assert held_out(reasons, "unexplained") == set()


def test_in_a_file_without_errors_nothing_is_found() -> None:
    training, held = rows_of(Path(sample_files().train)), rows_of(Path(sample_files().heldout))
    inputs, labels = Inputs(training), Labels(training)
    kinds = telling(predictable(labels, inputs))
    found = [*contradictions(inputs), *near_contradictions(inputs), *suspect_labels(labels, inputs, kinds, ())]
    assert [*found, *seldom_labels(labels, held, inputs)] == []
