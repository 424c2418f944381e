"""`report --out`: from jobs at mocked vendors to a file, with the evaluations that the home keeps."""

from __future__ import annotations

import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge.errors import UsageError
from ftbridge.evaluation.stored_evaluations import newest
from ftbridge.home import evaluations_folder
from small_data import write_rows

MOCKED = "mock+openai:gpt-4.1-mini-2025-04-14"


@pytest.fixture(autouse=True)
def fast_mocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTBRIDGE_MOCK_SPEED", "6000")


@pytest.fixture
def training(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "train.jsonl", chats(range(40)))


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """Rows of which the mocked model, which repeats its training rows, knows twelve of twenty."""
    return write_rows(tmp_path / "held.jsonl", chats(range(28, 48)))


def chats(numbers: range) -> list[dict[str, object]]:
    labels = ("billing", "delivery", "returns")
    return [
        {
            "messages": [
                {"role": "user", "content": f"ticket number {number}"},
                {"role": "assistant", "content": labels[number % 3]},
            ]
        }
        for number in numbers
    ]


@pytest.fixture
def job(bridge: Bridge, training: Path) -> str:
    return bridge.wait(bridge.submit(training, MOCKED, name="tickets")).id


def test_an_evaluation_is_kept_with_its_rows_for_its_owner_alone(bridge: Bridge, job: str, held_out: Path) -> None:
    found = bridge.evaluate(job, held_out, baseline=True)
    [file] = evaluations_folder(bridge.home, job).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    stored = newest(bridge, job)
    assert stored is not None
    assert stored.evaluation == found
    assert stored.evaluation.row_results == found.row_results
    assert (stored.head.data, stored.head.models) == (str(held_out), ("tuned", "base"))
    assert len(stored.head.sha256) == 64


def test_the_report_shows_the_newest_evaluation(here: Cli, job: str, held_out: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    ran = here("report", job, "--out", out, "--json")
    assert (ran.code, ran.json) == (0, {"jobs": [job], "out": str(out), "bytes": out.stat().st_size})
    assert "Not evaluated yet" in out.read_text("utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600

    assert here("evaluate", job, held_out).code == 0
    assert here("evaluate", job, held_out, "--baseline", "--metric", "exact").code == 0
    assert here("report", "tickets", "--out", out).code == 0
    document = out.read_text("utf-8")
    assert "Better than its base, but 12 of 20 held-out rows are in the training data" in document
    assert "By exact on 20 held-out rows" in document
    assert "Worst failures: 8 rows" in document
    assert "train.jsonl (40 rows)" in document


def test_held_out_rows_can_be_given_with_it_and_several_jobs_stand_beside_each_other(
    here: Cli, bridge: Bridge, job: str, training: Path, held_out: Path, tmp_path: Path
) -> None:
    other = bridge.wait(bridge.submit(training, "mock+together:Qwen/Qwen3-8B", name="elsewhere")).id
    out = tmp_path / "report.html"
    ran = here("report", job, other, job, "--out", out, "--data", held_out)
    assert ran.code == 0, ran.err
    document = out.read_text("utf-8")
    assert "2 jobs compared" in document
    assert document.count("Better than its base") == 2


def test_files_with_other_names_of_columns_are_read_as_they_are_told(here: Cli, tmp_path: Path) -> None:
    rows = [{"Frage": f"ticket {n}", "Antwort": f"answer {n}"} for n in range(12)]
    training, held = write_rows(tmp_path / "train.jsonl", rows), write_rows(tmp_path / "held.jsonl", rows[:4])
    names, out = ["--map", "Frage=prompt", "--map", "Antwort=completion"], tmp_path / "report.html"
    assert here("run", training, "--to", MOCKED, "--name", "renamed", *names).code == 0
    refused = here("report", "renamed", "--out", out, "--data", held)
    assert (refused.code, out.exists()) == (1, False)
    assert here("report", "renamed", "--out", out, "--data", held, *names).code == 0
    document = out.read_text("utf-8")
    assert "train.jsonl (12 rows)" in document
    assert "held.jsonl (4 rows)" in document


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "report.pdf"), "report.pdf is not .html"),
        ((), "a report needs --out or --to, one of the two"),
        (("--out", "report.html", "--to", "tensorboard:runs"), "a report needs --out or --to, one of the two"),
        (("--to", "tensorboard:runs", "--data", "held.jsonl"), "a tracker takes one job, and no --data"),
        (("--out", "report.html", "--format", "alpaca"), "--format and --map say how --data is to be read"),
        (("--out", "nowhere/report.html"), "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_written_is_said_first(here: Cli, job: str, words: tuple[str, ...], said: str) -> None:
    ran = here("report", job, *words)
    assert ran.code == 2
    assert said in " ".join(ran.err.split())


def test_a_training_file_that_is_gone_or_was_changed_is_called_so(
    bridge: Bridge, job: str, training: Path, tmp_path: Path
) -> None:
    write_rows(training, chats(range(3)))
    os.utime(training, (4e9, 4e9))
    changed = bridge.write_report(job, tmp_path / "changed.html").read_text("utf-8")
    assert "(3 rows; written again since the job was submitted)" in changed
    training.unlink()
    gone = bridge.write_report(job, tmp_path / "gone.html").read_text("utf-8")
    assert "train.jsonl (the file is not there any more)" in gone


def test_an_evaluation_of_another_version_is_read_and_one_that_cannot_be_is_passed_over(
    bridge: Bridge, job: str, held_out: Path
) -> None:
    bridge.evaluate(job, held_out)
    [file] = evaluations_folder(bridge.home, job).iterdir()
    head, evaluation, *rows = file.read_text("utf-8").splitlines()
    newer = [json.dumps({**json.loads(line), "from_the_future": 1}) for line in (head, evaluation, *rows)]
    file.with_name("29991231T000000000000Z.jsonl").write_text("\n".join(newer), "utf-8")
    found = newest(bridge, job)
    assert found is not None
    assert len(found.evaluation.row_results) == 20
    file.with_name("29991231T000000000001Z.jsonl").write_text(head[:20], "utf-8")
    assert newest(bridge, job) is not None
    assert "cannot be read, and an older one is used" in bridge.warnings[-1]


def test_delete_removes_the_evaluations_in_which_the_model_was_asked(
    bridge: Bridge, job: str, training: Path, held_out: Path
) -> None:
    other = bridge.wait(bridge.submit(training, MOCKED, name="other", seed=7)).id
    bridge.evaluate(other, held_out, against=job)
    bridge.evaluate(other, held_out)
    bridge.evaluate(job, held_out)
    receipt = bridge.delete(job)
    assert sorted(str(item.job) for item in receipt.items if item.kind == "evaluation") == sorted([job, other])
    assert newest(bridge, job) is None
    assert len([*evaluations_folder(bridge.home, other).iterdir()]) == 1


def test_prune_keeps_the_newest_evaluation_of_a_job_unless_an_age_is_given(
    bridge: Bridge, job: str, held_out: Path
) -> None:
    for _again in range(3):
        bridge.evaluate(job, held_out)
    assert sum(item.kind == "evaluation" for item in bridge.prune().items) == 2
    assert newest(bridge, job) is not None
    assert not [item for item in bridge.prune(older_than=timedelta(days=1)).items if item.kind == "evaluation"]
    assert sum(item.kind == "evaluation" for item in bridge.prune(older_than=timedelta()).items) == 1
    assert newest(bridge, job) is None


def test_another_extension_is_refused_before_anything_is_asked(bridge: Bridge, job: str, held_out: Path) -> None:
    with pytest.raises(UsageError, match=r"is not \.html"):
        bridge.write_report(job, held_out, data=held_out)
    assert newest(bridge, job) is None
