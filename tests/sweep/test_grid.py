"""Which trials a sweep has."""

from __future__ import annotations

from typing import Any

import pytest

from ftbridge.errors import SpecError, UsageError
from ftbridge.sweep.grid import make_trials

TARGETS = ["local:tiny", "openai:gpt-4.1"]


def settings(**given: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(trial.target, trial.hyperparameters.given()) for trial in make_trials(TARGETS, **given)]


def test_a_grid_has_each_combination_at_each_target_with_the_target_changing_first() -> None:
    assert settings(axes={"epochs": [1, 3], "learning_rate": 1e-4}) == [
        ("local:tiny", {"epochs": 1, "learning_rate": 1e-4}),
        ("openai:gpt-4.1", {"epochs": 1, "learning_rate": 1e-4}),
        ("local:tiny", {"epochs": 3, "learning_rate": 1e-4}),
        ("openai:gpt-4.1", {"epochs": 3, "learning_rate": 1e-4}),
    ]
    assert [trial.number for trial in make_trials(TARGETS, {"epochs": [1, 2]})] == [1, 2, 3, 4]


def test_values_that_are_the_same_are_one_trial() -> None:
    trials = make_trials(["local:tiny", "local:tiny"], {"epochs": ["1", "01", 1], "learning_rate": [0.1, "1e-1"]})
    assert [trial.hyperparameters.given() for trial in trials] == [{"epochs": 1, "learning_rate": 0.1}]
    assert make_trials(["local:tiny"], {"train_reasoning": ["true", "false"]})[1].hyperparameters.given() == {
        "train_reasoning": False
    }


def test_a_seed_chooses_the_same_trials_again_and_another_seed_others() -> None:
    axes = {"epochs": range(1, 31), "lora_rank": [4, 8, 16]}
    chosen = settings(axes=axes, count=10, seed=1)
    assert len(chosen) == 10
    assert chosen == settings(axes=axes, count=10, seed=1)
    assert chosen != settings(axes=axes, count=10, seed=2)
    everything = settings(axes=axes)
    assert all(one in everything for one in chosen)
    assert settings(axes={"epochs": [1, 2]}, count=99) == settings(axes={"epochs": [1, 2]})


def test_a_grid_too_large_to_try_is_refused_unless_some_of_it_are_chosen() -> None:
    axes: dict[str, Any] = {"epochs": range(1, 1001), "batch_size": range(1, 1001), "seed": range(1000)}
    with pytest.raises(UsageError, match="2,000,000,000 trials"):
        make_trials(TARGETS, axes)
    assert len(make_trials(TARGETS, axes, count=5)) == 5
    with pytest.raises(UsageError, match="0 trials"):
        make_trials(TARGETS, {"epochs": []})


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("epochs", "many"), ("learning_rate", ""), ("lr", 1)])
def test_a_value_that_is_none_is_named(name: str, value: Any) -> None:
    with pytest.raises(SpecError, match=name):
        make_trials(TARGETS, {name: [value]}, count=1)
