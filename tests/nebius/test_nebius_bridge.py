"""The whole way by the target's string alone: `mock+nebius:…`."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge, Status


def test_a_job_is_trained_fetched_deployed_and_talked_to(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    with Bridge() as bridge:
        job = bridge.wait(
            bridge.submit(data, to="mock+nebius:Qwen/Qwen3-8B", epochs=1, lora_rank=8, idempotency_key="once")
        )
        assert job.status is Status.SUCCEEDED
        assert job.latest.train_loss
        assert job.result
        assert job.result.model == job.remote_id
        fetched = bridge.fetch(job, tmp_path / "adapter")
        assert fetched.path
        assert (fetched.path / "adapter_model.safetensors").exists()
        made = bridge.deploy(job)
        assert any("price" in warning for warning in bridge.warnings)
        assert made.name
        assert made.name.startswith("Qwen/Qwen3-8B-LoRa:")
        assert str(bridge.chat(job, "q7")) == "a7"
        bridge.undeploy(job)
