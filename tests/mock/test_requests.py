"""Mocks refuse what the vendors refuse, and what they refuse leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from ftbridge.loopback import LoopbackServer
from ftbridge.mock import MockVendor
from ftbridge.mock.request import request_faults
from ftbridge_providers.azure.mock.vendor import AzureMock
from ftbridge_providers.mistral.mock.request import CreateJob as CreateMistralJob
from ftbridge_providers.mistral.mock.vendor import MistralMock
from ftbridge_providers.nebius.mock.vendor import NebiusMock
from ftbridge_providers.openai.mock.vendor import OpenAIMock
from ftbridge_providers.openai_api.gpt.mock.request import CreateJob
from ftbridge_providers.together.mock.vendor import TogetherMock
from spec_check import document_takes, has_document

ROWS = b'{"messages":[{"role":"user","content":"Hello"},{"role":"assistant","content":"Hi"}]}\n' * 12
BODY = {"model": "gpt-4.1-mini-2025-04-14", "training_file": "file-1"}
NUMBERS: list[Any] = [1, 0, -1, 1.5, 2, 50, 51, 256, 257, 10, 11, 1e-5, 0.001, "auto", "many", True, [1], {}]
MISTRAL = {"model": "open-mistral-nemo", "training_files": [{"file_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"}]}


class Account:
    """A mocked vendor's account with a training file, over HTTP."""

    def __init__(self, http: httpx.Client, jobs: str) -> None:
        self.http, self.jobs = http, jobs
        self.file_id = ""

    def create(self, **body: Any) -> httpx.Response:
        return self.http.post(self.jobs, json={"training_file": self.file_id, **body})

    def listed(self) -> list[Any]:
        answer = self.http.get(self.jobs)
        assert answer.status_code == 200
        found: list[Any] = answer.json()["data"]
        return found


@contextmanager
def served(mock: MockVendor, jobs: str, files: str = "") -> Iterator[Account]:
    """The account, with a file where the address of `files` is given."""
    keys = {"authorization": "Bearer k", "api-key": "k"}
    with LoopbackServer(mock.app()) as server, httpx.Client(base_url=server.url, headers=keys) as http:
        account = Account(http, jobs)
        if files:
            answer = http.post(files, data={"purpose": "fine-tune"}, files={"file": ("rows.jsonl", ROWS)})
            account.file_id = answer.json()["id"]
        yield account


@pytest.fixture
def openai(tmp_path: Path) -> Iterator[Account]:
    with served(OpenAIMock(tmp_path), "/v1/fine_tuning/jobs", "/v1/files") as account:
        yield account


@pytest.fixture(params=[OpenAIMock, AzureMock, NebiusMock])
def any_of_the_protocol(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Account, str]]:
    root = "/openai/v1" if request.param is AzureMock else "/v1"
    model = "Qwen/Qwen3-8B" if request.param is NebiusMock else BODY["model"]
    with served(request.param(tmp_path), f"{root}/fine_tuning/jobs", f"{root}/files") as account:
        yield account, model


def test_openais_deprecated_hyperparameters_are_understood(openai: Account) -> None:
    job = openai.create(model=BODY["model"], hyperparameters={"n_epochs": 3, "batch_size": "auto"}).json()
    assert job["hyperparameters"]["n_epochs"] == 3
    assert job["method"]["supervised"]["hyperparameters"]["n_epochs"] == 3


@pytest.mark.parametrize(
    ("more", "message", "code", "param"),
    [
        (
            {"hyperparameters": {"n_epochs": 1.5}},
            "Invalid value for 'hyperparameters.n_epochs': input should be a valid integer.",
            "invalid_value",
            "hyperparameters.n_epochs",
        ),
        ({"epochs": 3}, "Unknown parameter: 'epochs'.", "unknown_parameter", "epochs"),
        (
            {"method": {"type": "supervised", "supervised": {"hyperparameters": {"learning_rate": 1e-5}}}},
            "Unknown parameter: 'method.supervised.hyperparameters.learning_rate'.",
            "unknown_parameter",
            "method.supervised.hyperparameters.learning_rate",
        ),
        ({"method": {}}, "Missing required parameter: 'method.type'.", "missing_required_parameter", "method.type"),
    ],
)
def test_openai_refuses_by_field(openai: Account, more: Any, message: str, code: str, param: str) -> None:
    answer = openai.create(model=BODY["model"], **more)
    error = answer.json()["error"]
    assert (answer.status_code, error["message"], error["code"], error["param"]) == (400, message, code, param)
    assert openai.listed() == []


@pytest.mark.parametrize("value", [1.5, "three", 0, [3], {"a": 1}])
def test_a_refused_number_of_epochs_leaves_the_listing_as_it_was(
    any_of_the_protocol: tuple[Account, str], value: Any
) -> None:
    account, model = any_of_the_protocol
    assert account.create(model=model, hyperparameters={"n_epochs": value}).status_code in (400, 422)
    assert account.listed() == []
    assert account.create(model=model, hyperparameters={"n_epochs": 2}).status_code == 200
    assert len(account.listed()) == 1


@pytest.mark.parametrize("value", [1.5, "three", 0, [3], None])
def test_together_refuses_a_number_of_epochs_too(tmp_path: Path, value: Any) -> None:
    with served(TogetherMock(tmp_path), "/v1/fine-tunes") as account:
        assert account.create(model="Qwen/Qwen3-8B", n_epochs=value).status_code == 400
        assert account.listed() == []


@pytest.mark.parametrize(
    ("more", "location"),
    [
        ({"hyperparameters": {"epochs": "three"}}, ["hyperparameters", "epochs"]),
        ({"hyperparameters": {"epochs": 0}}, ["hyperparameters", "epochs"]),
        ({"hyperparameters": {"training_steps": 1.5}}, ["hyperparameters", "training_steps"]),
        ({"hyperparameters": {}, "auto_start": "yes"}, ["auto_start"]),
        ({"hyperparameters": {}, "n_epochs": 3}, ["n_epochs"]),
    ],
)
def test_mistral_refuses_as_fastapi_does(tmp_path: Path, more: Any, location: list[str]) -> None:
    with served(MistralMock(tmp_path), "/v1/fine_tuning/jobs") as account:
        answer = account.http.post(account.jobs, json={**MISTRAL, **more})
        assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["body", "job_in", *location])
        assert account.listed() == []


def test_what_another_version_stored_does_not_stop_a_listing(openai: Account, tmp_path: Path) -> None:
    assert openai.create(model=BODY["model"]).status_code == 200
    (tmp_path / "jobs" / "ftjob-old.json").write_text(json.dumps({"id": "ftjob-old"}))
    assert len(openai.listed()) == 1


def requests() -> Iterator[dict[str, Any]]:
    """Requests with every value for every hyperparameter, at each of its places."""
    names = ["n_epochs", "batch_size", "learning_rate_multiplier"]
    for value in NUMBERS:
        for name in names:
            yield {"hyperparameters": {name: value}}
            yield {"method": {"type": "supervised", "supervised": {"hyperparameters": {name: value}}}}
        for name in [*names, "beta"]:
            yield {"method": {"type": "dpo", "dpo": {"hyperparameters": {name: value}}}}
        for name in [*names, "compute_multiplier", "eval_interval", "eval_samples", "reasoning_effort"]:
            grader = {"type": "string_check", "name": "g", "input": "a", "reference": "b", "operation": "eq"}
            method = {"grader": grader, "hyperparameters": {name: value}}
            yield {"method": {"type": "reinforcement", "reinforcement": method}}
        for name in ("suffix", "seed", "metadata", "integrations", "training_file", "model"):
            yield {name: value}


@pytest.mark.skipif(not has_document("openai"), reason="OpenAI's document is not here")
def test_openais_mock_refuses_what_the_document_refuses() -> None:
    for body in ({**BODY, **more} for more in requests()):
        taken = not request_faults(body, CreateJob)
        assert taken == document_takes("openai", "CreateFineTuningJobRequest", body), body


@pytest.mark.skipif(not has_document("mistral"), reason="Mistral's document is not here")
def test_mistrals_mock_refuses_what_the_document_refuses() -> None:
    names = ("training_steps", "learning_rate", "weight_decay", "warmup_fraction", "epochs", "seq_len", "fim_ratio")
    for name in names:
        for value in [*NUMBERS, None, 100, 99]:
            body = {**MISTRAL, "hyperparameters": {name: value}}
            taken = not request_faults(body, CreateMistralJob)
            assert taken == document_takes("mistral", "CompletionTrainingParametersIn", {name: value}), body
