"""The stub vendors are true to their witnesses: the vendors' SDKs take what they answer, and so do the documents."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from faults.stubs.conduct import Listing, Mishap
from faults.stubs.kept import StubFile
from faults.stubs.mistral_stub import MistralStub
from faults.stubs.openai_stub import OpenAIStub
from faults.stubs.together_stub import TogetherStub
from faults.stubs.vendor import Vendor
from faults.stubs.wire import serving
from sdk_check import check_by_sdk
from spec_check import check_by_document, has_document

TAG = "ftb_0123456789ab"
OPENAI_JOB = {"model": "gpt-4.1-mini-2025-04-14", "suffix": TAG, "metadata": {"ftbridge": TAG}}
TOGETHER_JOB = {"model": "Qwen/Qwen3-8B", "suffix": TAG, "n_epochs": 1, "training_type": {"type": "Full"}}
A_FILE = StubFile("file-1", "rows.jsonl", b"{}", 1.7e9)
MISTRAL_JOB = {"model": "open-mistral-nemo", "suffix": TAG, "hyperparameters": {"epochs": 1}, "auto_start": False}


def valid(found: BaseModel) -> Any:
    """What an SDK has built without a look at its types, if these are right."""
    type(found).model_validate(found.model_dump(by_alias=True, exclude_unset=True))
    return found


def check_document(vendor: str, stub: Vendor, *, documented: int, in_sdk: int, prefix: str = "") -> None:
    """So many operations were seen that the document, and the SDK, has; none was against either."""
    seen: Any = [
        SimpleNamespace(
            call=SimpleNamespace(
                method=call.method,
                path=call.path,
                query=call.query,
                body=call.body,
                form={name: part.content.decode() for name, part in call.form.items() if not part.file_name},
                file_name="".join(part.file_name for part in call.form.values()),
            ),
            answer=answer,
        )
        for call, answer in stub.seen
    ]
    assert len(check_by_sdk(vendor, seen)) == in_sdk
    if has_document(vendor):
        assert len(check_by_document(vendor, seen, prefix=prefix)) == documented


@contextmanager
def openai_client(stub: OpenAIStub) -> Iterator[Any]:
    from openai import OpenAI

    with serving(stub) as server, OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=0) as client:
        yield client


@contextmanager
def together_client(stub: TogetherStub) -> Iterator[Any]:
    from together import DefaultHttpxClient, Together

    http = DefaultHttpxClient(follow_redirects=False)
    with serving(stub) as server, Together(base_url=server.url, api_key="k", max_retries=0, http_client=http) as client:
        yield client


@contextmanager
def mistral_client(stub: MistralStub) -> Iterator[tuple[Any, httpx.Client]]:
    """The SDK, which has no jobs any more, and a plain client for these."""
    from mistralai.client import Mistral

    with (
        serving(stub) as server,
        Mistral(api_key="k", server_url=server.url) as client,
        httpx.Client(base_url=f"{server.url}/v1") as plain,
    ):
        yield client, plain


def test_openais_sdk_and_document_take_the_whole_life_of_a_job(data: Path) -> None:
    stub = OpenAIStub()
    stub.ends_after = 2
    with openai_client(stub) as client:
        with data.open("rb") as content:
            file = valid(client.files.create(file=("rows.jsonl", content), purpose="fine-tune"))
        assert [one.bytes for one in client.files.list(purpose="fine-tune")] == [data.stat().st_size]
        valid(client.files.retrieve(file.id))
        valid(client.models.retrieve(OPENAI_JOB["model"]))
        assert OPENAI_JOB["model"] in [model.id for model in client.models.list()]
        method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}
        made = valid(client.fine_tuning.jobs.create(training_file=file.id, method=method, **OPENAI_JOB))
        assert [job.id for job in client.fine_tuning.jobs.list(metadata={"ftbridge": TAG})] == [made.id]
        assert list(client.fine_tuning.jobs.list(metadata={"ftbridge": "another"})) == []
        assert valid(client.fine_tuning.jobs.retrieve(made.id)).status == "validating_files"
        done = valid(client.fine_tuning.jobs.retrieve(made.id))
        assert (done.status, done.trained_tokens) == ("succeeded", 1200)
        assert [valid(event).message for event in client.fine_tuning.jobs.list_events(made.id, limit=1)] == [
            "The job is succeeded",
            "The job is running",
            "The job is validating",
        ]
        assert list(client.fine_tuning.jobs.checkpoints.list(made.id)) == []
        second = client.fine_tuning.jobs.create(training_file=file.id, **OPENAI_JOB)
        stub.ends_after = None
        assert valid(client.fine_tuning.jobs.cancel(second.id)).status == "cancelled"
    assert [(job.tag, job.state) for job in stub.made] == [(TAG, "succeeded"), (TAG, "cancelled")]
    assert stub.problems == []
    check_document("openai", stub, documented=11, in_sdk=11, prefix="/v1")


def test_togethers_sdk_and_document_take_the_whole_life_of_a_job(data: Path) -> None:
    stub = TogetherStub()
    stub.ends_after = 2
    with together_client(stub) as client:
        file = valid(client.files.upload(data, purpose="fine-tune", check=False))
        assert [valid(one).bytes for one in client.files.list().data] == [data.stat().st_size]
        assert valid(client.files.retrieve(file.id)).processing_status == "COMPLETED"
        assert valid(client.fine_tuning.model_limits(model_name=TOGETHER_JOB["model"])).lora_training.max_rank == 64
        price = client.fine_tuning.estimate_price(training_file=file.id, model=TOGETHER_JOB["model"])
        assert valid(price).estimated_total_price == 4.0
        made = client.post("/v1/fine-tunes", body={"training_file": file.id, **TOGETHER_JOB}, cast_to=object)
        [listed] = valid(client.fine_tuning.list()).data
        assert (listed.id, listed.suffix) == (made["id"], TAG)
        valid(client.fine_tuning.retrieve(listed.id))
        assert valid(client.fine_tuning.retrieve(listed.id)).status == "completed"
        events = valid(client.fine_tuning.list_events(listed.id)).data
        assert [event.type for event in events] == ["job_pending", "training_start", "job_complete"]
        assert client.fine_tuning.list_metrics(listed.id).metrics == []
        assert valid(client.fine_tuning.list_checkpoints(listed.id)).data == []
        stub.ends_after = None
        second = client.fine_tuning.create(training_file=file.id, model=TOGETHER_JOB["model"], lora=True)
        assert valid(client.fine_tuning.cancel(second.id)).status == "cancelled"
    assert stub.problems == []
    check_document("together", stub, documented=11, in_sdk=12, prefix="/v1")


def test_mistrals_sdk_takes_its_files_and_its_document_the_whole_life_of_a_job(data: Path) -> None:
    stub = MistralStub()
    with mistral_client(stub) as (client, plain):
        sent = {"file_name": "rows.jsonl", "content": data.read_bytes()}
        file = valid(client.files.upload(file=sent, purpose="fine-tune"))
        again = client.files.upload(file=sent, purpose="fine-tune")
        assert again.id == file.id
        found = client.files.list(search="rows", purpose="fine-tune").data
        assert [one.size_bytes for one in found] == [data.stat().st_size]
        assert client.files.list(search="cols").data == []
        assert "open-mistral-nemo" in [model.id for model in client.models.list().data]
        job = plain.post("/fine_tuning/jobs", json={"training_files": [{"file_id": file.id}], **MISTRAL_JOB}).json()
        assert job["status"] == "QUEUED"
        validated = plain.get(f"/fine_tuning/jobs/{job['id']}").json()
        assert (validated["status"], validated["metadata"]["cost"]) == ("VALIDATED", 4.0)
        assert plain.get("/fine_tuning/jobs", params={"suffix": TAG}).json()["total"] == 1
        assert plain.get("/fine_tuning/jobs", params={"suffix": "another"}).json()["data"] == []
        assert plain.post(f"/fine_tuning/jobs/{job['id']}/start").json()["status"] == "QUEUED"
        assert plain.post(f"/fine_tuning/jobs/{job['id']}/cancel").json()["status"] == "CANCELLED"
    assert stub.problems == []
    check_document("mistral", stub, documented=8, in_sdk=3)


def test_a_page_goes_on_where_the_one_before_ended() -> None:
    stub = OpenAIStub()
    stub.fill(250)
    with openai_client(stub) as client:
        found = [job.id for job in client.fine_tuning.jobs.list(limit=100)]
    assert found == [job.id for job in reversed(stub.jobs)]
    assert stub.calls["jobs"] == 3


def test_the_date_of_an_answer_is_that_of_the_vendors_own_clock() -> None:
    stub = OpenAIStub()
    stub.offset = 7200.0
    with serving(stub) as server:
        date = parsedate_to_datetime(httpx.get(f"{server.url}/v1/models").headers["date"])
    assert date.timestamp() == pytest.approx(time.time() + 7200, abs=30)


def test_a_create_may_be_carried_out_and_answered_with_anything() -> None:
    stub = MistralStub()
    stub.conduct.creates = [
        Mishap(status=503),
        Mishap(status=202, body="odd"),
        Mishap(status=200, body="html"),
        Mishap(status=200, body="truncated"),
        Mishap(done=False, status=418, times=2),
    ]
    with mistral_client(stub) as (client, plain):
        file = client.files.upload(file={"file_name": "a.jsonl", "content": b"{}"}, purpose="fine-tune")
        wish = {"training_files": [{"file_id": file.id}], **MISTRAL_JOB}
        answers = [plain.post("/fine_tuning/jobs", json=wish) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [503, 202, 200, 200, 418, 418, 200]
    assert answers[1].json() == {"accepted": True, "message": "We have your request."}
    assert answers[2].text.startswith("<html>")
    assert answers[3].text.startswith("{")
    assert not answers[3].text.endswith("}")
    assert len(stub.made) == 5


@pytest.mark.parametrize("mishap", [Mishap(cut=True), Mishap(body="aborted")])
@pytest.mark.parametrize("done", [True, False])
def test_a_connection_may_break_before_and_after(mishap: Mishap, done: bool) -> None:
    stub = OpenAIStub()
    stub.conduct.creates = [Mishap(done, cut=mishap.cut, body=mishap.body)]
    stub.files["file-1"] = A_FILE
    with (
        serving(stub) as server,
        httpx.Client(base_url=f"{server.url}/v1") as plain,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        plain.post("/fine_tuning/jobs", json={"training_file": "file-1", **OPENAI_JOB})
    assert len(stub.made) == done


def test_a_listing_may_hide_repeat_and_refuse() -> None:
    stub = OpenAIStub()
    stub.files["file-1"] = A_FILE
    with serving(stub) as server, httpx.Client(base_url=f"{server.url}/v1") as plain:
        made = plain.post("/fine_tuning/jobs", json={"training_file": "file-1", **OPENAI_JOB}).json()["id"]

        def found(listing: Listing, **query: Any) -> Any:
            stub.conduct.listing = listing
            page = plain.get("/fine_tuning/jobs", params=query).json()
            return [job["id"] for job in page["data"]] if page.get("data") is not None else page

        assert found(Listing(lag_seconds=60)) == []
        assert [found(lagging) for lagging in [Listing(lag_calls=3)] * 3] == [[], [], [made]]
        assert found(Listing(twice=True)) == [made, made]
        assert found(Listing(null_data=True))["data"] is None
        assert found(Listing(empty_first=True)) == []
        assert found(Listing(refused=403))["error"]["type"] == "permission_error"
        assert found(Listing(refused=500, calls=0)) == [made]
        assert found(Listing(stripped="metadata"), **{"metadata[ftbridge]": TAG}) == []
        assert found(Listing(filter_ignored=True), **{"metadata[ftbridge]": "another"}) == [made]
        assert found(Listing(cursor_ignored=True), after=made) == [made]
        shifted = Listing(shifted=True)
        assert found(shifted, limit=100)[-1] == made
        assert found(shifted, limit=100, after=made) == [made]
        turns = Listing(alternating=True)
        pages = [found(turns, after=made) for _ in range(4)]
        assert pages[0] == pages[2] != pages[1] == pages[3]


def test_a_client_that_never_ends_is_stopped_and_noticed() -> None:
    stub = OpenAIStub(storm=5)
    stub.conduct.files = "alternating"
    from openai import BadRequestError

    with openai_client(stub) as client, pytest.raises(BadRequestError):
        list(client.files.list())
    assert stub.stormed
