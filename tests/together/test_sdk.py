"""The official SDK alone works against the mock, and all that passes fits Together's own document."""

from __future__ import annotations

import asyncio
import hashlib
import tarfile
import time
from pathlib import Path

import httpx
import pytest
import zstandard
from together.lib.resources.files import DownloadManager

import together
from ftbridge_providers.together.mock.vendor import TogetherMock
from hosted_helpers import sent
from spec_check import check_operations
from together import Together
from together_helpers import KEY, MODEL


def train(sdk: Together, rows: Path) -> str:
    file = sdk.files.upload(rows, purpose="fine-tune")
    job = sdk.fine_tuning.create(training_file=file.id, model=MODEL, n_epochs=2, lora=True, suffix="sdk")
    while sdk.fine_tuning.retrieve(job.id).status != "completed":
        time.sleep(0.05)
    return str(job.id)


def test_the_sdk_goes_all_the_way(sdk: Together, mock: TogetherMock, rows: Path, url: str) -> None:
    job_id = train(sdk, rows)
    kinds = [event.type for event in sdk.fine_tuning.list_events(job_id).data]
    assert kinds[0] == "job_pending"
    assert kinds[-1] == "job_complete"
    metrics = sdk.fine_tuning.list_metrics(job_id).metrics
    assert metrics
    assert metrics[-1]["train/loss"] < metrics[0]["train/loss"]
    [checkpoint] = sdk.fine_tuning.list_checkpoints(job_id).data
    assert checkpoint.step == metrics[-1]["train/global_step"]
    made = sdk.fine_tuning.retrieve(job_id)
    assert made.total_price
    [listed] = sdk.fine_tuning.list().data
    assert listed.suffix == "sdk"
    reply = sdk.chat.completions.create(
        model=str(made.x_model_output_name), messages=[{"role": "user", "content": "Say two."}]
    )
    assert reply.choices[0].message
    assert reply.choices[0].message.content == "two"

    httpx.get(f"{url}/v1/fine-tunes/models/supported", headers={"authorization": f"Bearer {KEY}"}).raise_for_status()
    sdk.get("/v1/models", cast_to=object)
    file = sdk.files.list().data[0]
    assert sdk.files.content(file.id).read() == rows.read_bytes()
    assert sdk.fine_tuning.content(ft_id=job_id, checkpoint="adapter").read()
    other = httpx.post(
        f"{url}/v1/files/upload",
        headers={"authorization": f"Bearer {KEY}"},
        data={"purpose": "fine-tune", "file_name": "other.jsonl", "file_type": "jsonl"},
        files={"file": b'{"text": "Once upon a time"}\n'},
    ).json()
    cancelled = sdk.fine_tuning.create(training_file=other["id"], model=MODEL, lora=False)
    sdk.fine_tuning.cancel(cancelled.id)
    sdk.fine_tuning.delete(cancelled.id)
    sdk.files.delete(file.id)

    check_operations("together", "sdk", mock.seen, prefix="/v1")


def test_the_sdks_clients_say_different_things_and_a_rate_of_nothing_becomes_one(
    sdk: Together, mock: TogetherMock, rows: Path, url: str
) -> None:
    """Why the adapter writes the request itself, and always says what is trained."""
    file = sdk.files.upload(rows, purpose="fine-tune").id

    async def ask() -> None:
        async with together.AsyncTogether(base_url=url, api_key=KEY, max_retries=0) as client:
            await client.fine_tuning.create(training_file=file, model=MODEL)

    sdk.fine_tuning.create(training_file=file, model=MODEL, learning_rate=0)
    asyncio.run(ask())
    plain, asynchronous = sent(mock, "create_job")
    assert "training_type" not in plain
    assert asynchronous["training_type"]["type"] == "Lora"
    assert plain["learning_rate"] == 1e-5


def test_the_sdk_downloads_by_ranges(sdk: Together, rows: Path, tmp_path: Path) -> None:
    job_id = train(sdk, rows)
    file = tmp_path / "adapter.tar.zst"
    DownloadManager(sdk).download(f"/v1/finetune/download?ft_id={job_id}&checkpoint=adapter", file, fetch_metadata=True)
    with zstandard.open(file, "rb") as unpacked, tarfile.open(fileobj=unpacked, mode="r|") as tar:
        assert [member.name for member in tar] == ["adapter_config.json", "adapter_model.safetensors"]


def test_the_sdk_is_given_a_file_that_is_there_already(sdk: Together, mock: TogetherMock, rows: Path) -> None:
    first = sdk.files.upload(rows, purpose="fine-tune")
    again = sdk.files.upload(rows, purpose="fine-tune")
    assert again.id == first.id
    [kept] = [seen for seen in mock.seen if seen.operation == "store_file"]
    assert hashlib.sha256(kept.call.content).digest() == hashlib.sha256(rows.read_bytes()).digest()


def test_the_sdk_understands_the_mocks_refusals(sdk: Together) -> None:
    with pytest.raises(together.NotFoundError):
        sdk.fine_tuning.retrieve("ft-nobody")
    with pytest.raises(together.BadRequestError, match="not found"):
        sdk.fine_tuning.create(training_file="file-nobody", model=MODEL, lora=True)
    with pytest.raises(together.NotFoundError, match="not available"):
        sdk.fine_tuning.model_limits(model_name="nobody/has-this")
