"""The main job on the command line: from a file to a model that answers, and what may happen on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Cli
from ftbridge import Bridge
from ftbridge_local.job_folder import JobFolder


@pytest.fixture(autouse=True)
def built_base(home: Path, tiny_home: Path) -> None:
    """The tiny base, built once for all tests."""
    shutil.copytree(tiny_home / "local" / "bases", home / "local" / "bases")


def until(true: Callable[[], object], seconds: float = 90.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.1)


def folder_of(home: Path, job_id: str) -> JobFolder:
    return JobFolder(home / "local" / "jobs" / job_id)


def steps_done(home: Path, job_id: str) -> int:
    with Bridge(home) as bridge:
        [job] = bridge.refresh(job_id)
    return job.latest.step or 0


def test_run_takes_a_file_of_ones_own_all_the_way(cli: Cli, here: Cli, rows: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = cli("run", rows, "--to", "local:tiny", "--validation", rows, "--epochs", "2", "--out", out, "--name", "mine")
    assert ran.code == 0, ran.err
    assert "succeeded" in ran.out
    assert (out / "adapter_model.safetensors").exists()

    [job] = here("jobs", "--json").json["jobs"]
    assert (job["name"], job["target"], job["status"]) == ("mine", "local:tiny", "succeeded")
    shown = here("show", job["id"], "--json").json
    assert shown["spec"]["hyperparameters"]["epochs"] == 2
    assert shown["latest"]["train_loss"] > 0
    assert shown["finished_at"]
    kept = shown["result"]["step"], shown["result"]["valid_loss"]
    output = here("show", "last").out
    assert "succeeded" in output
    assert f"saved at step {kept[0]}, validation loss {kept[1]:.3f}" in output

    events = [json.loads(line) for line in here("events", job["id"], "--json").out.splitlines()]
    assert {"status", "metric", "message", "checkpoint"} <= {event["kind"] for event in events}
    statuses = [event["status"] for event in events if event["kind"] == "status"]
    assert statuses[-2:] == ["running", "succeeded"]
    losses = [event["valid_loss"] for event in events if "valid_loss" in event]
    assert len(losses) == 3
    assert losses[-1] < losses[0]

    reply = cli("chat", job["id"], "Say one.", "--max-tokens", "8", "--json").json
    assert set(reply) == {"reply", "model", "usage", "reasoning", "finish_reason"}
    assert (reply["reasoning"], reply["finish_reason"]) in ((None, "stop"), (None, "length"))
    assert reply["usage"]["completion_tokens"] <= 8
    assert cli("chat", job["id"], "--max-tokens", "4", stdin="Say two.\n").code == 0

    answers = tmp_path / "answers.jsonl"
    scores = cli("evaluate", job["id"], rows, "--baseline", "--rows", answers, "--json").json
    scored = [json.loads(line) for line in answers.read_text("utf-8").splitlines()]
    assert [row["line"] for row in scored] == list(range(1, 13))
    assert list(scored[0]) == ["line", "question", "expected", "expected_calls", "answers", "winner"]
    assert scored[0]["question"][-1]["role"] == "user"
    tuned = [row["answers"]["tuned"] for row in scored]
    correct = [one["answer"].strip() == row["expected"] for one, row in zip(tuned, scored, strict=True)]
    assert [one["scores"]["exact"] for one in tuned] == correct
    assert sum(correct) / 12 == scores["tuned"]["exact_match"]
    losses = [one["scores"]["loss"] for one in tuned]
    assert min(losses) <= scores["tuned"]["loss"] <= max(losses)
    assert scores["rows"] == 12
    assert scores["tuned"]["loss"] < scores["baseline"]["loss"]
    assert 0 <= scores["tuned"]["exact_match"] <= 1

    assert here("fetch", job["id"], "--out", tmp_path / "again").code == 0
    assert (tmp_path / "again" / "adapter_config.json").exists()
    assert here("fetch", job["id"], "--out", tmp_path / "again").code == 0
    taken = cli("run", rows, "--to", "local:tiny", "--out", tmp_path / "again")
    assert taken.code == 2
    assert f"holds the result of job {job['id']}" in taken.err
    assert len(here("jobs", "--json").json["jobs"]) == 1

    watched = here("watch", job["id"])
    assert watched.out.splitlines()[0].startswith(f"{job['id']} ({job['name']}) has succeeded, step ")
    assert len(watched.out.splitlines()) == 1
    [event] = [json.loads(line) for line in here("watch", job["id"], "--json").out.splitlines()]
    assert (event["id"], event["status"]) == (job["id"], "succeeded")


def test_the_same_key_is_the_same_job(cli: Cli, rows: Path) -> None:
    first = cli("submit", rows, "--to", "local:tiny", "--epochs", "1", "--idempotency-key", "monday").out
    assert cli("submit", rows, "--to", "local:tiny", "--epochs", "1", "--idempotency-key", "monday").out == first
    other = cli("submit", rows, "--to", "local:tiny", "--epochs", "2", "--idempotency-key", "monday")
    assert other.code == 2
    assert "another request" in other.err
    assert len(cli("jobs", "--json").json["jobs"]) == 1


def test_a_job_outlives_the_command_that_started_it_and_watch_picks_it_up(cli: Cli, rows: Path, home: Path) -> None:
    command = [sys.executable, "-m", "ftbridge", "run", str(rows), "--to", "local:tiny", "--epochs", "15"]
    environment = {**os.environ, "FTBRIDGE_HOME": str(home)}
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: list((home / "local" / "jobs").glob("ftb_*/events.jsonl")))
    running.send_signal(signal.SIGKILL)
    running.wait()
    watched = cli("watch")
    assert watched.code == 0, watched.err
    assert "succeeded" in watched.out
    assert cli("show", "last", "--json").json["status"] == "succeeded"


def test_a_worker_that_is_killed_is_failed_and_resume_finishes(cli: Cli, rows: Path, home: Path) -> None:
    job_id = cli("submit", rows, "--to", "local:tiny", "--epochs", "40").out.strip()
    until(lambda: steps_done(home, job_id) > 3)
    worker = folder_of(home, job_id).worker_pid
    assert worker
    os.kill(worker, signal.SIGKILL)
    until(lambda: not folder_of(home, job_id).alive, 5)
    shown = cli("show", job_id, "--json").json
    assert shown["status"] == "failed"
    assert shown["error"]

    resumed = cli("resume", job_id, "--json").json
    assert resumed["status"] in ("queued", "validating", "running")
    assert cli("watch", job_id).code == 0
    events = [json.loads(line) for line in cli("events", job_id, "--json").out.splitlines()]
    steps = {event["step"] for event in events if event["kind"] == "metric"}
    assert set(range(1, 61)) <= steps


def test_cancel_stops_a_job_within_five_seconds(cli: Cli, rows: Path, home: Path) -> None:
    job_id = cli("submit", rows, "--to", "local:tiny", "--epochs", "500").out.strip()
    until(lambda: steps_done(home, job_id) > 1)
    began = time.monotonic()
    assert cli("cancel", job_id, "--json").json["status"] == "cancelled"
    assert time.monotonic() - began < 5 + 2  # two seconds for the command itself to start
    assert not folder_of(home, job_id).alive
    assert cli("cancel", job_id, "--json").json["status"] == "cancelled"
    assert cli("watch", job_id).code == 1
    fetched = cli("fetch", job_id)
    assert fetched.code == 1
    assert "cancelled" in fetched.err


def test_watch_can_be_interrupted_and_the_job_goes_on(cli: Cli, rows: Path, home: Path) -> None:
    job_id = cli("submit", rows, "--to", "local:tiny", "--epochs", "200").out.strip()
    command = [sys.executable, "-m", "ftbridge", "watch", job_id]
    environment = {**os.environ, "FTBRIDGE_HOME": str(home)}
    watching = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert watching.stdout
    assert watching.stdout.readline()  # it has begun to look
    watching.send_signal(signal.SIGINT)
    _out, err = watching.communicate(timeout=20)
    assert watching.returncode == 130
    assert f"ftbridge watch {job_id}" in err
    assert "Traceback" not in err
    assert folder_of(home, job_id).alive
    before = steps_done(home, job_id)
    until(lambda: steps_done(home, job_id) > before)
    assert cli("cancel", job_id).code == 0
    again = cli("watch", job_id, "--json")
    assert again.code == 1
    assert json.loads(again.out.splitlines()[-1])["status"] == "cancelled"
