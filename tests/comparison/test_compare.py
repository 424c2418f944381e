"""`compare`: what each target supports, in which order the targets come, and that nothing is sent anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comparison_helpers import LLAMA, MINI, NEBIUS, NEMO, QWEN, SEVEN, targets
from ftbridge import Bridge, Load
from ftbridge.errors import DataError, MissingExtra


def test_what_a_target_does_not_take_and_what_conversion_would_change_is_told(bridge: Bridge, tmp_path: Path) -> None:
    roles = {"developer": "Be brief.", "user": "Hello?", "assistant": "Hi."}
    rows = [{"messages": [{"role": role, "content": f"{text} {n}"} for role, text in roles.items()]} for n in range(20)]
    data = tmp_path / "developer.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = {offer.target: offer for offer in bridge.compare(data, [MINI, QWEN, SEVEN], learning_rate=1e-4)}
    assert found[MINI].unsupported == ("learning_rate",)
    assert found[QWEN].unsupported == ()
    assert found[QWEN].changed == {"developer_role_renamed": 20}
    assert found[QWEN].examined == 20
    preferences = {offer.target: offer for offer in bridge.compare(data, [QWEN, SEVEN], method="dpo")}
    assert preferences[SEVEN].unsupported == ("method dpo",)
    assert preferences[QWEN].impossible == 20


def test_a_limit_that_is_passed_is_told(bridge: Bridge, data: Path) -> None:
    [offer] = bridge.compare(data, [QWEN], lora_rank=128)
    assert "lora_rank 128 is more than its 64" in offer.warnings


def test_preferences_are_priced_for_dpo_and_that_is_said(here: Any, tmp_path: Path) -> None:
    answers = {name: [{"role": "assistant", "content": name}] for name in ("preferred_output", "non_preferred_output")}
    row = {"input": {"messages": [{"role": "user", "content": "Which?"}]}, **answers}
    data = tmp_path / "pairs.jsonl"
    data.write_text((json.dumps(row) + "\n") * 12, "utf-8")
    ran = here("compare", data, *targets(QWEN, NEMO), "--json")
    assert "holds preferences, so they are priced for dpo" in ran.err
    priced, without = ran.json["rows"]
    assert priced["training_usd"] > 0
    assert without["unsupported"] == ["method dpo"]
    asked = here("compare", data, *targets(QWEN), "--method", "sft", "--json")
    assert "dpo" not in asked.err
    assert asked.json["rows"][0]["impossible"] == 12


def test_a_model_that_no_catalogue_names_is_told_and_a_price_of_the_users_is_enough(bridge: Bridge, data: Path) -> None:
    [offer] = bridge.compare(data, ["together:Qwen/Qwen-Nothing"])
    assert "no catalogue has this model, so it may not exist: ftbridge catalogue together" in offer.warnings
    for target in (QWEN, MINI, LLAMA, "local:tiny"):
        [offer] = bridge.compare(data, [target])
        assert not any("no catalogue" in warning for warning in offer.warnings)


def test_a_target_that_ends_before_the_months_are_over_is_told(bridge: Bridge, data: Path) -> None:
    load = Load(months=2, requests_per_month=1)
    offers = {offer.target: offer for offer in bridge.compare(data, [MINI, QWEN], load=load)}
    assert not offers[MINI].covers_months
    assert "tuned models answer until 2027-01-14, not for all of 2 months" in offers[MINI].warnings
    assert offers[QWEN].covers_months
    [soon] = bridge.compare(data, [MINI], load=Load(months=1))
    assert soon.covers_months


def test_what_can_serve_all_the_months_comes_first_and_what_takes_no_such_job_last(bridge: Bridge, data: Path) -> None:
    def ranked(months: float, method: str = "sft") -> list[str]:
        known = [MINI, "local:tiny", NEMO, QWEN, NEBIUS]
        return [offer.target for offer in bridge.compare(data, known, load=Load(months=months), method=method)]

    assert ranked(1) == [MINI, QWEN, "local:tiny", NEBIUS, NEMO]
    assert ranked(12) == [QWEN, "local:tiny", NEBIUS, MINI, NEMO]
    assert set(ranked(1, "dpo")[:1]) <= {MINI, QWEN, "local:tiny"}


def test_a_target_whose_packages_are_absent_is_told_and_the_others_are_priced(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_providers.together.adapter import TogetherProvider

    def absent(*_args: Any) -> None:
        raise MissingExtra("Together's SDK is not installed", hint="Install it.")

    monkeypatch.setattr(TogetherProvider, "converter", absent)
    offers = {offer.target: offer for offer in bridge.compare(data, [QWEN, MINI])}
    assert any("not installed" in warning for warning in offers[QWEN].warnings)
    assert offers[MINI].warnings


def test_live_limits_win_over_the_catalogues(bridge: Bridge, data: Path) -> None:
    mocked = f"mock+{QWEN}"
    [offline] = bridge.compare(data, [mocked], max_seq_length=30_000, batch_size=100)
    [live] = bridge.compare(data, [mocked], max_seq_length=30_000, batch_size=100, live=True)
    assert not any("batch_size" in warning for warning in offline.warnings)
    assert "batch_size 100 is more than its 64" in live.warnings


def test_rows_with_errors_are_left_out_and_told_and_a_file_of_nothing_else_is_refused(
    bridge: Bridge, data: Path, tmp_path: Path
) -> None:
    spoiled = tmp_path / "spoiled.jsonl"
    spoiled.write_text('{"messages": []}\n' + data.read_text("utf-8") + "not json\n\n", "utf-8")
    [offer] = bridge.compare(spoiled, [MINI])
    assert offer.examples == 12
    assert "2 rows with errors left out: ftbridge check" in offer.warnings
    spoiled.write_text("not json\n", "utf-8")
    with pytest.raises(DataError, match="no valid examples"):
        bridge.compare(spoiled, [MINI])


def test_one_targets_trouble_is_its_rows_and_nothing_is_downloaded(
    here: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_asked: Any) -> None:
        raise AssertionError("compare is offline")

    monkeypatch.setattr("socket.create_connection", connect)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    ran = here("compare", data, *targets(MINI, "local:Qwen/Qwen3-0.6B"), "--json")
    assert ran.code == 0
    rows = {row["target"]: row for row in ran.json["rows"]}
    assert rows[MINI]["training_usd"]
    assert any("not on this machine" in why for why in rows["local:Qwen/Qwen3-0.6B"]["blocking"])


@pytest.mark.parametrize("nobody", ["nobody:x", "nonsense", "mock+local:tiny"])
def test_a_target_that_nobody_can_have_is_a_usage_error(here: Any, data: Path, nobody: str) -> None:
    alone = here("compare", data, *targets(nobody))
    among_others = here("compare", data, *targets(MINI, nobody), "--json")
    assert (alone.code, among_others.code) == (2, 2)
    assert among_others.json["error"]["type"] == "TargetError"


def test_targets_may_be_separated_by_commas(here: Any, data: Path) -> None:
    [first, second] = here("compare", data, "--to", f"{MINI},{QWEN}", "--json").json["rows"]
    assert {first["target"], second["target"]} == {MINI, QWEN}
    refused = here("submit", data, "--to", f"{MINI},{QWEN}")
    assert refused.code == 2
    assert "Give one: each is a job of its own." in refused.err
