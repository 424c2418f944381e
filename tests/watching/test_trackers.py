"""Reports to TensorBoard, MLflow and W&B: what the events say, each of them once, read back by those packages."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import MissingExtra, UsageError
from ftbridge.model import Job, Status
from ftbridge.watching.trackers import find_tracker, metrics
from ftbridge.watching.tracking import Reporting
from tracker_readers import Curves, Mlflow, TensorBoard, Tracker, Wandb
from watching_helpers import OPENAI, TOGETHER

Open = Callable[..., Bridge]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what MLflow 3.17 asks SQLAlchemy for


@pytest.fixture(params=[TensorBoard, Mlflow, Wandb], ids=["tensorboard", "mlflow", "wandb"])
def tracker(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    pytest.importorskip({Mlflow: "mlflow", Wandb: "wandb", TensorBoard: "tensorboard"}[request.param])
    folder = tmp_path / "tracker"
    folder.mkdir()
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(folder))
    made: Tracker = request.param(folder)
    return made


@pytest.fixture
def board(tmp_path: Path) -> TensorBoard:
    return TensorBoard(tmp_path)


def expected(bridge: Bridge, job: Job) -> Curves:
    """The curves by the ledger's events."""
    curves: Curves = {}
    for event in bridge.events(job):
        for name, figure in metrics(event).items():
            curves.setdefault(name, []).append((event.step or 0, pytest.approx(figure)))
    assert len(curves["train_loss"]) > 3
    return curves


def test_every_figure_of_every_step_is_written_once_however_often_it_is_asked_for(
    open_bridge: Open, data: Path, tracker: Tracker
) -> None:
    bridge = open_bridge()
    job = bridge.wait(bridge.submit(data, to=OPENAI, epochs=3, seed=7))
    assert bridge.report(job, tracker.to) == len(bridge.events(job))
    assert tracker.curves(job.id) == expected(bridge, job)
    assert bridge.report(job, tracker.to) == 0
    assert tracker.curves(job.id) == expected(bridge, job)
    for fact in (job.id, OPENAI, "sft", "epochs", "seed"):
        assert fact in tracker.facts(job.id)


def test_a_watch_reports_the_jobs_of_all_vendors_as_they_come(open_bridge: Open, data: Path, tracker: Tracker) -> None:
    bridge = open_bridge()
    jobs = [bridge.submit(data, to=to) for to in (OPENAI, TOGETHER)]
    for _told in bridge.watch(*jobs, report=[tracker.to]):
        pass
    for job in jobs:
        assert tracker.curves(job.id) == expected(bridge, job)
    assert not [warning for warning in bridge.warnings if "report" in warning]


def test_what_a_watch_left_open_the_next_one_writes(open_bridge: Open, data: Path, tracker: Tracker) -> None:
    bridge = open_bridge()
    job = bridge.submit(data, to=OPENAI)
    with closing(bridge.watch(job, report=[tracker.to])) as reported:  # type: ignore[type-var]  # a generator, in truth
        next(event for _job, event in reported if event and event.kind == "metric")
    for _told in bridge.watch(job, report=[tracker.to]):
        pass
    assert tracker.curves(job.id) == expected(bridge, job)


def test_a_report_that_was_broken_off_is_gone_on_with(open_bridge: Open, data: Path, tracker: Tracker) -> None:
    bridge = open_bridge()
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    events = bridge.ledger.events(job.id)
    first = find_tracker(tracker.to)(job)
    first.write(events[: len(events) // 2])
    first.leave(job)
    assert tracker.curves(job.id) != expected(bridge, job)
    assert bridge.report(job, tracker.to) == len(events) - len(events) // 2
    assert tracker.curves(job.id) == expected(bridge, job)


def test_what_a_crash_left_half_written_is_written_anew(open_bridge: Open, data: Path, board: TensorBoard) -> None:
    bridge = open_bridge()
    job = bridge.wait(bridge.submit(data, to=OPENAI, name="Our support / 1"))
    events = bridge.ledger.events(job.id)
    find_tracker(board.to)(job).write(events[:6])
    [file] = (board.folder / "runs" / f"Our-support-1-{job.id}").glob("events.*")
    with file.open("ab") as open_file:
        open_file.write(file.read_bytes()[:100])
    bridge.report(job, board.to)
    assert board.curves(job.id) == expected(bridge, job)


def test_a_run_that_somebody_deleted_is_written_again(open_bridge: Open, data: Path, board: TensorBoard) -> None:
    bridge = open_bridge()
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    bridge.report(job, board.to)
    for file in (board.folder / "runs" / job.id).iterdir():
        file.unlink()
    assert bridge.report(job, board.to) == len(bridge.events(job))
    assert board.curves(job.id) == expected(bridge, job)


def test_mlflows_run_stands_as_the_job_does(open_bridge: Open, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    bridge, tracker = open_bridge(), Mlflow(tmp_path)
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    words = {"running": "RUNNING", "cancelled": "KILLED", "failed": "FAILED", "succeeded": "FINISHED"}
    for ours, theirs in words.items():
        find_tracker(tracker.to)(job).leave(job.model_copy(update={"status": Status(ours)}))
        assert tracker._run(job.id)[0].info.status == theirs


def test_one_process_at_a_time_reports_to_a_place(open_bridge: Open, data: Path, board: TensorBoard) -> None:
    bridge, other = open_bridge(), open_bridge()
    job = bridge.wait(bridge.submit(data, to=OPENAI))
    with Reporting(other.ledger, board.to) as held:
        assert held.claim()
        with pytest.raises(UsageError, match="the report to tensorboard is being written by another process"):
            bridge.report(job, board.to)
        for _told in bridge.watch(job, report=[board.to]):
            pass
        assert "the report to tensorboard is written by another process" in bridge.warnings[-1]
    assert bridge.report(job, board.to) == len(bridge.events(job))


def test_a_tracker_that_fails_is_said_and_keeps_nobody_from_watching(
    open_bridge: Open, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "runs").write_text("a file, where a folder has to be")
    bridge = open_bridge()
    job = bridge.submit(data, to=OPENAI)
    for _told in bridge.watch(job, report=[f"tensorboard:{tmp_path / 'runs'}"]):
        pass
    assert bridge.job(job).status == "succeeded"
    assert "the report to tensorboard is incomplete, and `ftbridge report` writes the rest" in bridge.warnings[-1]


def test_a_tracker_that_nobody_knows_is_refused_with_those_there_are(open_bridge: Open) -> None:
    with pytest.raises(UsageError, match="no tracker is called 'tensorbord'") as problem:
        find_tracker("tensorbord:runs")
    assert problem.value.hint.startswith("Did you mean 'tensorboard'? Write mlflow:LOCATION")


def test_a_tracker_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    monkeypatch.delitem(sys.modules, "ftbridge.watching.trackers.wandb", raising=False)
    with pytest.raises(MissingExtra, match="tracker wandb needs a package that is not installed: wandb") as problem:
        find_tracker("wandb:ours")
    assert "ftbridge[wandb]" in problem.value.hint
