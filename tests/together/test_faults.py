"""What goes wrong at Together: the right error each time, and never two jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge.errors import AuthenticationFailed, BadAnswer, ServerTrouble
from ftbridge.provider import Files
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock.vendor import TogetherMock
from hosted_helpers import finished
from together_helpers import MODEL, make_spec

TAG = "ftb_0123456789ab"


def test_what_is_asked_on_the_side_is_asked_again(provider: TogetherProvider, mock: TogetherMock, files: Files) -> None:
    mock.faults.add("model_limits=429:0.01")
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    finished(provider, made.remote_id)
    mock.faults.add("job_metrics=429:0.01")
    assert provider.events(made.remote_id, "")
    assert mock.faults.left() == 0


@pytest.mark.parametrize("fault", ["html", "invalid-json", "truncate"])
@pytest.mark.parametrize("operation", ["list_files", "job_metrics"])
def test_an_answer_on_the_side_that_is_none_is_said(
    provider: TogetherProvider, mock: TogetherMock, files: Files, operation: str, fault: str
) -> None:
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    mock.faults.add(f"{operation}={fault}")
    ask: dict[str, Callable[[], object]] = {
        "list_files": lambda: provider.upload(Path(__file__), key="any"),
        "job_metrics": lambda: provider.events(made.remote_id, ""),
    }
    with pytest.raises(BadAnswer):
        ask[operation]()


UPLOAD_FAULTS = [
    "upload_file=500",
    "upload_file=500-after",
    "upload_file=cut-after",
    "store_file=cut-upload",
    "store_file=500-after",
    "preprocess_file=500",
    "preprocess_file=cut-after",
    "preprocess_file=500-after",
]


@pytest.mark.parametrize("fault", UPLOAD_FAULTS)
def test_an_upload_that_is_interrupted_is_taken_up_and_leaves_one_file(
    provider: TogetherProvider, mock: TogetherMock, rows: Path, fault: str
) -> None:
    mock.faults.add(fault)
    file_id = provider.upload(rows, key="abc")
    [kept] = provider.client.files.list().data
    assert kept.id == file_id
    assert mock.content(file_id) == rows.read_bytes()


@pytest.mark.parametrize("operation", ["upload_file", "preprocess_file"])
def test_an_upload_that_is_answered_with_a_page_is_said(
    provider: TogetherProvider, mock: TogetherMock, rows: Path, operation: str
) -> None:
    mock.faults.add(f"{operation}=html")
    with pytest.raises(BadAnswer):
        provider.upload(rows, key="abc")


def test_a_401_at_an_upload_is_about_the_key_and_not_about_a_trial(
    provider: TogetherProvider, mock: TogetherMock, rows: Path
) -> None:
    mock.faults.add("upload_file=401")
    with pytest.raises(AuthenticationFailed, match="Injected fault 401"):
        provider.upload(rows, key="abc")


def test_a_download_goes_on_where_it_was_cut(
    provider: TogetherProvider, mock: TogetherMock, files: Files, tmp_path: Path
) -> None:
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    finished(provider, made.remote_id)
    mock.faults.add("download=cut-midway")
    mock.faults.add("download=500")
    mock.faults.add("download=cut-midway")
    provider.fetch(made.remote_id, tmp_path / "out")
    starts = [int(seen.call.range[6:-1]) for seen in mock.seen if seen.operation == "download"]
    assert starts[0] == 0
    assert starts == sorted(set(starts))
    assert len(starts) == 3


def test_a_download_that_was_complete_is_not_asked_for_again(
    provider: TogetherProvider, mock: TogetherMock, files: Files, tmp_path: Path
) -> None:
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    finished(provider, made.remote_id)
    whole = provider.client.fine_tuning.content(ft_id=made.remote_id, checkpoint="adapter").read()
    (provider.home / "downloads").mkdir()
    (provider.home / "downloads" / f"{made.remote_id}.tar.zst").write_bytes(whole)
    assert provider.fetch(made.remote_id, tmp_path / "out").path
    assert [seen.answer.status for seen in mock.seen if seen.operation == "download"][1:] == [416]


def test_what_is_left_of_another_download_is_thrown_away(
    provider: TogetherProvider, files: Files, tmp_path: Path
) -> None:
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    finished(provider, made.remote_id)
    (provider.home / "downloads").mkdir()
    (provider.home / "downloads" / f"{made.remote_id}.tar.zst").write_bytes(bytes(10**6))
    assert provider.fetch(made.remote_id, tmp_path / "out").path


def test_a_page_in_place_of_weights_leaves_nothing_behind(
    provider: TogetherProvider, mock: TogetherMock, files: Files, tmp_path: Path
) -> None:
    made = provider.create(make_spec(), MODEL, files, tag=TAG)
    finished(provider, made.remote_id)
    mock.faults.add("download=html")
    with pytest.raises(BadAnswer):
        provider.fetch(made.remote_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert provider.fetch(made.remote_id, tmp_path / "out").path


def test_a_file_that_nobody_looks_at_is_not_waited_for_for_ever(
    provider: TogetherProvider, mock: TogetherMock, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mock.speed = 0.01
    monkeypatch.setattr(TogetherProvider, "validation_seconds", 0.1)
    with pytest.raises(ServerTrouble, match="has not validated"):
        provider.upload(rows, key="abc")
