"""Which rows are learned, by what each step of the training says of its rows."""

from __future__ import annotations

from ftbridge.model import Method
from ftbridge_local.trainer import row_losses

LINES = [1, 3, 4, 5, 7]


def test_learned_last_and_never_learned_are_named_by_their_lines_the_highest_losses_first() -> None:
    rows = row_losses.unseen(5)
    row_losses.record(rows, [1, 0], [2.0, 0.5, 0.1, 1.0], epoch=1)
    row_losses.record(rows, [2, 3, 4], [1.5, 0.9, 1.2, 1.0, 0.7, 0.0], epoch=1)
    row_losses.record(rows, [0, 1, 2], [0.05, 1.0, 0.3, 1.0, 0.4, 1.0], epoch=2)
    row_losses.record(rows, [3, 4], [1.1, 0.5, 0.6, 0.75], epoch=2)
    assert row_losses.describe(rows, LINES, Method.SFT) == (
        "3 of 5 rows are learned: each trained token is the most probable one; "
        "last, in epoch 2: line 4 (loss 0.400), line 3 (loss 0.300); "
        "not learned: line 5 (loss 1.100), line 7 (loss 0.600)"
    )


def test_programs_get_the_numbers_and_losses_of_what_is_not_learned() -> None:
    rows = row_losses.unseen(5)
    row_losses.record(rows, [0, 1, 3, 4], [0.1, 1.0, 2.0, 0.5, 0.7, 0.0, 3.5, 0.2], epoch=1)
    assert row_losses.facts(rows, LINES) == {
        "learned": 1,
        "not_learned": [{"number": 7, "loss": 3.5}, {"number": 3, "loss": 2.0}, {"number": 5, "loss": 0.7}],
    }


def test_rows_that_are_learned_from_the_first_epoch_on_are_none_of_the_last() -> None:
    rows = row_losses.unseen(2)
    row_losses.record(rows, [0, 1], [0.1, 1.0, 0.2, 1.0], epoch=1)
    assert row_losses.describe(rows, LINES, Method.DPO) == (
        "2 of 2 rows are learned: the preferred output is ranked first"
    )


def test_where_training_ends_early_the_rows_that_it_did_not_reach_are_counted() -> None:
    rows = row_losses.unseen(3)
    row_losses.record(rows, [2], [0.5, 0.5], epoch=1)
    assert row_losses.describe(rows, LINES, Method.SFT).endswith(
        "; not learned: line 4 (loss 0.500); 2 were not reached"
    )


def test_of_many_rows_the_first_are_named_and_the_others_counted() -> None:
    rows = row_losses.unseen(5000)
    row_losses.record(rows, range(5000), [0.25, 0.5] * 5000, epoch=1)
    description = row_losses.describe(rows, range(1, 5001), Method.SFT)
    assert description.endswith("line 4 (loss 0.250), line 5 (loss 0.250) and 4,995 more")
    assert len(description) < 300
