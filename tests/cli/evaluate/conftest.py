"""Mocked models that repeat their rows, and a folder to work in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.evaluate.small_chats import BASE, Train
from command_line import Cli, in_this_process
from ftbridge_providers.openai.adapter import OpenAIProvider
from small_data import write_rows


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    monkeypatch.setenv("FTBRIDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.chdir(tmp_path)
    return in_this_process(capsys, monkeypatch)


@pytest.fixture
def train(here: Cli) -> Train:
    """A job whose model knows these rows; its id."""

    def run(rows: list[dict[str, Any]], name: str = "new") -> str:
        ran = here("run", write_rows(Path(f"{name}.jsonl"), rows), "--to", BASE, "--name", name, "--json")
        assert ran.code == 0, ran
        return str(json.loads(ran.out.splitlines()[-1])["id"])

    return run


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any, dict[str, Any]], dict[str, Any]]], None]:
    """Let the vendor's answers pass through a function of the request and the answer."""
    complete = OpenAIProvider.complete

    def use(change: Callable[[Any, dict[str, Any]], dict[str, Any]]) -> None:
        def changed(self: OpenAIProvider, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
            return change(body, complete(self, model, body))

        monkeypatch.setattr(OpenAIProvider, "complete", changed)

    return use
