"""What `show` tells of how a job trains: which hyperparameters were given and which chosen, and which weights."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ftbridge.cli.show import print_job
from ftbridge.jobs.training import Training
from ftbridge.model import Event, Hyperparameters, Job, Spec, Status

AT = datetime(2026, 1, 2, tzinfo=UTC)
JOB = Job(
    id="ftb_1",
    name=None,
    target="local:tiny",
    status=Status.RUNNING,
    created_at=AT,
    spec=Spec(target="local:tiny", data=Path("rows.jsonl"), hyperparameters=Hyperparameters(epochs=2)),
)
EVENTS = [
    Event(at=AT, kind="message", code="settings", hyperparameters={"epochs": 2, "lora_alpha": 32.0, "tuning": "lora"}),
    Event(at=AT, kind="message", code="rows", message="23 of 24 rows are learned; not learned: line 3 (loss 1.234)"),
    Event(at=AT, kind="message", code="trained", message="trained: adapters at q_proj: 0.1 of 2 million parameters"),
]


def test_each_hyperparameter_has_its_origin(capsys: pytest.CaptureFixture[str]) -> None:
    print_job(JOB, as_json=True, training=Training.of(JOB, EVENTS))
    shown = json.loads(capsys.readouterr().out)
    assert shown["hyperparameters"] == {
        "epochs": {"value": 2, "origin": "given"},
        "lora_alpha": {"value": 32.0, "origin": "chosen"},
        "tuning": {"value": "lora", "origin": "chosen"},
    }
    assert shown["trained"] == "adapters at q_proj: 0.1 of 2 million parameters"
    assert shown["rows"] == "23 of 24 rows are learned; not learned: line 3 (loss 1.234)"
    print_job(JOB, as_json=False, training=Training.of(JOB, EVENTS))
    text = " ".join(capsys.readouterr().out.split())
    assert "epochs 2 (given), lora_alpha 32.0 (chosen), tuning lora (chosen)" in text
    assert "adapters at q_proj" in text
    assert "rows 23 of 24 rows are learned; not learned: line 3 (loss 1.234)" in text


def test_before_a_job_trains_there_is_what_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    print_job(JOB, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["hyperparameters"] == {"epochs": {"value": 2, "origin": "given"}}
    assert shown["trained"] is None
