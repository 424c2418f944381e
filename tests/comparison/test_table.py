"""`compare` on a terminal, as JSON, as CSV and as a plot: columns line up, and what is unknown stays unknown."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from command_line import Ran
from comparison_helpers import FULL, LLAMA, MINI, NEBIUS, NEMO, QWEN, targets
from ftbridge.comparison import compare as room
from ftbridge.comparison.speed import Speed
from ftbridge.errors import UsageError
from ftbridge.model import now

KEYS = """target examples tokens tokens_relative_error epochs training_usd training_usd_high minimum_usd monthly_usd
    inference_usd total_usd closes_on warnings""".split()


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


@pytest.mark.parametrize("columns", [80, 200])
def test_every_target_price_and_date_can_be_read_in_columns_that_line_up(here: Any, data: Path, columns: int) -> None:
    known = (MINI, FULL, QWEN, NEMO, LLAMA, "local:tiny")
    ran = here("compare", data, *targets(*known), "--requests-per-month", "1000", columns=columns)
    header, _rule, *lines = [line for line in ran.out.split("\nThe total")[0].splitlines() if line.strip()]
    assert all(len(line) <= columns or "https://" in line for line in ran.out.splitlines())  # no address is broken
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


def test_what_decides_is_told_first_and_never_hidden(here: Any, data: Path) -> None:
    ran = here("compare", data, *targets(MINI, QWEN), "--months", "12")
    output = ran.out.split(f"\n{MINI}\n")[1]
    words = [
        "organisations that have used tuned models in the past 60 days",
        "2027-01-06, in 45 days",
        "until 2027-01-14",
    ]
    places = [output.index(word) for word in [*words, "https://"]]
    assert places == sorted(places)
    [offer] = here("compare", data, *targets(MINI), "--json").json["rows"]
    unfolded = "".join(output.split())
    assert all("".join(warning.split()) in unfolded for warning in offer["warnings"][len(offer["blocking"]) :])
    assert offer["warnings"][: len(offer["blocking"])] == offer["blocking"]
    assert offer["only_from"] in offer["blocking"][0]


@pytest.mark.parametrize("columns", [80, 200])
def test_the_row_itself_tells_of_what_cannot_be_had(
    here: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    def row(ran: Ran, target: str) -> str:
        return next(line for line in ran.out.splitlines() if line.strip().startswith(target[:20]))

    short = here("compare", data, *targets(MINI, NEMO), "--months", "12", columns=columns)
    assert "<0.01* " in row(short, MINI)
    assert "2027-01-06 !" in row(short, MINI)
    assert "* not available for all of these months" in short.out
    chats = here("compare", data, *targets(NEBIUS), "--method", "dpo", columns=columns)
    assert "no dpo" in row(chats, NEBIUS)
    unfit = here("compare", data, *targets(MINI), "--method", "dpo", columns=columns)
    assert "accepts none of the rows" in row(unfit, MINI)
    monkeypatch.setenv("FTBRIDGE_TODAY", "2027-01-07")
    closed = here("compare", data, *targets(MINI), columns=columns)
    assert "closed 2027-01-06" in row(closed, MINI)
    assert "The total is for training and 1 month of storage" in closed.out
    alone = here("compare", data, *targets(MINI), "--months", "0", columns=columns)
    assert "The total is for training only" in alone.out


def test_a_short_time_is_told_in_seconds_and_that_it_is_without_starting_up(
    here: Any, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [offer] = here("compare", data, *targets("local:tiny"), "--epochs", "10", "--json").json["rows"]
    for seconds, time in ((0.5, "< 1 s"), (7, "7 s"), (200, "3 min"), (20_000, "5.6 h")):
        monkeypatch.setattr(
            room, "speed", lambda _place, _target, taking=seconds: Speed(offer["tokens"] * 10 / taking, now().date())
        )
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
