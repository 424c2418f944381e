"""OpenAI's own SDK against the mock, without ftbridge's adapter: what users' existing pipelines do."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import openai
from ftbridge.mock import MockVendors
from ftbridge_providers.openai.mock.vendor import OpenAIMock
from spec_check import check_operations

MODEL = "gpt-4.1-mini-2025-04-14"


def test_files_job_events_checkpoints_and_chat(base_url: str, mock: OpenAIMock, data: Path) -> None:
    with openai.OpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
        file = client.files.create(file=data, purpose="fine-tune")
        assert client.files.retrieve(file.id).bytes == data.stat().st_size
        job = client.fine_tuning.jobs.create(model=MODEL, training_file=file.id, suffix="mine")
        seen = []
        for _look in range(200):
            job = client.fine_tuning.jobs.retrieve(job.id)
            if job.status not in seen:
                seen.append(job.status)
            if job.status == "succeeded":
                break
            time.sleep(0.02)
        assert seen[-1] == "succeeded"
        assert job.fine_tuned_model
        events = list(client.fine_tuning.jobs.list_events(job.id, limit=7))
        assert events[0].message == "The job has successfully completed"
        assert len({event.id for event in events}) == len(events) > 14
        assert list(client.fine_tuning.jobs.checkpoints.list(job.id))
        answer = client.chat.completions.create(
            model=job.fine_tuned_model, messages=[{"role": "user", "content": "q5"}]
        )
        assert answer.choices[0].message.content == "a5"
        with pytest.raises(openai.NotFoundError):
            client.fine_tuning.jobs.retrieve("ftjob-nobody")
        with pytest.raises(openai.BadRequestError):
            client.fine_tuning.jobs.cancel(job.id)
        assert client.models.delete(job.fine_tuned_model).deleted
        assert client.files.content(file.id).content == data.read_bytes()
        assert [one.id for one in client.files.list(purpose="fine-tune")] == [file.id]
        assert client.files.delete(file.id).deleted
    check_operations("openai", "sdk", mock.seen, prefix="/v1")


def test_the_pytest_fixture_leads_the_sdk_to_the_mock_and_shows_what_its_retries_cost(
    ftbridge_mock: MockVendors, data: Path
) -> None:
    ftbridge_mock["openai"].faults.add("create_job=500-after")
    with openai.OpenAI() as client:
        file = client.files.create(file=data, purpose="fine-tune")
        client.fine_tuning.jobs.create(model=MODEL, training_file=file.id)
        assert len(client.fine_tuning.jobs.list().data) == 2  # the SDK asked again, and paid twice
