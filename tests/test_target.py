"""The config string."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.config.load import load_config
from ftbridge.errors import ConfigError, TargetError
from ftbridge.home import find_home
from ftbridge.target import Target, parse_target, split_targets


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("local:tiny", Target("local", "tiny")),
        ("local:./my-model", Target("local", "./my-model")),
        ("together:Qwen/Qwen3-8B", Target("together", "Qwen/Qwen3-8B")),
        ("openai:ft:gpt-4.1:acme::x1", Target("openai", "ft:gpt-4.1:acme::x1")),
        ("mock+openai:gpt-4.1-mini-2025-04-14", Target("openai", "gpt-4.1-mini-2025-04-14", mocked=True)),
        ("  local:tiny ", Target("local", "tiny")),
    ],
)
def test_a_target_names_a_provider_and_a_model(text: str, target: Target) -> None:
    assert parse_target(text) == target
    assert parse_target(str(target)) == target


@pytest.mark.parametrize(
    "text", ["", "nonsense", ":", "local:", "local: ", ":tiny", "Local:tiny", "mock+local", "a b:c"]
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(TargetError) as problem:
        parse_target(text)
    assert repr(text) in problem.value.message
    assert "provider:model" in problem.value.hint
    assert "`ftbridge catalogue` lists models" in problem.value.hint


def test_a_name_from_the_config_stands_for_a_target(tmp_path: Path) -> None:
    (tmp_path / "ftbridge.toml").write_text('[targets]\nsupport = "local:tiny"\n', "utf-8")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert parse_target("support", load_config(find_home(), print, below).config.targets) == Target("local", "tiny")


def test_a_name_nobody_gave_is_refused_with_those_that_exist() -> None:
    with pytest.raises(TargetError) as problem:
        parse_target("suport", {"support": "local:tiny"})
    assert "support" in problem.value.hint


def test_a_name_that_stands_for_no_target_says_where_it_is_written() -> None:
    with pytest.raises(TargetError, match=r"\[targets\] support = 'tiny' is not a target"):
        parse_target("support", {"support": "tiny"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[targets", "cannot be read"),
        ("[targets]\nsupport = 3\n", "targets.support"),
        ("[target]\nsupport = 'local:tiny'\n", "target"),
    ],
)
def test_a_broken_config_is_named_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "ftbridge.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as problem:
        load_config(find_home(), print, tmp_path)
    assert words in problem.value.message
    assert "ftbridge.toml" in problem.value.message


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("openai:a,together:b/c", ["openai:a", "together:b/c"]),
        ("openai:a, mock+together:b", ["openai:a", "mock+together:b"]),
        ("local:./a,b", ["local:./a,b"]),
        ("local:/data/a,b:c", ["local:/data/a,b:c"]),
        ("support,local:tiny", ["support", "local:tiny"]),
        ("local:tiny,support", ["local:tiny", "support"]),
        ("local:tiny,supported", ["local:tiny,supported"]),
    ],
)
def test_commas_separate_targets_where_one_begins(text: str, targets: list[str]) -> None:
    assert split_targets(text, ["local", "openai", "together"], ["support"]) == targets


def test_one_job_has_one_target(tmp_path: Path) -> None:
    with Bridge(tmp_path) as bridge, pytest.raises(TargetError, match="are 2 targets"):
        bridge.target("openai:a,together:b")
