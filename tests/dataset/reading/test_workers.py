"""Several processes find what one finds, on the same lines."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bench.planted import generate
from command_line import Cli, Ran
from ftbridge.dataset import Advice, Diagnostics, FileLimits, Prepared, check, convert, prepare
from ftbridge.dataset.canonical.example import Assistant, Chat, Example, Shape
from ftbridge.dataset.reading.lines import lines
from ftbridge.dataset.reading.opening import open_file
from ftbridge.dataset.reading.processes import run_in_processes
from ftbridge.dataset.reading.ranges import byte_ranges, open_range, worker_count
from ftbridge.errors import InputError
from planted_rows import ANSWER, USER, chat


def test_every_planted_defect_is_found_on_its_line_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    truth = generate(path, 3_000_000)
    findings = check(path).findings
    assert {finding.line for finding in findings} == set(truth)
    codes = {(finding.line, finding.code) for finding in findings}
    assert all((line, code) in codes for line, code in truth.items())
    assert len(set(truth.values())) >= 15


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are divided into parts of a few rows."""
    monkeypatch.setattr("ftbridge.dataset.reading.ranges.PART", 7_000)


def test_two_workers_report_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    generate(path, 200_000)
    assert len(byte_ranges(path)) > 20
    assert check(path, workers=2) == check(path)


@pytest.mark.parametrize("targets", [[], ["openai:gpt-4.1-mini-2025-04-14", "together:Qwen/Qwen3-8B"]])
def test_the_command_reports_the_same_with_any_number_of_workers(
    here: Cli, tmp_path: Path, targets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of every kind, each twice, so that both ends of a part see what the other parts have."""
    path, held = tmp_path / "data.jsonl", tmp_path / "held.jsonl"
    generate(path, 100_000)
    secret = [
        "ann@example.org",
        "4111 1111 1111 1111",
        "sk-" + "a" * 20,
        "+49 170 1234567",
        "DE89 3704 0044 0532 0130 00",
    ]
    rows = [{"messages": [USER, {**ANSWER, "content": text}]} for text in secret]
    path.write_bytes(path.read_bytes() * 2 + b"".join(json.dumps(row).encode() + b"\n" for row in rows * 3))
    held.write_text(json.dumps(rows[3]) + "\n")
    options = [word for target in targets for word in ("--to", target)]
    command = ["check", path, "--validation", held, "--json", *options]
    one, two = (here(*command, "--workers", str(number)) for number in (1, 2))
    assert one.out == two.out
    codes = {finding["code"] for finding in json.loads(one.out)["findings"]}
    assert codes > {"duplicates", "overlap", "email", "card_number", "api_key", "phone_number", "iban"}
    monkeypatch.setattr("ftbridge.dataset.reading.ranges.PART", 2**30)
    assert without_tokens(here(*command)) == without_tokens(one)


def without_tokens(ran: Ran) -> dict[str, Any]:
    """A report without the estimate, which depends on the sample."""
    return {**json.loads(ran.out), "tokens": None}


def test_near_duplicates_are_found_across_parts(tmp_path: Path) -> None:
    pytest.importorskip("rensa")
    path = tmp_path / "data.jsonl"
    rows = [chat({**USER, "content": " ".join(f"{n}word{m}" for m in range(50))}, ANSWER) for n in range(60)]
    rows.append(chat({**USER, "content": f"{rows[0]['messages'][0]['content']} more"}, ANSWER))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    one, two = Advice(near_duplicates=True), Advice(near_duplicates=True)
    check(path, observers=[one], workers=1)
    check(path, observers=[two], workers=2)
    assert one.findings() == two.findings()
    assert [finding.line for finding in two.findings() if finding.code == "near_duplicates"] == [61]


def test_small_files_are_read_by_one_process_and_large_ones_by_all_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _process: {0, 1, 2}, raising=False)
    path = tmp_path / "data.jsonl"
    path.touch()
    os.truncate(path, 64 * 2**20 - 1)
    assert (worker_count(path, None), worker_count(path, 2), worker_count(path, 99)) == (1, 2, 12)
    os.truncate(path, 64 * 2**20)
    assert (worker_count(path, None), worker_count(path, 1)) == (3, 1)


def test_processes_that_read_have_no_secrets_in_their_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "a" * 20)
    monkeypatch.setenv("HARMLESS", "sk-" + "b" * 20)
    monkeypatch.setenv("HF_HOME", "/models")
    found: dict[str, str] = dict(*run_in_processes(environ_items, 2, [None]))
    assert "OPENAI_API_KEY" not in found
    assert "HARMLESS" not in found
    assert found["HF_HOME"] == "/models"


def environ_items(_input: None) -> list[tuple[str, str]]:
    """The environment with which a process was started."""
    started = Path("/proc/self/environ")
    pairs = (
        started.read_text().split("\0") if started.exists() else [f"{key}={value}" for key, value in os.environ.items()]
    )
    return [(pair.partition("=")[0], pair.partition("=")[2]) for pair in pairs if pair]


def test_what_is_reported_once_is_reported_once_by_two_workers(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"prompt": "a", "completion": "b", "id": n}) + "\n" for n in range(50)))
    assert check(path, workers=2) == check(path)


@pytest.mark.parametrize("size", [1, 40, 41, 500, 10_000])
def test_the_ranges_are_the_file_in_whole_lines(tmp_path: Path, size: int) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"".join(b"x" * (n % 40) + b"\n" for n in range(100)) + b"end")
    read = []
    for part in byte_ranges(path, size):
        with open_file(path) as file:
            read += [raw for _, raw in lines(open_range(file, part)) if isinstance(raw, bytes)]
    assert b"".join(read) == path.read_bytes()
    assert len(read) == 101


def test_an_empty_file_has_no_ranges(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert byte_ranges(tmp_path / "empty") == []


def test_a_process_that_is_killed_ends_the_command_with_a_sentence() -> None:
    with pytest.raises(InputError, match="was killed"):
        list(run_in_processes(os._exit, 2, [9]))


class Named:
    """A target that says where the developer speaks."""

    target = "named"
    shapes: frozenset[Shape] = frozenset({"chat"})
    limits = FileLimits()

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        assert isinstance(example, Chat)
        if example.messages[-1].content != "7":
            return example
        diagnostics.changed("sevens_shouted")
        return Chat([*example.messages[:-1], Assistant("SEVEN")])


def test_two_workers_write_the_same_bytes_and_report_the_same(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    rows = [[{"role": "user", "content": "x"}, {"role": "assistant", "content": str(n % 9)}] for n in range(200)]
    path.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in rows))
    one, two = (convert(path, Named(), tmp_path / str(n), workers=n) for n in (1, 2))
    assert one.out.read_bytes() == two.out.read_bytes()
    assert replace(two, out=one.out) == one
    assert one.changed == {"sevens_shouted": (22, 8)}


def test_two_workers_refuse_the_same_and_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    generate(path, 100_000)
    before = set(tmp_path.iterdir())
    one, two = (convert(path, Named(), tmp_path / "out", workers=n) for n in (1, 2))
    assert one.impossible
    assert one == two
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("dedupe", ["exact", "near", "none"])
def test_two_workers_prepare_the_same_bytes_and_the_same_report(tmp_path: Path, dedupe: Any) -> None:
    if dedupe == "near":
        pytest.importorskip("rensa")
    path = tmp_path / "data.jsonl"
    generate(path, 200_000)
    path.write_bytes(path.read_bytes() * 2)
    one, two = (written(prepare(path, tmp_path / str(n), dedupe=dedupe, workers=n)) for n in (1, 2))
    assert one == two
    assert (b'"duplicate"' in one[2]) == (dedupe != "none")


def written(done: Prepared) -> list[bytes]:
    """The files that were written, as if they were all in one place."""
    folder = done.train.path.parent
    files = [folder / name for name in ("train.jsonl", "validation.jsonl", "report.json")]
    assert set(folder.iterdir()) == set(files)
    return [file.read_bytes().replace(str(folder).encode(), b"") for file in files]


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".csv"])
def test_what_cannot_be_divided_is_prepared_by_one_process(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    rows = "prompt,completion\n" + "".join(f"a{n},b\n" for n in range(40))
    lines_of_json = "".join(json.dumps({"prompt": f"a{n}", "completion": "b"}) + "\n" for n in range(40))
    path.write_bytes(gzip.compress(lines_of_json.encode()) if suffix == ".jsonl.gz" else rows.encode())
    one, two = (written(prepare(path, tmp_path / str(n), workers=n)) for n in (1, 2))
    assert one == two


def test_a_key_that_is_left_out_is_reported_once_by_two_workers_that_prepare(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"prompt": f"{n}", "completion": "b", "id": n}) + "\n" for n in range(50)))
    one, two = (prepare(path, tmp_path / str(n), workers=n) for n in (1, 2))
    assert [finding.code for finding in two.findings] == ["key_not_read"]
    assert one.findings == two.findings
