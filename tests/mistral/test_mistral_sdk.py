"""Mistral's own SDK against the mock, without ftbridge's adapter; jobs by hand, since it has none any more."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
import pytest
from mistralai.client import Mistral
from mistralai.client.errors import SDKError
from mistralai.client.models import FTModelCard

from ftbridge_providers.mistral.mock.vendor import MistralMock
from spec_check import check_operations

MODEL = "open-mistral-7b"


def finished_model(base_url: str, file_id: str) -> str:
    """The tuned model of a job that starts by itself."""
    request = {"model": MODEL, "training_files": [{"file_id": file_id}], "hyperparameters": {"training_steps": 10}}
    with httpx2.Client(base_url=f"{base_url}/v1/fine_tuning", headers={"authorization": "Bearer any"}) as client:
        job = client.post("/jobs", json={**request, "auto_start": True, "suffix": "mine"}).json()
        for _look in range(200):
            job = client.get(f"/jobs/{job['id']}").json()
            if job["status"] == "SUCCESS":
                break
            time.sleep(0.02)
        assert client.get("/jobs", params={"suffix": "mine", "status": "SUCCESS"}).json()["total"] == 1
        assert client.post(f"/jobs/{job['id']}/start").status_code == 409
    assert len(job["checkpoints"]) == 10
    return str(job["fine_tuned_model"])


def test_files_models_and_chat(mock: MistralMock, base_url: str, data: Path) -> None:
    with Mistral(api_key="any", server_url=base_url) as client:
        file = client.files.upload(file={"file_name": "a.jsonl", "content": data.read_bytes()}, purpose="fine-tune")
        again = client.files.upload(file={"file_name": "a.jsonl", "content": data.read_bytes()}, purpose="fine-tune")
        assert again.id == file.id
        assert (file.num_lines, file.sample_type) == (12, "instruct")
        assert [one.id for one in client.files.list(page_size=5, search="a.jsonl").data] == [file.id]
        assert client.files.retrieve(file_id=file.id).size_bytes == data.stat().st_size
        assert client.files.download(file_id=file.id).read() == data.read_bytes()
        assert file.id in client.files.get_signed_url(file_id=file.id).url

        name = finished_model(base_url, file.id)
        assert name.startswith(f"ft:{MODEL}:mine:")
        assert name in [getattr(model, "id", "") for model in client.models.list().data or []]
        assert client.models.archive(model_id=name).archived
        card = client.models.retrieve(model_id=name)
        assert isinstance(card, FTModelCard)
        assert card.archived
        assert not client.models.unarchive(model_id=name).archived
        client.models.update(model_id=name, name="tickets", description="answers")
        named = client.models.retrieve(model_id=name)
        assert isinstance(named, FTModelCard)
        assert (named.name, named.description) == ("tickets", "answers")
        answer = client.chat.complete(model=name, messages=[{"role": "user", "content": "q5"}])
        assert answer.choices[0].message.content == "a5"
        assert client.models.delete(model_id=name).deleted
        with pytest.raises(SDKError, match="404"):
            client.models.retrieve(model_id=name)
        assert client.files.delete(file_id=file.id).deleted
        with pytest.raises(SDKError, match="404"):
            client.files.retrieve(file_id=file.id)
    check_operations("mistral", "sdk", mock.seen)
