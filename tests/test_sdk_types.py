"""The checker of requests by an SDK's types finds what is wrong in them."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.fine_tuning import FineTuningJobEvent
from openai.types.fine_tuning.job_create_params import JobCreateParams

from sdk_types import answer_violations, request_violations

REQUEST: dict[str, Any] = {"model": "m", "training_file": "file-1", "metadata": {"a": "b"}, "seed": 1}


def test_a_valid_request_has_no_violations() -> None:
    method = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": "auto"}}}
    assert request_violations(JobCreateParams, {**REQUEST, "method": method, "suffix": None}) == []


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"models": "m"}, "$: models is not a field of JobCreateParams"),
        ({"seed": "1"}, "$.seed: '1' is not of type int"),
        ({"seed": True}, "$.seed: True is not of type int"),
        ({"metadata": {"a": 1}}, "$.metadata.a: 1 is not of type str"),
        ({"metadata": []}, "$.metadata: [] is not an object"),
        ({"integrations": {}}, "$.integrations: {} is not a list"),
        ({"method": {"type": "sft"}}, "$.method.type: 'sft' is not one of ('supervised', 'dpo', 'reinforcement')"),
        ({"method": {}}, "$.method: type is missing"),
    ],
)
def test_what_is_wrong_in_a_request_is_named(change: dict[str, Any], violation: str) -> None:
    assert request_violations(JobCreateParams, {**REQUEST, **change}) == [violation]


def test_an_answer_may_hold_more_but_not_less() -> None:
    event = {"id": "e", "created_at": 1, "level": "info", "message": "m", "object": "fine_tuning.job.event"}
    assert answer_violations(FineTuningJobEvent, {**event, "mood": "good"}) == []
    assert answer_violations(FineTuningJobEvent, {**event, "level": "loud", "id": None}) != []
    del event["message"]
    assert answer_violations(FineTuningJobEvent, event) == ["$.message: Field required"]
