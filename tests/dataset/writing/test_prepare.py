"""Preparing gives two files without broken or repeated rows, the same ones every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ftbridge.dataset import prepare, read_examples
from ftbridge.dataset.canonical.texts import system_prompt
from ftbridge.dataset.writing.split import split
from ftbridge.errors import DataError, InputError, UsageError

WORDS = "the quick brown fox jumps over a lazy dog while seven wizards boil their frogs in old tea pots"


def row(number: int, system: str = "") -> dict[str, Any]:
    messages = [{"role": "system", "content": system}] if system else []
    return {
        "messages": [
            *messages,
            {"role": "user", "content": f"Question {number}"},
            {"role": "assistant", "content": f"Answer {number}"},
        ]
    }


def write(folder: Path, rows: list[Any]) -> Path:
    path = folder / "data.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in rows))
    return path


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_every_example_is_on_one_side(tmp_path: Path) -> None:
    done = prepare(write(tmp_path, [row(n) for n in range(100)]), tmp_path / "out")
    assert done.validation is not None
    assert (done.train.examples, done.validation.examples, done.dropped) == (90, 10, {})
    both = lines(done.train.path) + lines(done.validation.path)
    assert sorted(both) == sorted(json.dumps(row(n), separators=(",", ":")) for n in range(100))
    assert len(list(read_examples(done.train.path))) == 90


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    path = write(tmp_path, [row(n, f"system {n % 3}") for n in range(60)])
    first, again, other = (prepare(path, tmp_path / out, seed=seed) for out, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert first.train.path.read_bytes() == again.train.path.read_bytes()
    assert first.train.path.read_bytes() != other.train.path.read_bytes()


def test_the_order_is_shuffled(tmp_path: Path) -> None:
    done = prepare(write(tmp_path, [row(n) for n in range(50)]), tmp_path / "out", validation=0)
    assert done.validation is None
    assert not (tmp_path / "out" / "validation.jsonl").exists()
    assert lines(done.train.path) != sorted(lines(done.train.path))


def test_duplicates_and_invalid_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    spaced = json.dumps(row(1), indent=None, separators=(" ,", " : "))
    done = prepare(
        write(tmp_path, [row(1), spaced, row(2), "[]", {"messages": []}, ""]), tmp_path / "out", validation=0
    )
    assert done.train.examples == 2
    assert done.dropped == {"duplicate": 1, "empty_messages": 1, "not_an_object": 1}
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["dropped"] == done.dropped
    assert report["findings"][0]["message"] == "the row is a duplicate of line 1"


def test_near_duplicates_are_left_out_when_asked(tmp_path: Path) -> None:
    pytest.importorskip("rensa")
    long = {"messages": [{"role": "user", "content": WORDS * 3}, {"role": "assistant", "content": "Yes"}]}
    near = {"messages": [{"role": "user", "content": WORDS * 3 + " today"}, {"role": "assistant", "content": "Yes"}]}
    path = write(tmp_path, [long, near, row(1), row(2)])
    assert prepare(path, tmp_path / "a", dedupe="near").dropped == {"near_duplicate": 1}
    assert prepare(path, tmp_path / "b").dropped == {}


def test_duplicates_that_stay_are_on_one_side(tmp_path: Path) -> None:
    done = prepare(write(tmp_path, [row(n % 10) for n in range(200)]), tmp_path / "out", dedupe="none", validation=0.3)
    assert done.validation is not None
    assert not set(lines(done.train.path)) & set(lines(done.validation.path))
    assert done.train.examples + done.validation.examples == 200


def test_each_system_prompt_gives_its_share(tmp_path: Path) -> None:
    rows = [row(n, "rare" if n % 10 == 0 else "common") for n in range(200)]
    done = prepare(write(tmp_path, rows), tmp_path / "out", validation=0.1)
    assert done.validation is not None
    prompts = [system_prompt(example) for _, example in read_examples(done.validation.path)]
    assert (prompts.count("rare"), prompts.count("common")) == (2, 18)


@pytest.mark.parametrize(("count", "share"), [(2, 0.01), (2, 0.99), (3, 0.5), (1000, 0.1)])
def test_neither_side_is_left_empty(count: int, share: float) -> None:
    chosen = split(range(count), range(count), share, seed=0)
    assert 0 < sum(chosen) < count
    assert abs(sum(chosen) - count * share) <= 1


def test_foreign_formats_become_canonical(tmp_path: Path) -> None:
    done = prepare(write(tmp_path, [{"prompt": "a", "completion": "b"}]), tmp_path / "out")
    assert lines(done.train.path) == ['{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}']


def test_a_file_without_valid_examples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no valid examples"):
        prepare(write(tmp_path, ["[]"]), tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()


def test_the_same_file_is_prepared_again_into_its_folder(tmp_path: Path) -> None:
    path = write(tmp_path, [row(n) for n in range(10)])
    prepare(path, tmp_path / "out")
    path.write_text(path.read_text() + json.dumps(row(10)) + "\n")
    made = prepare(path, tmp_path / "out", validation=0)
    assert len(lines(made.train.path)) == 11
    assert not (tmp_path / "out" / "validation.jsonl").exists()


@pytest.mark.parametrize("name", ["train.jsonl", "validation.jsonl", "report.json"])
def test_what_is_not_of_an_earlier_run_on_the_file_is_overwritten_only_by_force(tmp_path: Path, name: str) -> None:
    path, out = write(tmp_path, [row(n) for n in range(10)]), tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine\n")
    with pytest.raises(InputError, match=rf"{name} was not made of .*, and would be overwritten") as refused:
        prepare(path, out)
    assert "--force" in refused.value.hint
    assert [file.name for file in out.iterdir()] == [name]
    assert (out / name).read_text() == "mine\n"
    prepare(path, out, force=True)
    assert len(lines(out / "train.jsonl")) == 9


def test_the_split_of_another_file_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other, out = write(tmp_path / "other", [row(n) for n in range(5)]), tmp_path / "out"
    before = prepare(other, out).train.path.read_bytes()
    with pytest.raises(InputError, match=rf"train.jsonl was made of {other}, and would be overwritten"):
        prepare(write(tmp_path, [row(n) for n in range(10)]), out)
    assert (out / "train.jsonl").read_bytes() == before


def test_a_folder_that_was_there_before_stays(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with pytest.raises(DataError, match="has no valid examples"):
        prepare(write(tmp_path, ["[]"]), tmp_path / "deep" / "out")
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_a_key_that_comes_twice_is_reported(tmp_path: Path, workers: int) -> None:
    twice = '{"messages": [], ' + json.dumps(row(1))[1:]
    done = prepare(write(tmp_path, [row(0), twice, row(2), row(3)]), tmp_path / "out", workers=workers)
    [finding] = done.findings
    assert (finding.line, finding.path, finding.code, finding.level) == (2, "$.messages", "repeated_key", "warning")
    assert "prepare" in finding.fix
    assert (done.dropped, done.train.examples) == ({}, 3)
    [reported] = json.loads((tmp_path / "out" / "report.json").read_text())["findings"]
    assert (reported["line"], reported["code"]) == (2, "repeated_key")


def test_an_impossible_share_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the share for validation is 1\.5"):
        prepare(write(tmp_path, [row(1)]), tmp_path / "out", validation=1.5)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, [row(1)])
    with pytest.raises(InputError, match="cannot be written"):
        prepare(path, path / "out")
