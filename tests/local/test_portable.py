"""A job folder that is copied to another directory, with another home, trains there to the same losses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ftbridge.model import Status
from ftbridge.provider import RemoteJob
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.models.tiny import base as tiny
from local.lab import Lab, be_worker

EARLIER = "ftb_00000000beef"


@pytest.fixture
def elsewhere(lab: Lab, tmp_path: Path) -> Path:
    """Another home, which has nothing but the base tiny."""
    home = tmp_path / "another home"
    base = Path("local", "bases", tiny.FOLDER)
    shutil.copytree(lab.provider.home / base, home / base)
    return home


def train(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """As any runner does, in any working directory."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "ftbridge_local.trainer", str(folder)],
        env={**os.environ, "FTBRIDGE_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


def losses(folder: JobFolder) -> list[tuple[Any, ...]]:
    return [
        (event.step, event.train_loss, event.valid_loss, event.grad_norm)
        for event in folder.events()
        if event.kind == "metric"
    ]


def strings(value: Any) -> list[str]:
    """Every string in a JSON document."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in strings(part)]
    return [value] if isinstance(value, str) else []


def moved(job: JobFolder, target: Path) -> JobFolder:
    """The folder copied to `target`, and gone from where it was."""
    shutil.copytree(job.path, target)
    job.path.rename(job.path.with_name(f"{job.path.name}-gone"))
    return JobFolder(target)


@pytest.mark.parametrize("model", ["tiny", "an earlier job's adapter", "an earlier job's model"])
def test_a_copied_folder_trains_to_the_same_losses_bit_for_bit(
    lab: Lab, finished: RemoteJob, elsewhere: Path, tmp_path: Path, model: str
) -> None:
    settings: dict[str, Any] = {"epochs": 2}
    earlier = lab.folder(EARLIER)
    if model != "tiny":
        settings["lora_dropout"] = None
        source = lab.folder("finished")
        if model == "an earlier job's model":
            source = lab.train("whole", tuning="full", lora_dropout=None, epochs=1)
        earlier.path.symlink_to(source.path)
    try:
        name = "tiny" if model == "tiny" else EARLIER
        tag = f"portable {model}"
        here, there = (lab.prepare(f"{tag} {which}", name, **settings) for which in ("here", "there"))
        be_worker(here, lab.provider.home)
    finally:
        earlier.path.unlink(missing_ok=True)
    there = moved(there, tmp_path / "copies" / "job")

    ran = train(there.path, elsewhere)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert there.state().status is Status.SUCCEEDED
    assert len(losses(there)) == 13
    assert losses(there) == losses(here)
    weights = "adapter_model.safetensors"
    assert (there.result / weights).read_bytes() == (here.result / weights).read_bytes()


def test_the_spec_names_nothing_outside_the_folder(lab: Lab) -> None:
    job = lab.prepare("inside")
    spec = json.loads((job.path / "spec.json").read_bytes())
    assert not [text for text in strings(spec) if "/" in text]
    assert (spec["training"], spec["validation"]) == ("training.jsonl", "validation.jsonl")


def test_a_model_folder_of_the_users_own_stays_where_it_is(lab: Lab, tmp_path: Path) -> None:
    shutil.copytree(tiny.complete_folder(lab.provider.home), tmp_path / "model")
    job = lab.prepare("absolute", str(tmp_path / "model"))
    assert job.spec().base == str(tmp_path / "model")
    assert not (job.path / "model").exists()


def test_the_command_does_not_run_a_finished_job_again(lab: Lab, finished: RemoteJob, elsewhere: Path) -> None:
    folder = lab.folder("finished")
    before = (folder.path / "events.jsonl").read_bytes()
    ran = train(folder.path, elsewhere)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert (folder.path / "events.jsonl").read_bytes() == before


def test_a_folder_that_is_not_a_job_is_refused(elsewhere: Path, tmp_path: Path) -> None:
    ran = train(tmp_path / "nothing", elsewhere)
    assert ran.returncode == 2
    assert ran.stderr == f"{tmp_path / 'nothing'} is not a job folder: it has no status.json\n"
    assert not (tmp_path / "nothing").exists()


def test_a_runner_reads_a_file_from_an_offset_and_reports_many_jobs(lab: Lab, finished: RemoteJob) -> None:
    runner = lab.provider.runner()
    whole = runner.read("finished", "events.jsonl")
    assert runner.read("finished", "events.jsonl", 100) == whole[100:]
    assert runner.read("finished", "events.jsonl", len(whole)) == b""
    assert runner.read("finished", "no such file") == b""
    lab.prepare("reported")
    reports = {report.tag: report for report in runner.report(["finished", "nobody", "reported"])}
    assert set(reports) == {"finished", "reported"}
    assert (reports["finished"].state.status, reports["reported"].state.status) == (
        Status.SUCCEEDED,
        Status.SUBMITTING,
    )
    assert not any(report.alive for report in reports.values())
    assert {"finished", "reported"} <= set(runner.tags())
    assert runner.resume("finished") == "over"
