"""The trainers' own code reads what is exported for them, and trains the tokens that ftbridge's own trainer trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from ftbridge import Bridge
from ftbridge.arguments import Tuning
from small_data import write_rows
from trainer_configs.rows_of_all_kinds import CALL, ONE, PAIR, SYSTEM, TEXT, TOOLS, TWO, ZERO, Row, called, export, said
from trainer_configs.trainers_here import FOLDER, ask

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"there is no {FOLDER}: trainers_here.py makes it")
MANY = [ONE, TWO, ZERO, SYSTEM]
EVERY_SETTING: Row = {
    "epochs": 2,
    "batch_size": 6,
    "learning_rate": 1e-4,
    "warmup_ratio": 0.25,
    "weight_decay": 0.1,
    "seed": 7,
    "lora_rank": 8,
    "lora_alpha": 4,
    "lora_dropout": 0.1,
    "max_seq_length": 512,
    "eval_interval": 3,
}


@pytest.fixture
def model(tiny_home: Path) -> str:
    """The folder of the tiny base."""
    [folder] = (tiny_home / "local" / "bases").iterdir()
    return str(folder)


def written(folder: Path) -> Any:
    import yaml

    return yaml.safe_load((folder / "out" / "config.yaml").read_text("utf-8"))


@pytest.mark.parametrize("to", ["trl", "llama-factory"])
@pytest.mark.parametrize(("method", "rows"), [("sft", MANY[:2]), ("sft", [TEXT]), ("dpo", [PAIR])])
def test_every_key_is_read_as_it_was_meant(
    to: str, method: str, rows: list[Row], model: str, bridge: Bridge, tmp_path: Path
) -> None:
    held = write_rows(tmp_path / "held.jsonl", rows)
    export(bridge, tmp_path, rows, to, model=model, method=method, validation=held, **EVERY_SETTING)
    given = written(tmp_path)
    options = {"method": method} if to == "trl" else {}
    found = ask(to, "parse", tmp_path / "out", **options)
    for key in ("bf16", "eval_strategy", "output_dir", "lora_target", "lora_target_modules", "dataset", "eval_dataset"):
        given.pop(key, None)  # a CPU has none; and what becomes a list or another type
    assert {key: _plain(found[key]) for key in given} == given


def _plain(value: Any) -> Any:
    """A word as it was written, of an enumeration too."""
    return value.rpartition(".")[2].lower() if isinstance(value, str) and "SchedulerType" in value else value


@pytest.mark.parametrize(
    ("method", "rows", "tuning"),
    [*(("sft", MANY, tuning) for tuning in get_args(Tuning)), ("sft", [TEXT], "lora"), ("dpo", [PAIR], "lora")],
)
def test_axolotls_schema_knows_every_key(
    method: str, rows: list[Row], tuning: Tuning, bridge: Bridge, tmp_path: Path
) -> None:
    held = write_rows(tmp_path / "held.jsonl", rows)
    export(bridge, tmp_path, rows, "axolotl", method=method, validation=held, tuning=tuning, early_stopping=2)
    found = ask("axolotl", "parse", tmp_path / "out")
    assert found["unknown"] == []
    same = {key: value for key, value in written(tmp_path).items() if key not in ("datasets", "test_datasets", "bf16")}
    assert {key: found["values"][key] for key in same} == same


@pytest.mark.parametrize("tuning", get_args(Tuning))
@pytest.mark.parametrize("row", [ONE, TEXT], ids=["chat", "text"])
def test_unsloth_reads_the_config(tuning: Any, row: Row, bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, [row], "unsloth", tuning=tuning)
    found = ask("unsloth", "parse", tmp_path / "out")
    for section, keys in written(tmp_path).items():
        assert found[section] == keys if section == "model" else keys.items() <= found[section].items()


def ours(bridge: Bridge, file: Path, model: str, method: str = "sft") -> list[Row]:
    """The rows that ftbridge's own trainer reads: ids, and which of them are trained."""
    return [
        {"ids": [one.id for one in row.tokens], "trained": [one.trained for one in row.tokens]}
        for line in bridge.render(file, f"local:{model}", method=method)
        for row in line.rows
    ]


def one_by_one(rows: list[Row]) -> list[Row]:
    """The rows as several, each with the last answer trained of the beginning that ends with it."""
    found = []
    for row in rows:
        trained = row["trained"]
        ends = [at + 1 for at, one in enumerate(trained) if one and not (trained[at + 1 : at + 2] or [False])[0]]
        for end in ends:
            begin = max((at + 1 for at in range(end - 1) if not trained[at]), default=0)
            found.append({"ids": row["ids"][:end], "trained": [begin <= at < end for at in range(end)]})
    return found


def test_trl_trains_the_tokens_that_ftbridge_trains(model: str, bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, MANY, "trl", model=model)
    theirs = ask("trl", "labels", tmp_path / "out", method="sft")
    assert theirs == one_by_one(ours(bridge, tmp_path / "rows.jsonl", model))


def test_trl_reads_tools_and_calls_as_ftbridge_does(model: str, bridge: Bridge, tmp_path: Path) -> None:
    other = called("Rome", arguments={"when": {"day": 3, "of": None}, "city": 5})  # no schema is that of all rows
    rows = [CALL, ONE, {**CALL, "messages": [said("user", "Rome?"), other]}]
    export(bridge, tmp_path, rows, "trl", model=model)
    theirs = ask("trl", "labels", tmp_path / "out", method="sft")
    assert theirs == one_by_one(ours(bridge, tmp_path / "rows.jsonl", model))


def test_trl_compares_the_answers_that_ftbridge_compares(model: str, bridge: Bridge, tmp_path: Path) -> None:
    export(
        bridge,
        tmp_path,
        [PAIR, PAIR | {"preferred_output": [said("assistant", "Good day.")]}],
        "trl",
        model=model,
        method="dpo",
    )
    theirs = ask("trl", "labels", tmp_path / "out", method="dpo")
    assert theirs == ours(bridge, tmp_path / "rows.jsonl", model, "dpo")


def test_trl_reads_texts_as_ftbridge_does(model: str, bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, [TEXT, {"text": "And more."}], "trl", model=model)
    theirs = ask("trl", "labels", tmp_path / "out", method="sft")
    expected = ours(bridge, tmp_path / "rows.jsonl", model)
    assert [row["ids"] for row in theirs] == [row["ids"] for row in expected]
    assert [row["trained"][1:] for row in theirs] == [
        row["trained"][1:] for row in expected
    ]  # nothing predicts the first


@pytest.mark.parametrize(("method", "rows"), [("sft", [TWO, CALL, *[ONE] * 6]), ("dpo", [PAIR] * 4)])
def test_trl_trains_from_the_config(method: str, rows: list[Row], model: str, bridge: Bridge, tmp_path: Path) -> None:
    held = write_rows(tmp_path / "held.jsonl", rows)
    export(bridge, tmp_path, rows, "trl", model=model, method=method, validation=held, batch_size=4)
    found = ask("trl", "train", tmp_path / "out", method=method, steps=2)
    assert len(found["losses"]) == 2
    assert "adapter_model.safetensors" in found["files"]


def test_axolotl_trains_the_tokens_that_ftbridge_trains(model: str, bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, [*MANY, CALL], "axolotl", model=model)
    theirs = ask("axolotl", "labels", tmp_path / "out", tokenizer=model)
    assert theirs == ours(bridge, tmp_path / "rows.jsonl", model)


@pytest.mark.parametrize(("rows", "divided"), [(MANY, True), ([ONE, TWO, SYSTEM], False)], ids=["divided", "whole"])
def test_llama_factory_trains_the_tokens_that_ftbridge_trains(
    rows: list[Row], divided: bool, model: str, bridge: Bridge, tmp_path: Path
) -> None:
    export(bridge, tmp_path, rows, "llama-factory", model=model)
    theirs = ask("llama-factory", "labels", tmp_path / "out", tokenizer=model)
    expected = ours(bridge, tmp_path / "rows.jsonl", model)
    assert theirs == (one_by_one(expected) if divided else expected)


def test_llama_factory_reads_the_roles_and_contents(bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, [SYSTEM, CALL], "llama-factory")
    first, second = ask("llama-factory", "rows", tmp_path / "out")
    assert first["_system"] == "Be brief."
    assert [(one["role"], one["content"]) for one in (*first["_prompt"], *first["_response"])] == [
        (one["role"], one["content"]) for one in TWO["messages"]
    ]
    assert second["_system"] == ""
    assert [one["role"] for one in second["_prompt"]] == ["user", "function", "observation"]
    assert json.loads(second["_tools"]) == TOOLS


def test_llama_factory_reads_both_answers(bridge: Bridge, tmp_path: Path) -> None:
    export(bridge, tmp_path, [PAIR], "llama-factory", method="dpo")
    [row] = ask("llama-factory", "rows", tmp_path / "out")
    assert [one["content"] for one in row["_response"]] == ["Hello!", "What?"]
