"""An organisation with jobs at OpenAI that ftbridge did not create."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import openai
from ftbridge.loopback import LoopbackServer
from ftbridge_providers.openai.mock.vendor import OpenAIMock
from migration_helpers import CHATS, PAIRS, Organisation


def supervised(**settings: Any) -> dict[str, Any]:
    return {"type": "supervised", "supervised": {"hyperparameters": settings}}


@pytest.fixture
def organisation(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """Five jobs made through OpenAI's SDK: four models, and a job that was cancelled."""
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    mock = OpenAIMock(home / "mock" / "openai", speed=600.0)
    model = "gpt-4.1-mini-2025-04-14"
    with LoopbackServer(mock.app()) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="any") as client:

        def upload(rows: list[dict[str, Any]]) -> str:
            file = tmp_path / "upload.jsonl"
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
            return client.files.create(file=file, purpose="fine-tune").id

        chats, pairs = upload(CHATS), upload(PAIRS)
        create = client.fine_tuning.jobs.create
        dpo: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}}
        set_: Any = supervised(n_epochs=2, batch_size=4, learning_rate_multiplier=0.5)
        slow: Any = supervised(n_epochs=1)
        made = {
            "left to the vendor": create(model=model, training_file=chats),
            "all set": create(
                model=model, training_file=chats, validation_file=chats, method=set_, seed=7, suffix="tickets"
            ),
            "with metadata": create(model=model, training_file=chats, method=slow, metadata={"team": "support"}),
            "preferences": create(model=model, training_file=pairs, method=dpo),
        }
        mock.speed = 1.0
        stopped = create(model=model, training_file=chats, method=slow)
        client.fine_tuning.jobs.cancel(stopped.id)
        mock.speed = 600.0
        for job in made.values():
            while client.fine_tuning.jobs.retrieve(job.id).status not in ("succeeded", "failed"):
                pass
        ids = {name: job.id for name, job in made.items()} | {"cancelled": stopped.id}
        jobs = {name: client.fine_tuning.jobs.retrieve(id_).to_dict(mode="json") for name, id_ in ids.items()}
        assert [job["status"] for job in jobs.values()] == ["succeeded"] * 4 + ["cancelled"]
    return Organisation(jobs)
