"""Hosted targets on the command line, against mocked vendors: what is refused, and what that leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import openai
from command_line import Cli
from ftbridge.mock.vendors import MockVendors
from ftbridge_providers.openai.adapter import OpenAIProvider
from small_data import write_rows

"""Two lines for a vendor, and three more for Azure's management API."""
MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"


def test_without_a_key_there_is_no_job(cli: Cli, rows: Path) -> None:
    ran = cli("submit", rows, "--to", "openai:gpt-4.1-mini-2025-04-14", "--idempotency-key", "monday")
    assert ran.code == 2
    assert "OPENAI_API_KEY" in ran.err
    assert cli("jobs", "--json").json["jobs"] == []


def test_a_key_of_ones_own_is_free_again_after_a_refusal(
    here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAIProvider, "listing_lag_seconds", 0.0)  # nobody waits for its absence to be proved
    refused = here("submit", rows, "--to", "mock+openai:gpt-9-ultra", "--idempotency-key", "monday")
    assert refused.code == 3
    assert "gpt-9-ultra" in refused.err
    [failed] = here("jobs", "--json").json["jobs"]
    assert failed["status"] == "failed"
    resumed = here("resume", failed["id"])
    assert resumed.code == 2
    assert "never reached the provider" in resumed.err
    again = here("submit", rows, "--to", MOCKED, "--idempotency-key", "monday")
    assert again.code == 0
    assert again.out.strip() != failed["id"]


def test_a_closed_vendor_is_refused_with_what_to_use_instead(cli: Cli, rows: Path) -> None:
    ran = cli("submit", rows, "--to", "mistral:open-mistral-nemo")
    assert ran.code == 3
    assert "2026" in ran.err
    assert "local:" in ran.err


def test_tasks_in_openais_own_form_train_by_reinforcement(cli: Cli, tmp_path: Path) -> None:
    rows = [{"messages": [{"role": "user", "content": f"q{n}"}], "answer": f"a{n}"} for n in range(12)]
    tasks, grader = write_rows(tmp_path / "tasks.jsonl", rows), tmp_path / "grader.json"
    reading = {"input": "{{sample.output_text}}", "reference": "{{item.answer}}"}
    grader.write_text(json.dumps({"type": "string_check", "name": "right", "operation": "eq", **reading}), "utf-8")
    asked = ("--to", "mock+openai:o4-mini-2025-04-16", "--method", "rft")
    assert cli("check", tasks, *asked, "--format", "openai-rft").code == 0
    reading = cli("check", tasks, *asked, "--format", "openai-rft", "--grader", grader, "--json").json
    assert reading["errors"] == 0
    grader.write_text(grader.read_text("utf-8").replace("item.answer", "item.solution"), "utf-8")
    refused = cli("submit", tasks, *asked, "--format", "openai-rft", "--grader", grader, "--validation", tasks)
    assert refused.code == 1
    assert "item.solution" in refused.err
    assert "--method rft --grader FILE --format openai-rft" in " ".join(refused.err.split())
    found = cli("check", tasks, *asked, "--format", "openai-rft", "--grader", grader, "--json").json
    assert {finding["code"] for finding in found["findings"]} >= {"reference_key_missing"}
    grader.write_text(grader.read_text("utf-8").replace("item.solution", "item.answer"), "utf-8")
    refused = cli("submit", tasks, *asked, "--format", "openai-rft")
    assert refused.code == 2
    assert "Give a grader, in a JSON file." in refused.err
    more = ("--validation", tasks, "--grader", grader, "--format", "openai-rft", "--eval-interval", "2")
    ran = cli("run", tasks, *asked, *more, "--out", tmp_path / "out", "--epochs", "1")
    assert ran.code == 0, ran.err
    shown = cli("show", "last")
    assert "validation reward" in shown.out
    assert "rft" in shown.out


def test_a_value_out_of_range_is_refused_with_the_nearest(cli: Cli, rows: Path) -> None:
    ran = cli("submit", rows, "--to", MOCKED, "--epochs", "51")
    assert ran.code == 2
    assert "from 1 to 50" in ran.err
    ran = cli("submit", rows, "--to", "mock+together:Qwen/Qwen3-8B", "--tuning", "half")
    assert ran.code == 2
    assert "or 'full'" in ran.err


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (MOCKED, ["--lora-rank", "8"]),
        ("mock+together:Qwen/Qwen3-8B", ["--epochs", "500"]),
        ("local:tiny", ["--devices", "1000"]),
    ],
)
def test_what_is_refused_before_the_vendor_is_asked_for_a_job_is_no_job(
    here: Cli, rows: Path, target: str, options: list[str]
) -> None:
    assert here("submit", rows, "--to", target, *options).code == 2
    assert here("jobs", "--json").json["jobs"] == []


def test_a_job_that_its_key_stands_for_is_given_without_asking_for_limits_again(
    here: Cli, rows: Path, ftbridge_mock: MockVendors
) -> None:
    asked_for = ("submit", rows, "--to", "together:Qwen/Qwen3-8B", "--idempotency-key", "monday")
    first = here(*asked_for)
    ftbridge_mock["together"].faults.add("model_limits=500x100")
    again = here(*asked_for)
    assert (again.code, again.out) == (0, first.out)


def test_what_to_think_about_is_said_before_paying(cli: Cli, rows: Path, tmp_path: Path) -> None:
    leaky = tmp_path / "leaky.jsonl"
    leaky.write_text(rows.read_text("utf-8").replace("Say one.", "Write to jane.doe@example.org."), "utf-8")
    ran = cli("submit", leaky, "--to", MOCKED, "--validation", leaky)
    assert ran.code == 0
    assert "e-mail" in ran.err
    assert "jane.doe@example.org" not in ran.err + ran.out
    assert "validation" in ran.err


def test_standard_input_is_checked_as_a_file_is(cli: Cli, rows: Path) -> None:
    from_file, from_stdin = cli("check", rows, "--json").json, cli("check", "-", "--json", stdin=rows.read_text()).json
    assert {**from_stdin, "file": ""} == {**from_file, "file": ""}


def test_the_mocked_vendors_are_a_server_for_any_sdk(home: Path, rows: Path) -> None:
    environment = {**os.environ, "FTBRIDGE_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "ftbridge", "mock", "--port", "0", "--speed", "600", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout
            found = json.loads(server.stdout.readline())["environment"]
            assert {"OPENAI_BASE_URL", "TOGETHER_BASE_URL", "MISTRAL_BASE_URL"} <= found.keys()
            with openai.OpenAI(base_url=found["OPENAI_BASE_URL"], api_key="any") as client:
                assert client.files.create(file=rows, purpose="fine-tune").bytes == rows.stat().st_size
        finally:
            server.terminate()


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"]])
def test_asking_for_help_is_no_mistake(cli: Cli, words: list[str]) -> None:
    ran = cli(*words)
    assert ran.code == 0
    assert ran.err == ""
