"""What vendors say themselves: of their models, their prices, and of jobs that are taken out whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.errors import NotFound
from ftbridge.mock import MockVendors
from ftbridge.model import Status
from ftbridge.provider import Files, Provider
from ftbridge.provider.connection import Connection
from ftbridge.provider.importing import flattened
from ftbridge.target import parse_target

MINI, QWEN, NEMO = "openai:gpt-4.1-mini-2025-04-14", "together:Qwen/Qwen3-8B", "mistral:open-mistral-nemo"


@pytest.fixture
def made(ftbridge_mock: MockVendors, bridge: Bridge, data: Path) -> dict[str, Any]:
    """A finished job at each vendor."""
    jobs = {
        "openai": bridge.submit(data, MINI, validation=data, epochs=2, learning_rate_multiplier=0.5, name="mine"),
        "together": bridge.submit(data, QWEN, validation=data, epochs=2, learning_rate=1e-3, lora_rank=4, name="mine"),
        "mistral": bridge.submit(data, NEMO, validation=data, epochs=2, learning_rate=1e-4),
    }
    return {name: bridge.wait(job) for name, job in jobs.items()}


@pytest.mark.parametrize("vendor", ["openai", "together", "mistral"])
def test_a_job_is_taken_out_with_every_field_and_its_files(
    made: dict[str, Any], bridge: Bridge, data: Path, tmp_path: Path, vendor: str
) -> None:
    job = made[vendor]
    assert job.status is Status.SUCCEEDED
    provider = bridge.provider(parse_target(job.target))
    found = provider.import_job(job.remote_id, tmp_path / "out")
    assert found.listed.model == parse_target(job.target).model
    assert found.training
    assert found.training.read_bytes().count(b"\n") == 12
    assert found.validation
    assert found.warnings == ()
    assert found.fields["id"] == job.remote_id
    words = set(found.meanings.values())
    assert {"model", "data", "validation", "epochs"} <= words
    for name, value in job.spec.hyperparameters.given().items():
        assert getattr(found.listed.hyperparameters, name) == value
        assert name in words
    with pytest.raises(NotFound):
        provider.import_job("00000000-0000-4000-8000-000000000000", tmp_path / "nothing")


def test_the_vendors_tell_of_their_models(made: dict[str, Any], bridge: Bridge) -> None:
    openai = bridge.provider(parse_target(MINI))
    together = bridge.provider(parse_target(QWEN))
    [row] = openai.live_catalogue("gpt-4.1-mini-2025-04-14")
    assert row.inference_closes_on == date(2027, 1, 14)
    [tuned] = openai.list_tuned_models()
    assert (tuned.model, tuned.base) == (made["openai"].result.model, "gpt-4.1-mini-2025-04-14")
    assert tuned.closes_on == date(2027, 1, 14)
    [limits] = together.live_catalogue("Qwen/Qwen3-8B")
    assert (limits.sft_context_tokens, limits.dpo_context_tokens) == (40_960, 20_480)
    assert (limits.batch_size_at_most, limits.lora_rank_at_most) == (64, 64)
    assert [(one.model, one.base) for one in together.list_tuned_models()] == [
        (made["together"].result.model, "Qwen/Qwen3-8B")
    ]


def test_togethers_price_is_asked_for_with_what_the_job_would_be(
    made: dict[str, Any], bridge: Bridge, data: Path, ftbridge_mock: MockVendors
) -> None:
    provider = bridge.provider(parse_target(QWEN))
    request = ftbridge_mock["together"].seen
    asked = [seen.call.body for seen in request if seen.operation == "estimate_price"]
    created = [seen.call.body for seen in request if seen.operation == "create_job"]
    assert len(asked) == len(created) == 1
    assert asked[0].items() <= created[0].items()
    files = Files(training=created[0]["training_file"])
    assert provider.estimate_cost(made["together"].spec, "Qwen/Qwen3-8B", files) == pytest.approx(
        data.stat().st_size // 4 * 2 * 480e-9
    )


def test_fields_are_told_by_their_dotted_paths() -> None:
    assert flattened({"a": 1, "b": {"c": None, "d": {"e": [1]}}, "f": {}}) == {
        "a": 1,
        "b.c": None,
        "b.d.e": [1],
        "f": {},
    }


@contextmanager
def at(provider: type[Provider], url: str, home: Path) -> Iterator[Provider]:
    from pydantic import SecretStr

    made = provider(home, Connection(base_url=url, api_key=SecretStr("k"), account="a"))
    yield made
    made.close()


def test_a_provider_knows_whether_it_talks_to_its_vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ftbridge_providers.openai.adapter import OpenAIProvider

    with at(OpenAIProvider, "https://api.openai.com/v1/", tmp_path) as provider:
        assert provider.connects_to_vendor
    with at(OpenAIProvider, "https://gateway.example/v1", tmp_path) as provider:
        assert not provider.connects_to_vendor
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    assert not OpenAIProvider(tmp_path).connects_to_vendor
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert OpenAIProvider(tmp_path).connects_to_vendor
