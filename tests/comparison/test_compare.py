"""`compare`: what is unknown stays unknown, the cheapest comes first, columns line up, and nothing is sent anywhere."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from command_line import Ran
from ftbridge import Bridge, Load, Machine
from ftbridge.comparison import compare as room
from ftbridge.errors import DataError, MissingExtra, UsageError
from ftbridge.model import Event, Spec, now

MINI, FULL = "openai:gpt-4.1-mini-2025-04-14", "openai:gpt-4.1-2025-04-14"
QWEN, NEMO, SEVEN = "together:Qwen/Qwen3-8B", "mistral:open-mistral-nemo", "mistral:open-mistral-7b"
NEBIUS = "nebius:Qwen/Qwen3-8B"
KEYS = """target examples tokens tokens_relative_error epochs training_usd training_usd_high minimum_usd monthly_usd
    inference_usd total_usd closes_on warnings""".split()


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_TODAY", "2026-11-22")


def targets(*names: str) -> list[str]:
    return [word for name in names for word in ("--to", name)]


def test_json_has_the_promised_keys_and_null_for_what_is_unknown(here: Any, data: Path) -> None:
    ran = here("compare", data, *targets(FULL, NEMO, QWEN, MINI), "--json")
    assert ran.code == 0
    rows = ran.json["rows"]
    assert [row["target"] for row in rows] == [MINI, FULL, QWEN, NEMO]  # to host Qwen for a month costs more
    for row in rows:
        assert set(KEYS) <= row.keys()
        assert row["examples"] == 12
    last = rows[-1]
    assert last["training_usd"] is None
    assert last["total_usd"] is None
    assert last["epochs"] is None
    assert last["open"] is False
    assert last["closes_on"] == "2026-07-13"


def test_prices_are_those_of_the_catalogue_for_the_tokens_counted(bridge: Bridge, data: Path) -> None:
    [offer] = bridge.compare(data, [MINI])
    # 12 examples are shown 8 times: 100 // 12; each has 3 tokens, and 2 messages of 4 and texts of up to 3 bytes
    assert offer.epochs == 8
    assert offer.tokens == 12 * (3 + 2 * 4 + 2 * 1)
    assert offer.training_usd == pytest.approx(8 * 156 * 5 / 1e6)
    assert offer.training_usd_high == pytest.approx(8 * 976 * 5 / 1e6)  # no more tokens than bytes of JSON
    assert offer.minimum_usd == 0
    assert offer.closes_on
    assert offer.closes_on.isoformat() == "2027-01-06"
    assert any("2027-01-06, in 45 days" in said for said in offer.warnings)
    assert any("late 2025" in said and "days old" in said for said in offer.warnings)


def test_validation_is_priced_where_it_is_billed(bridge: Bridge, data: Path) -> None:
    without = {offer.target: offer.training_usd for offer in bridge.compare(data, [MINI, QWEN], epochs=2)}
    held = {offer.target: offer.training_usd for offer in bridge.compare(data, [MINI, QWEN], validation=data, epochs=2)}
    assert held[MINI] == without[MINI]
    assert held[QWEN] == pytest.approx(2 * (without[QWEN] or 0))


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


def test_the_user_may_name_a_price(data: Path) -> None:
    own = f"""[[catalogue.row]]
        provider = "mistral"
        models = ["open-mistral-nemo"]
        sft_usd_per_million_tokens = 1000.0
        training_closes_on = 2030-01-01
        as_of = 2026-11-01
        confidence = "official"
        doubt = "as {Path.cwd().name} pays"
    """
    (Path.cwd() / "ftbridge.toml").write_text(own, "utf-8")
    with Bridge() as bridge:
        [offer] = bridge.compare(data, [NEMO], epochs=100)
    assert offer.open
    assert offer.training_usd == pytest.approx(100 * offer.tokens * 1000 / 1e6)
    assert any("pays" in said for said in offer.warnings)


def test_an_own_machine_is_priced_by_the_speed_of_its_last_job_and_by_what_an_hour_costs(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the ledger's part of a past job at local:tiny, without training one
    monkeypatch.setattr(room, "speed", lambda _place, _target: 100.0)
    [unpriced] = bridge.compare(data, ["local:tiny"])
    assert unpriced.training_usd is None
    assert unpriced.seconds == pytest.approx(unpriced.tokens * 8 / 100)
    [offer] = bridge.compare(data, ["local:tiny"], machine=Machine(kwh_usd=0.3, watts=200))
    assert offer.training_usd == pytest.approx(offer.tokens * 8 / 100 / 3600 * 0.06)
    assert offer.monthly_usd == pytest.approx(0.06 * 730)
    assert "200" not in " ".join(offer.warnings)
    [assumed] = bridge.compare(data, ["local:tiny"], machine=Machine(kwh_usd=0.3))
    assert any("150 W are assumed" in said for said in assumed.warnings)


def test_the_speed_of_a_target_is_the_median_of_its_newest_job_that_tells(bridge: Bridge, data: Path) -> None:
    assert room.speed(bridge, bridge.target("local:tiny")) is None
    from ftbridge.jobs.request.intent import make_intent
    from ftbridge.ledger import Prepared
    from ftbridge.model import Cost

    for figures in ([1.0], [10.0, 30.0, 20.0], []):
        intent = make_intent(Spec(target="local:tiny", data=data), Prepared(training="k"), None, Cost())
        record = bridge.ledger.add(intent)
        told = [Event(at=now(), kind="metric", step=1, tokens_per_second=figure) for figure in figures]
        bridge.ledger.change(record, told)
    assert room.speed(bridge, bridge.target("local:tiny")) == 20.0
    assert room.speed(bridge, bridge.target("local:./other")) is None


LLAMA = "together:meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"


@pytest.mark.parametrize("columns", [80, 200])
def test_every_target_price_and_date_can_be_read_in_columns_that_line_up(here: Any, data: Path, columns: int) -> None:
    known = (MINI, FULL, QWEN, NEMO, LLAMA, "local:tiny")
    ran = here("compare", data, *targets(*known), "--requests-per-month", "1000", columns=columns)
    header, _rule, *lines = [line for line in ran.out.split("\nTotals")[0].splitlines() if line.strip()]
    assert max(map(len, ran.out.splitlines())) <= columns
    rows = [line for line in lines if line[header.index("ends")] != " "]
    assert len(rows) == len(known)
    assert "…" not in ran.out
    # a name that is folded goes on in the next line, below itself
    names = "".join(line.split()[0] for line in lines)
    assert all(target in names for target in known)
    figures = ["train $", "month $", "total $"] + ["tokens", "epochs", "time"] * (columns == 200)
    for figure in figures:
        right = header.index(figure) + len(figure)
        for row in rows:
            assert row[right - 1] != " "
            assert row[right] == " "
    begun = {row.split()[0]: row[header.index("ends") :].strip() for row in rows}
    ends = {target: end for target in known for begin, end in begun.items() if target.startswith(begin)}
    assert ends[MINI] == ends[FULL] == "2027-01-06 !"
    assert ends[NEMO] == "closed 2026-07-13"
    assert ends[QWEN] == "–"
    assert "! ends within 90 days" in ran.out
    for epochs in ("8 epochs", "1 epoch\n"):
        assert (epochs in ran.out) is (columns == 80)


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
    assert "no catalogue has this model, so it may not exist: ftbridge models together" in offer.warnings
    for target in (QWEN, MINI, LLAMA, "local:tiny"):
        [offer] = bridge.compare(data, [target])
        assert not any("no catalogue" in said for said in offer.warnings)


def test_a_target_that_ends_before_the_months_are_over_is_told(bridge: Bridge, data: Path) -> None:
    load = Load(months=2, requests_per_month=1)
    offers = {offer.target: offer for offer in bridge.compare(data, [MINI, QWEN], load=load)}
    assert not offers[MINI].covers_months
    assert "tuned models answer until 2027-01-14, not for all of 2 months" in offers[MINI].warnings
    assert offers[QWEN].covers_months
    [soon] = bridge.compare(data, [MINI], load=Load(months=1))
    assert soon.covers_months


def test_what_decides_is_told_first_and_never_hidden(here: Any, data: Path) -> None:
    ran = here("compare", data, *targets(MINI, QWEN), "--months", "12")
    told = ran.out.split(f"\n{MINI}\n")[1]
    words = [
        "organisations that have used tuned models in the past 60 days",
        "2027-01-06, in 45 days",
        "until 2027-01-14",
    ]
    places = [told.index(word) for word in [*words, "https://"]]
    assert places == sorted(places)
    assert "more on its figures: --json" in told
    [offer] = here("compare", data, *targets(MINI), "--json").json["rows"]
    assert offer["warnings"][: len(offer["blocking"])] == offer["blocking"]
    assert offer["only_from"] in offer["blocking"][0]


def test_what_can_serve_all_the_months_comes_first_and_what_takes_no_such_job_last(bridge: Bridge, data: Path) -> None:
    def ranked(months: float, method: str = "sft") -> list[str]:
        known = [MINI, "local:tiny", NEMO, QWEN, NEBIUS]
        return [offer.target for offer in bridge.compare(data, known, load=Load(months=months), method=method)]

    assert ranked(1) == [MINI, QWEN, "local:tiny", NEBIUS, NEMO]
    assert ranked(12) == [QWEN, "local:tiny", NEBIUS, MINI, NEMO]
    assert set(ranked(1, "dpo")[:1]) <= {MINI, QWEN, "local:tiny"}


@pytest.mark.parametrize("columns", [80, 200])
def test_the_row_itself_tells_of_what_cannot_be_had(
    here: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    def row(ran: Ran, target: str) -> str:
        return next(line for line in ran.out.splitlines() if line.strip().startswith(target[:20]))

    short = here("compare", data, *targets(MINI, NEMO), "--months", "12", columns=columns)
    assert "<0.01* " in row(short, MINI)
    assert "2027-01-06 !" in row(short, MINI)
    assert "* not to be had for all of those months" in short.out
    chats = here("compare", data, *targets(NEBIUS), "--method", "dpo", columns=columns)
    assert "takes no dpo" in row(chats, NEBIUS)
    unfit = here("compare", data, *targets(MINI), "--method", "dpo", columns=columns)
    assert "takes none of the rows" in row(unfit, MINI)
    monkeypatch.setenv("FTBRIDGE_TODAY", "2027-01-07")
    closed = here("compare", data, *targets(MINI), columns=columns)
    assert "closed 2027-01-06" in row(closed, MINI)
    assert "Totals are of training and 1 month of what follows it" in closed.out
    alone = here("compare", data, *targets(MINI), "--months", "0", columns=columns)
    assert "Totals are of training alone" in alone.out


def test_a_short_time_is_told_in_seconds_and_that_it_is_without_starting_up(
    here: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [offer] = here("compare", data, *targets("local:tiny"), "--epochs", "10", "--json").json["rows"]
    for seconds, time in ((0.5, "< 1 s"), (7, "7 s"), (200, "3 min"), (20_000, "5.6 h")):
        monkeypatch.setattr(room, "speed", lambda _place, _target, taking=seconds: offer["tokens"] * 10 / taking)
        ran = here("compare", data, *targets("local:tiny"), "--epochs", "10", columns=200)
        assert f"  {time} " in ran.out
        assert "without checking rows and loading the model" in ran.out


def test_csv_and_json_together_are_refused(here: Any, data: Path) -> None:
    ran = here("compare", data, *targets(MINI), "--csv", "--json")
    assert ran.code == UsageError.exit_code
    assert "--csv and --json" in ran.json["error"]["message"]


def test_csv_leaves_the_unknown_empty(here: Any, data: Path) -> None:
    ran = here("compare", data, *targets(MINI, NEMO), "--csv")
    first, second = csv.DictReader(io.StringIO(ran.out))
    assert first["target"] == MINI
    assert float(first["training_usd"]) > 0
    assert max(len(first[name]) for name in first if name.endswith("_usd")) <= len("0.123456")
    assert second["training_usd"] == ""
    assert second["total_usd"] == ""


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_the_picture_is_drawn_and_names_what_it_leaves_out(here: Any, data: Path, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"cost.{ending}"
    ran = here("compare", data, *targets(MINI, QWEN, NEMO), "--months", "6", "--plot", file)
    assert ran.code == 0
    assert file.stat().st_size > 10_000
    assert file.read_bytes().startswith(b"<?xml" if ending == "svg" else b"\x89PNG")


def test_a_picture_of_another_kind_is_refused(here: Any, data: Path, tmp_path: Path) -> None:
    ran = here("compare", data, *targets(MINI), "--plot", tmp_path / "cost.gif")
    assert ran.code == UsageError.exit_code
    assert ".png" in ran.err


def test_a_target_whose_packages_are_absent_is_told_and_the_others_are_priced(
    bridge: Bridge, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ftbridge_providers.together.adapter import TogetherProvider

    def absent(*_args: Any) -> None:
        raise MissingExtra("Together's SDK is not installed", hint="Install it.")

    monkeypatch.setattr(TogetherProvider, "rules", absent)
    offers = {offer.target: offer for offer in bridge.compare(data, [QWEN, MINI])}
    assert any("not installed" in said for said in offers[QWEN].warnings)
    assert offers[MINI].warnings


def test_live_limits_win_over_the_catalogues(bridge: Bridge, data: Path) -> None:
    mocked = f"mock+{QWEN}"
    [offline] = bridge.compare(data, [mocked], max_seq_length=30_000, batch_size=100)
    [live] = bridge.compare(data, [mocked], max_seq_length=30_000, batch_size=100, live=True)
    assert not any("batch_size" in said for said in offline.warnings)
    assert "batch_size 100 is more than its 64" in live.warnings


def test_more_months_cost_more(bridge: Bridge, data: Path) -> None:
    load = Load(months=2, requests_per_month=100, tokens_in=1000, tokens_out=1000)
    [offer] = bridge.compare(data, [MINI], load=load)
    assert offer.request_usd == pytest.approx(0.004)
    assert offer.total_usd == pytest.approx((offer.training_usd or 0) + 2 * 100 * 0.004)


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


@pytest.mark.parametrize("tuning", ["lora", "rslora", "full"])
def test_every_tuning_has_a_price_that_of_an_adapter_or_of_all_weights(bridge: Bridge, data: Path, tuning: str) -> None:
    [offer] = bridge.compare(data, [QWEN], tuning=tuning)
    price = 0.54 if tuning == "full" else 0.48
    assert offer.training_usd == pytest.approx(offer.tokens * price / 1e6)


def test_one_targets_trouble_is_its_rows_and_nothing_is_downloaded(
    here: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*_asked: Any) -> None:
        raise AssertionError("compare is offline")

    monkeypatch.setattr("socket.create_connection", connect)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    ran = here("compare", data, *targets(MINI, "local:Qwen/Qwen3-0.6B", "nobody:x"), "--json")
    assert ran.code == 0
    rows = {row["target"]: row for row in ran.json["rows"]}
    assert rows[MINI]["training_usd"]
    assert any("not on this machine" in why for why in rows["local:Qwen/Qwen3-0.6B"]["blocking"])
    assert rows["nobody:x"]["problem"].startswith("no provider is called 'nobody'")
    assert rows["nobody:x"]["usable"] is False
    assert here("compare", data, *targets("nobody:x")).code == 2


def test_a_load_is_of_one_month_and_of_requests_of_a_usual_size(bridge: Bridge, data: Path) -> None:
    from ftbridge.costs.quote import Load

    [offer] = bridge.compare(data, [MINI], load=Load(months=1, requests_per_month=10_000))
    assert offer.inference_usd == pytest.approx(10.4)
    [hosted] = bridge.compare(data, [QWEN])
    assert hosted.monthly_usd
    assert hosted.total_usd
    assert hosted.total_usd > hosted.monthly_usd
