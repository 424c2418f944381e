"""A target that has closed is refused before anything leaves this machine; one that closes soon is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import ConfigError, ProviderRetired
from ftbridge.model import Status

OPENAI = "openai:gpt-4.1-mini-2025-04-14"
PAGE = "https://developers.openai.com/api/docs/deprecations"


def test_openai_is_refused_the_day_after_its_end_with_the_date_and_three_open_alternatives(
    bridge: Bridge, data: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2027-01-07")
    with pytest.raises(ProviderRetired, match="2027-01-06") as problem:
        bridge.submit(data, OPENAI)
    assert PAGE in problem.value.message
    others = problem.value.hint.removeprefix("Open for sft: ").partition(".`")[0].split(". ")[0].split(", ")
    assert len(others) == 3
    for other in others:
        provider, _, model = other.partition(":")
        entry = bridge.catalogue.entry(provider, model)
        assert provider != "openai"
        assert entry.closes_on is None or entry.closes_on.isoformat() > "2027-04-06"
    assert bridge.jobs() == []
    assert not (home / "prepared").exists()


@pytest.mark.parametrize("model", ["ft:gpt-4o-2024-08-06:acme:x:1", "gpt-4o-2024-08-06"])
def test_going_on_from_a_tuned_model_ends_with_its_base(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2027-01-07")
    with pytest.raises(ProviderRetired, match="2027-01-06"):
        bridge.submit(data, f"openai:{model}")


def test_before_its_end_a_closing_target_is_told_and_taken(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-21")
    job = bridge.submit(data, f"mock+{OPENAI}", epochs=2)
    [messages] = [sentence for sentence in bridge.warnings if "2027-01-06" in sentence]
    assert "for 46 more days" in messages
    assert "takes jobs only from organisations that have used tuned models" in messages
    assert "serves tuned models until 2027-01-14" in messages
    assert "http" not in messages
    assert not [sentence for sentence in bridge.warnings if "renamed" in sentence]
    assert job.status is not Status.FAILED


def test_long_before_its_end_nothing_is_said(bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-10-01")
    bridge.submit(data, f"mock+{OPENAI}")
    assert not [sentence for sentence in bridge.warnings if "until" in sentence]


def test_without_a_key_a_closed_target_is_told_and_an_open_one_asks_for_the_key(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-21")
    with pytest.raises(ConfigError, match="no key"):
        bridge.submit(data, OPENAI)


def test_a_mock_outlives_its_vendor_and_says_so(bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2027-02-01")
    job = bridge.submit(data, f"mock+{OPENAI}")
    assert job.status is not Status.FAILED
    assert any("since 2027-01-06" in sentence and "not the vendor itself" in sentence for sentence in bridge.warnings)


def test_what_the_vendor_says_of_its_model_wins_over_the_catalogue(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_providers.openai.mock.vendor import OpenAIMock

    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-21")
    monkeypatch.setattr(OpenAIMock, "shutdown_dates", {"gpt-4.1-mini-2025-04-14": "2026-12-01"})
    bridge.submit(data, f"mock+{OPENAI}")
    assert any("serves tuned models until 2026-12-01" in sentence for sentence in bridge.warnings)


def test_a_user_may_know_better(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = 'provider = "openai"\n[[row]]\nmodels = ["gpt-4.1*"]\ntraining_closes_on = 2026-11-01\n'
    own += 'closing = "Our contract with OpenAI has ended"\nas_of = 2026-11-01\nconfidence = "official"\n'
    (tmp_path / "ours.toml").write_text(own, "utf-8")
    (Path.cwd() / "ftbridge.toml").write_text(f'[catalogue]\nfiles = ["{tmp_path}/ours.toml"]\n', "utf-8")
    with Bridge() as bridge, pytest.raises(ProviderRetired, match="Our contract") as problem:
        bridge.submit(data, OPENAI)
    assert "ours.toml" in problem.value.message
