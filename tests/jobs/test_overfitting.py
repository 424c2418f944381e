"""When a job is said to learn its rows by heart."""

from __future__ import annotations

from datetime import UTC, datetime

from ftbridge.jobs.overfitting import detect_overfitting, validation_points
from ftbridge.model import Event

AT = datetime(2026, 1, 2, tzinfo=UTC)


def course(valid: list[float], train: list[float]) -> list[Event]:
    """A look after every two steps."""
    events = []
    for index, (loss, held_out) in enumerate(zip(train, valid, strict=True)):
        events.append(Event(at=AT, kind="metric", step=2 * index + 1, train_loss=loss + 0.1))
        events.append(Event(at=AT, kind="metric", step=2 * index + 2, train_loss=loss - 0.1, valid_loss=held_out))
    return events


def test_a_validation_loss_that_keeps_rising_while_the_training_loss_falls_is_told_once() -> None:
    events = course([2.0, 1.5, 1.6, 1.7, 1.9], [2.0, 1.5, 1.0, 0.5, 0.2])
    assert detect_overfitting(events[:4], events[4:6]) == []
    [event] = detect_overfitting(events[:6], events[6:8])
    assert event.kind == "message"
    assert event.step == 8
    assert event.message is not None
    assert event.message.startswith("overfitting since step 4: the validation loss has risen from 1.500 to 1.700")
    assert detect_overfitting([*events[:8], event], events[8:]) == []


def test_losses_that_both_rise_are_not_overfitting() -> None:
    events = course([2.0, 1.5, 1.6, 1.7], [2.0, 1.5, 1.8, 2.2])
    assert detect_overfitting(events[:6], events[6:]) == []


def test_a_validation_loss_that_hardly_moves_is_not_overfitting() -> None:
    events = course([2.0, 1.5, 1.505, 1.51], [2.0, 1.5, 1.0, 0.5])
    assert detect_overfitting(events[:6], events[6:]) == []


def test_steps_without_a_look_are_no_news() -> None:
    events = course([2.0, 1.5, 1.6, 1.7], [2.0, 1.5, 1.0, 0.5])
    assert detect_overfitting(events, [Event(at=AT, kind="metric", step=9, train_loss=0.1)]) == []


def test_a_step_done_twice_counts_once() -> None:
    events = course([2.0], [2.0])
    again = Event(at=AT, kind="metric", step=2, train_loss=1.7, valid_loss=1.8)
    [seen] = validation_points([*events, again])
    assert (seen.step, seen.valid_loss) == (2, 1.8)
    assert seen.train_loss == (2.1 + 1.7) / 2


def test_losses_without_their_steps_are_no_news() -> None:
    assert detect_overfitting([], [Event(at=AT, kind="metric", valid_loss=2.0)]) == []
