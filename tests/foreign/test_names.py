"""A name from outside is never more than a name: what it is written as stays in its folder."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from ftbridge.errors import JobNotFound
from ftbridge.foreign.names import first_repeated, member_parts, plain_name
from ftbridge.jobs.recovery.importing import as_job, tag_of
from ftbridge.mock.store import Store
from ftbridge.model import Result, Status
from ftbridge.provider import Listed, RemoteJob
from ftbridge.provider.connection import Connection
from ftbridge.provider.importing import field_meanings, read_files
from ftbridge_local.job_folder import JobFolder
from ftbridge_local.provider import LocalProvider
from ftbridge_providers.openai.adapter import OpenAIProvider


@given(st.text() | st.text(min_size=150, max_size=400))
@example("\ud800")
@example("x" * 500)
def test_any_name_is_one_part_of_a_path(name: str) -> None:
    plain = plain_name(name)
    assert plain not in ("", ".", "..")
    assert not set(plain) & set('/\\:\0"<>|?*\n')
    assert not plain.startswith(".")
    assert len(plain.encode()) <= 255 - len(".jsonl")
    assert plain_name(plain) == plain


@given(st.text(), st.text())
def test_different_names_stay_different(one: str, other: str) -> None:
    assert (plain_name(one) == plain_name(other)) == (one == other)


@pytest.mark.parametrize("name", ["CON", "nul", "aux.txt", "Com1", "LPT¹.log", "prn .txt", "conin$"])
def test_no_name_is_that_of_a_device(name: str) -> None:
    assert plain_name(name) == f"_{name}-{plain_name(name)[-8:]}"


@pytest.mark.parametrize("sign", ["\u202e", "\u200b", "\x9b", "\x85", "\ud83d", "\ufeff", "\u2028"])
def test_no_name_has_a_character_that_nobody_sees(sign: str) -> None:
    assert plain_name(f"a{sign}b").isprintable()
    with pytest.raises(ValueError, match="a character that names of files cannot have"):
        member_parts(f"a{sign}b")


@given(st.text() | st.from_regex(r"[./\\\\a]{0,20}", fullmatch=True))
@example("a/./b")
@example("a//b")
def test_a_members_name_stays_in_its_folder_or_is_refused(name: str) -> None:
    with suppress(ValueError):
        parts = member_parts(name)
        assert not {"", ".", ".."} & set(parts)
        assert not any(set(part) & set('/\\:\0"<>|?*') for part in parts)
        assert os.path.normpath("/".join(parts) or ".") == ("/".join(parts) or ".")


@pytest.mark.parametrize("names", [("a", "A"), ("e\u0301", "\u00e9"), ("ss", "\u00df"), ("K", "\u212a")])
def test_names_that_some_system_takes_for_one_are_found(names: tuple[str, str]) -> None:
    assert first_repeated(("x", *names, "y")) == names[1]
    assert first_repeated(("x", names[0], "y")) is None


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..", "", "a/b", "evil\0"])
def test_what_a_client_calls_a_document_of_a_mock_is_no_path(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "evil.json"
    outside.write_text("{}", "utf-8")
    store = Store(tmp_path / "state" / "vendor")
    assert store.get_bytes("files", name) is None
    assert not store.drop("files", name)
    store.put_bytes("files", name, b"content")
    assert store.get_bytes("files", name) == b"content"
    assert outside.read_text("utf-8") == "{}"
    [written] = (path for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert written.parent == tmp_path / "state" / "vendor" / "files"


@pytest.mark.parametrize("remote_id", ["../../evil", "/evil", "..", "", "ftb_1/../../../evil"])
def test_a_local_jobs_id_is_no_path(tmp_path: Path, remote_id: str) -> None:
    evil = JobFolder(tmp_path / "evil")
    evil.path.mkdir()
    evil.set_status(Status.SUCCEEDED)
    provider = LocalProvider(tmp_path / "home")
    with pytest.raises(JobNotFound):
        provider.cancel(remote_id)
    assert list(provider.poll([remote_id])) == []
    assert not (evil.path / "request").exists()


@pytest.mark.parametrize("name", ["My tickets!", "ftjob-1a2b", "ft-1-2", "Tafel für Müller"])
def test_an_ordinary_name_stays_as_it_is(name: str) -> None:
    assert plain_name(name) == name


def test_two_names_that_would_be_written_alike_are_two_files() -> None:
    assert len({plain_name("a/b"), plain_name("a_b"), plain_name("a\\b"), plain_name("a:b")}) == 4


def listed(**known: str) -> Listed:
    remote = RemoteJob(remote_id="ftjob-1", status=Status.RUNNING, raw_status="running")
    return Listed(remote=remote, model="m", created_at=datetime.now(UTC), **{"training_file": "file-1", **known})


def openai_at(home: Path) -> OpenAIProvider:
    return OpenAIProvider(home, Connection(base_url="http://127.0.0.1:9", api_key=SecretStr("any"), account="mock"))


def test_a_vendors_file_is_never_taken_for_one_of_this_machine(tmp_path: Path) -> None:
    here = tmp_path / "secret.jsonl"
    here.write_text("{}", "utf-8")
    job = as_job("ftb_1", "openai", openai_at(tmp_path), listed(training_file=str(here), validation_file="../x"))
    assert not job.spec.data.is_absolute()
    assert job.spec.validation
    assert len(job.spec.validation.parts) == 1


def test_a_jobs_name_which_its_results_folder_is_called_by_is_no_path(tmp_path: Path) -> None:
    job = as_job("ftb_1", "openai", openai_at(tmp_path), listed(name="../../home"))
    assert job.name
    assert len(Path(job.name).parts) == 1
    assert as_job("ftb_1", "openai", openai_at(tmp_path), listed(name="my tickets")).name == "my tickets"


@pytest.mark.parametrize("tag", ["../../ftb_1", "tickets", "ftb_1/..", "ftb_1\n"])
def test_only_ftbridges_own_tags_are_ids(tag: str) -> None:
    assert tag_of(listed(tag=tag)) is None
    assert tag_of(listed(tag="ftb_01ab")) == "ftb_01ab"


def test_result_files_stay_in_their_folder_whatever_the_vendor_calls_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = openai_at(tmp_path)
    made = RemoteJob(
        remote_id="ftjob-1", status=Status.SUCCEEDED, raw_status="succeeded", result=Result(files=("../../evil",))
    )
    monkeypatch.setattr(provider, "_get", lambda _id: None)
    monkeypatch.setattr(provider, "read", lambda _job: made)
    monkeypatch.setattr(provider, "content", lambda _file: b"step,loss\n")
    provider.fetch("ftjob-1", tmp_path / "a" / "b" / "out")
    [file] = (path for path in tmp_path.rglob("*") if path.is_file())
    assert file.parent == tmp_path / "a" / "b" / "out"


def test_files_read_back_are_private_even_where_one_was_there(tmp_path: Path) -> None:
    (tmp_path / "training.jsonl").write_text("old", "utf-8")
    (tmp_path / "training.jsonl").chmod(0o644)
    written, messages = read_files({"training": "file-1", "validation": None}, lambda _id: b"new", tmp_path)
    assert messages == []
    assert written["training"].read_bytes() == b"new"
    assert written["training"].stat().st_mode & 0o777 == 0o600


def test_the_last_place_that_tells_a_hyperparameter_has_its_word_whatever_the_order() -> None:
    paths = ["method.dpo.hyperparameters.n_epochs", "hyperparameters.n_epochs", "seed", "grader.input", "hyper.seed"]
    within = ("hyperparameters", "method.dpo.hyperparameters")
    for fields in (paths, paths[::-1]):
        assert field_meanings(fields, {"grader": "grader"}, {"epochs": "n_epochs"}, within) == {
            "method.dpo.hyperparameters.n_epochs": "epochs",
            "hyperparameters.n_epochs": "repeated",
            "seed": "seed",
            "grader.input": "grader",
        }
