"""The vendors' own SDKs and command lines against `ftbridge mock`, by nothing but the environment that it prints.

OpenAI's SDK has had no command line since version 3, and Mistral's never had one.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from mistralai.client import Mistral

import openai
from ftbridge.plugins import mock_names
from ftbridge.testing import ROWS
from small_data import write_rows
from together import Together

OPENAI_MODEL, TOGETHER_MODEL = "gpt-4.1-mini-2025-04-14", "Qwen/Qwen3-8B"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `ftbridge mock` prints as the environment to set, for as long as it serves."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = {"FTBRIDGE_HOME": str(tmp_path_factory.mktemp("home"))}
    command = [sys.executable, "-m", "ftbridge", "mock", "--port", str(port), "--speed", "600", "--json"]
    with subprocess.Popen(command, env={**os.environ, **home}, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        environment: dict[str, str] = json.loads(server.stdout.readline())["environment"]
        yield environment
        server.terminate()


@pytest.fixture
def environment(printed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name, value in printed.items():
        monkeypatch.setenv(name, value)
    return printed


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    own = [{"role": "user", "content": tmp_path.name}, {"role": "assistant", "content": "unlike any other file"}]
    return write_rows(tmp_path / "rows.jsonl", [*ROWS, {"messages": own}])


@pytest.fixture
def tool(environment: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Together's command line, which keeps its files in a home of its own and calls nobody else."""
    [entry] = distribution("together").entry_points.select(group="console_scripts", name="together")
    start = f"import sys; from {entry.module} import {entry.attr}; sys.exit({entry.attr}())"
    quiet = {"HOME": str(tmp_path), "TOGETHER_TELEMETRY_DISABLED": "1", "TOGETHER_DISABLE_VERSION_CHECK": "1"}

    def run(*words: str) -> str:
        command = [sys.executable, "-c", start, *words, "--non-interactive"]
        ran = subprocess.run(
            command, env={**os.environ, **quiet}, cwd=tmp_path, capture_output=True, text=True, timeout=100
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.1)


def test_the_environment_leads_to_every_mocked_vendor(environment: dict[str, str]) -> None:
    assert {name.upper() for name in mock_names()} <= {name.partition("_")[0] for name in environment}


def test_openais_sdk_goes_from_a_file_to_a_model_that_answers(environment: dict[str, str], rows: Path) -> None:
    with openai.OpenAI() as client:
        file = client.files.create(file=rows, purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model=OPENAI_MODEL, training_file=file.id)
        until(lambda: client.fine_tuning.jobs.retrieve(job.id).status == "succeeded")
        kinds = {event.type for event in client.fine_tuning.jobs.list_events(job.id)}
        assert kinds == {"message", "metrics"}
        assert list(client.fine_tuning.jobs.checkpoints.list(job.id))
        model = str(client.fine_tuning.jobs.retrieve(job.id).fine_tuned_model)
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Say two."}])
        assert answer.choices[0].message.content == "two"


def test_togethers_sdk_goes_from_a_file_to_weights(environment: dict[str, str], rows: Path) -> None:
    with Together() as client:
        file = client.files.upload(rows, purpose="fine-tune")
        job = client.fine_tuning.create(training_file=file.id, model=TOGETHER_MODEL, lora=True)
        until(lambda: client.fine_tuning.retrieve(job.id).status == "completed")
        assert client.fine_tuning.list_events(job.id).data
        assert client.fine_tuning.list_checkpoints(job.id).data
        weights = client.fine_tuning.content(ft_id=job.id, checkpoint="adapter").read()
        assert weights.startswith(b"\x28\xb5\x2f\xfd")  # zstandard


def test_mistrals_sdk_reads_files_and_models(environment: dict[str, str], rows: Path) -> None:
    with Mistral(api_key=environment["MISTRAL_API_KEY"], server_url=environment["MISTRAL_BASE_URL"]) as client:
        content = rows.read_bytes()
        file = client.files.upload(file={"file_name": "rows.jsonl", "content": content}, purpose="fine-tune")
        assert client.files.download(file_id=file.id).read() == content
        assert client.models.list().data


def test_togethers_command_line_goes_from_a_file_to_weights(
    tool: Callable[..., str], rows: Path, tmp_path: Path
) -> None:
    def ask(*words: str) -> Any:
        return json.loads(tool(*words, "--json"))

    file = ask("files", "upload", str(rows))
    assert file["id"] in [one["id"] for one in ask("files", "list")]
    [job] = set(re.findall(r"ft-\w+-\w+", tool("fine-tuning", "create", file["id"], "--model", TOGETHER_MODEL)))
    until(lambda: ask("fine-tuning", "retrieve", job)["status"] == "completed")
    assert job in [one["id"] for one in ask("fine-tuning", "list")]
    for listing in ("list-events", "list-checkpoints", "list-metrics"):
        assert ask("fine-tuning", listing, job)
    got = ask("fine-tuning", "download", job, "--output-dir", "weights")
    assert Path(got["filename"]).read_bytes().startswith(b"\x28\xb5\x2f\xfd")
    assert ask("files", "delete", file["id"])
