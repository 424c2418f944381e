"""The chat templates that an adapter brings along: all of them, and never mixed with those of its base."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge_local.models.own_tokenizer import own_tokenizer
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.tokenizer import Tokenizer

USER = [{"role": "user", "content": "Hi."}]
TOOLS = [{"type": "function", "function": {"name": "look"}}]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tiny.tokenizer_folder(tmp_path / "base")


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    (folder / "additional_chat_templates").mkdir(parents=True)
    return folder


def test_a_template_for_tools_in_a_folder_of_its_own_is_used(base: Path, adapter: Path, tmp_path: Path) -> None:
    (adapter / "additional_chat_templates" / "tool_use.jinja").write_text("tools: {{ messages[0].content }}", "utf-8")
    (adapter / "chat_template.jinja").write_text("own: {{ messages[0].content }}", "utf-8")
    folder = own_tokenizer(adapter, base, tmp_path)
    assert folder
    assert Tokenizer(folder).render(USER) == "own: Hi."
    assert Tokenizer(folder).render(USER, TOOLS) == "tools: Hi."


def test_another_template_for_tools_is_another_tokenizer(base: Path, adapter: Path, tmp_path: Path) -> None:
    file = adapter / "additional_chat_templates" / "tool_use.jinja"
    made = set()
    for text in ("first", "second"):
        file.write_text(text, "utf-8")
        made.add(own_tokenizer(adapter, base, tmp_path))
    assert len(made) == 2


def test_without_templates_of_its_own_it_has_all_of_its_bases(base: Path, adapter: Path, tmp_path: Path) -> None:
    (base / "additional_chat_templates").mkdir()
    (base / "additional_chat_templates" / "tool_use.jinja").write_text("base's, for tools", "utf-8")
    (adapter / "tokenizer_config.json").write_text('{"eos_token": "<|end|>", "model_max_length": 512}', "utf-8")
    folder = own_tokenizer(adapter, base, tmp_path)
    assert folder
    assert Tokenizer(folder).render(USER) == "<|user|>Hi.<|end|>"
    assert Tokenizer(folder).render(USER, TOOLS) == "base's, for tools"
    assert Tokenizer(folder).context == 512


def test_nothing_of_its_own_is_nothing(base: Path, adapter: Path, tmp_path: Path) -> None:
    assert own_tokenizer(adapter, base, tmp_path) is None
