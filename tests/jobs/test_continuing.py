"""`--from JOB`: a job that goes on from the result of another one, under the name that each provider has for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from command_line import Cli, in_this_process
from ftbridge import Bridge
from ftbridge.errors import Unsupported
from ftbridge.target import parse_target
from ftbridge_local.models.tiny import base as tiny
from small_data import write_rows

OPENAI = "mock+openai:gpt-4.1-mini-2025-04-14"
TOGETHER = "mock+together:Qwen/Qwen3-8B"
NEBIUS = "mock+nebius:meta-llama/Llama-3.1-8B-Instruct"


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return in_this_process(capsys, monkeypatch)


def run(here: Cli, file: Path, *options: str) -> dict[str, Any]:
    ran = here("run", file, *options, "--json")
    assert ran.code == 0, ran
    job: dict[str, Any] = json.loads(ran.out.splitlines()[-1])
    return job


@pytest.fixture
def second_file(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "second.jsonl")


def test_openai_goes_on_from_the_tuned_model(here: Cli, data: Path, second_file: Path) -> None:
    first = run(here, data, "--to", OPENAI, "--name", "first")
    second = run(here, second_file, "--from", "first")
    assert second["target"] == f"mock+openai:{first['result']['model']}"
    assert second["target"].startswith("mock+openai:ft:gpt-4.1-mini")


def test_together_goes_on_from_the_last_checkpoint_of_the_job(here: Cli, data: Path, second_file: Path) -> None:
    first = run(here, data, "--to", TOGETHER)
    second = run(here, second_file, "--from", first["id"])
    assert second["target"] == f"mock+together:{first['remote_id']}"
    assert first["remote_id"].startswith("ft-")


def test_azure_keeps_the_training_type(here: Cli, data: Path, second_file: Path) -> None:
    first = run(here, data, "--to", "mock+azure:gpt-4.1-mini-2025-04-14@developerTier")
    second = run(here, second_file, "--from", first["id"])
    assert second["target"] == f"mock+azure:{first['result']['model']}@developerTier"


def test_this_machine_goes_on_from_the_adapter(
    here: Cli, data: Path, second_file: Path, home: Path, tiny_home: Path
) -> None:
    shutil.copytree(tiny_home / "local" / "bases", home / "local" / "bases")
    first = run(here, data, "--to", "local:tiny", "--epochs", "1", "--lora-rank", "4")
    second = run(here, second_file, "--from", first["id"], "--epochs", "1")
    assert second["target"] == f"local:{home / 'local' / 'jobs' / first['id'] / 'result'}"
    config = json.loads((Path(second["result"]["path"]) / "adapter_config.json").read_text())
    assert config["r"] == 4
    assert config["base_model_name_or_path"] == str(home / "local" / "bases" / tiny.FOLDER)


def test_where_no_job_can_go_on_nothing_is_sent(data: Path, second_file: Path) -> None:
    with Bridge() as bridge:
        first = bridge.wait(bridge.submit(data, NEBIUS))
        provider = bridge.provider(parse_target(NEBIUS))
        jobs_before = len([*provider.jobs()])
        with pytest.raises(Unsupported, match="nebius does not train a tuned model further") as refused:
            bridge.submit(second_file, from_job=first)
        assert refused.value.hint == "Train meta-llama/Llama-3.1-8B-Instruct again, on the rows of both files in one."
        assert len([*provider.jobs()]) == jobs_before
        assert len(bridge.jobs()) == 1


def test_the_result_counts_where_requests_are_the_same(data: Path, second_file: Path) -> None:
    with Bridge() as bridge:
        first = bridge.wait(bridge.submit(data, OPENAI))
        other = bridge.wait(bridge.submit(data, OPENAI, again=True))
        second = bridge.submit(second_file, from_job=first)
        assert bridge.submit(second_file, from_job=first).id == second.id
        assert bridge.submit(second_file, from_job=other).id != second.id
        assert bridge.submit(second_file, OPENAI).id != second.id


def test_one_of_both_says_where_a_job_starts(here: Cli, data: Path) -> None:
    both = here("submit", data, "--to", OPENAI, "--from", "first")
    assert both.code == 2
    assert "--to and --from both say where the job starts" in both.err
    neither = here("submit", data)
    assert neither.code == 2
    assert "Give --to provider:model, or --from JOB" in neither.err


def test_a_job_without_a_result_is_no_start(here: Cli, data: Path) -> None:
    unknown = here("submit", data, "--from", "nobody")
    assert unknown.code != 0
    assert "nobody" in unknown.err
