"""A job folder that a newer ftbridge has written is read as far as it is known, and never trained by halves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import SpecError
from ftbridge.files import write
from ftbridge.model import Hyperparameters, Status
from ftbridge_local.job_documents import EVENTS, SPEC, STATUS, UPLOADS, JobSpec
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.provider import LocalProvider
from ftbridge_local.trainer.train import train

TAG = "ftb_0123456789ab"


def rewrite(file: Path, more: Mapping[str, Any]) -> None:
    write(file, json.dumps(json.loads(file.read_bytes()) | more).encode())


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path / "local" / "jobs" / TAG)
    folder.path.mkdir(parents=True)
    folder.write_spec(JobSpec(model="tiny", base="tiny", hyperparameters=Hyperparameters(epochs=2)))
    write(folder.path / UPLOADS, b'{"training": "k1"}')
    folder.set_status(Status.RUNNING)
    return folder


def test_an_unknown_status_is_unknown_and_no_death(folder: JobFolder, tmp_path: Path) -> None:
    rewrite(folder.path / STATUS, {"status": "hibernating", "since": 5})
    assert folder.state().status is Status.UNKNOWN
    [remote] = LocalProvider(tmp_path).poll([TAG])
    assert (remote.status, remote.error) == (Status.UNKNOWN, None)


def test_unknown_fields_and_events_hide_no_job(folder: JobFolder, tmp_path: Path) -> None:
    rewrite(folder.path / SPEC, {"curriculum": "by length", "method": "grpo"})
    rewrite(folder.path / UPLOADS, {"images": "k9"})
    with (folder.path / EVENTS).open("a") as events:
        events.write('{"at": "2027-01-01T00:00:00Z", "kind": "artifact", "size": 5}\n')
    [listed] = LocalProvider(tmp_path).jobs()
    assert (listed.tag, listed.model, listed.training_file) == (TAG, "tiny", "k1")
    assert listed.hyperparameters.epochs == 2
    [_running, artifact] = folder.events()
    assert artifact.message == "artifact, which this ftbridge does not know"


@pytest.mark.parametrize(
    ("more", "name"), [({"method": "grpo"}, "method"), ({"curriculum": "by length"}, "curriculum")]
)
def test_what_is_not_known_in_full_is_not_trained(
    folder: JobFolder, tmp_path: Path, more: Mapping[str, Any], name: str
) -> None:
    rewrite(folder.path / SPEC, more)
    with pytest.raises(SpecError, match=f"does not know the job's {name}"):
        train(folder, tmp_path)
