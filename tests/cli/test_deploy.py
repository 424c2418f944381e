"""Deploying on the command line: a verb of its own, whose cost is said before."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import Cli


def test_a_model_is_talked_to_from_its_deployment_to_its_removal(
    here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    job = here("submit", rows, "--to", "mock+azure:gpt-4.1-mini-2025-04-14").out.strip()
    assert here("watch", job).code == 0

    undeployed = here("chat", job, "Say one.")
    assert undeployed.code == 3
    assert "ftbridge deploy" in undeployed.err

    deployed = here("deploy", job, "--json")
    assert deployed.code == 0
    assert "$1.70" in deployed.err
    assert deployed.json["hourly_usd"] == 1.70
    assert here("chat", job, "Say one.").out.strip() == "one"

    assert "no longer served" in here("undeploy", job).out
    assert here("chat", job, "Say one.").code == 3


def test_a_vendor_that_serves_by_itself_says_what_can_be_typed_instead(here: Cli, rows: Path) -> None:
    job = here("run", rows, "--to", "mock+openai:gpt-4.1-mini-2025-04-14", "--json").json["id"]
    refused = here("deploy", job)
    assert refused.code == 3
    assert "openai does not offer deploy" in refused.err
    assert "it offers: cancel, pause, resume, checkpoints, chat, evaluate, delete." in " ".join(refused.err.split())


@pytest.mark.parametrize(
    ("target", "why", "instead"),
    [
        ("mock+openai:gpt-4.1-mini-2025-04-14", "keeps the weights of", "ftbridge migrate"),
        ("mock+together:Qwen/Qwen3-8B", "gives the weights of", "ftbridge fetch"),
    ],
)
def test_a_vendors_model_is_not_exported_and_what_to_do_instead_is_said(
    here: Cli, rows: Path, tmp_path: Path, target: str, why: str, instead: str
) -> None:
    job = here("submit", rows, "--to", target).out.strip()
    refused = here("export", job, "--format", "gguf", "--out", tmp_path / "out")
    assert refused.code == 3
    assert why in refused.err
    assert instead in refused.err
    assert not (tmp_path / "out").exists()


def test_a_vendor_that_serves_by_itself_has_nothing_to_deploy(
    here: Cli, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "600")
    job = here("submit", rows, "--to", "mock+openai:gpt-4.1-mini-2025-04-14").out.strip()
    assert here("watch", job).code == 0
    refused = here("deploy", job)
    assert refused.code == 3
    assert "openai does not offer deploy" in refused.err
