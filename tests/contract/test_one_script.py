"""One script, one dataset, four targets: only the string changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ftbridge import Bridge, Status
from ftbridge.testing import ROWS
from small_data import write_rows

TARGETS = [
    "mock+openai:gpt-4.1-mini-2025-04-14",
    "mock+together:Qwen/Qwen3-8B",
    "mock+mistral:open-mistral-nemo",
    "local:tiny",
]
ORDER = [Status.SUBMITTING, Status.VALIDATING, Status.QUEUED, Status.RUNNING, Status.SUCCEEDED]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", ROWS)


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_calls_give_the_same_kind_of_answers(
    target: str, data: Path, tmp_path: Path, home: Path, tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "FTBRIDGE_MOCK_SPEED", "2000"
    )  # over before the first look, which has to tell its way all the same
    shutil.copytree(tiny_home / "local" / "bases", home / "local" / "bases")
    with Bridge() as bridge:
        job = bridge.submit(data, to=target, validation=data, epochs=2, idempotency_key="only-once")
        assert bridge.submit(data, to=target, validation=data, epochs=2, idempotency_key="only-once").id == job.id
        reported = [event for _job, event in bridge.watch(job) if event is not None]
        job = bridge.job(job)

        assert job.status is Status.SUCCEEDED
        assert job.latest.step
        assert job.latest.train_loss
        statuses = [event.status for event in reported if event.kind == "status" and event.status]
        assert statuses[-2:] == [Status.RUNNING, Status.SUCCEEDED]
        assert [ORDER.index(status) for status in statuses] == sorted(ORDER.index(status) for status in statuses)
        assert {"status", "message", "metric"} <= {event.kind for event in reported}
        assert bridge.events(job) == reported

        result = bridge.fetch(job, tmp_path / "out")
        assert result.path
        assert any(result.path.iterdir())
        reply = bridge.chat(job, "Say one.", max_tokens=8)
        assert reply.text
        assert target.startswith("local") or reply.text == "one"
        assert bridge.evaluate(job, data).rows == 12
    with Bridge() as later:
        assert later.refresh(job)[0] == job
