"""Jobs at mocked vendors, and jobs that were trained on this machine, each with rows that can be searched for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.ledger import Intent, Prepared
from ftbridge.model import Job, Result, Spec, Status, now
from ftbridge.provider import Files
from ftbridge_local.job_documents import UPLOADS, JobSpec
from ftbridge_local.job_folder import JobFolder
from small_data import write_rows

CANARY = "canary-row-7f3a"
"""A word of every training row."""


@pytest.fixture(autouse=True)
def fast_mocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    words = [f"{CANARY} {number}" for number in range(12)]
    turns = [[{"role": "user", "content": word}, {"role": "assistant", "content": word}] for word in words]
    return write_rows(tmp_path / "canary.jsonl", [{"messages": messages} for messages in turns])


@pytest.fixture
def trained(bridge: Bridge) -> Callable[..., Job]:
    """Makes a job that was trained here, as far as its files go."""

    def make(name: str = "one", status: Status = Status.SUCCEEDED, *, ended_hours_ago: float = 1.0) -> Job:
        job_id, home = f"ftb_{name}", bridge.home
        folder = JobFolder(home / "local" / "jobs" / job_id)
        upload = home / "local" / "files" / f"key{name}.jsonl"
        for file in (
            upload,
            home / "local" / "rows" / "tokens.safetensors",
            *(folder.path / part for part in ("training.jsonl", "reference-training.json", "worker.log")),
            *(folder.checkpoints / step / "adapter_model.safetensors" for step in ("step-000002", "step-000004")),
            folder.checkpoints / ".new-12345678" / "half",
        ):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(CANARY, "utf-8")
        folder.result.mkdir()
        (folder.result / "adapter_model.safetensors").write_text("weights", "utf-8")
        folder.write_spec(JobSpec(model="tiny", base="tiny"))
        (folder.path / UPLOADS).write_text(Files(training=str(upload)).model_dump_json(exclude_none=True), "utf-8")
        folder.set_status(status)
        spec = Spec(target="local:tiny", data=home.parent / "rows.jsonl")
        at = now() - timedelta(hours=ended_hours_ago)
        record = bridge.ledger.add(
            Intent(
                id=job_id,
                target=spec.target,
                spec=spec,
                prepared=Prepared(training=f"key{name}"),
                request_hash=name,
                created_at=at,
            )
        )
        bridge.ledger.remember_upload("local", f"key{name}", str(upload))
        result = Result(model=str(folder.result), path=folder.result) if status is Status.SUCCEEDED else None
        ended = at if status.final else None
        changed = bridge.ledger.change(
            record, status=status, remote_id=job_id, posted_at=at, finished_at=ended, result=result
        )
        assert changed is not None
        return changed.job

    return make


def with_canary(home: Path) -> list[str]:
    """The files of the home in which a training row stands."""
    files = [file for file in home.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]
    return sorted(str(file.relative_to(home)) for file in files)
