"""What ftbridge keeps is its owner's alone, whatever the umask; what is made for the user is as open as its source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.dataset import convert, prepare
from ftbridge.home import find_home
from ftbridge.jobs.exactly_once.claims import claim
from ftbridge.model import Method
from ftbridge.plugins import SPEED
from ftbridge_providers.openai.format import OpenAIFormat

TARGETS = [
    "mock+openai:gpt-4.1-mini-2025-04-14",
    "mock+together:meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
    "mock+nebius:meta-llama/Llama-3.1-8B-Instruct",
]


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o777


def open_to_others(folder: Path) -> list[str]:
    """What somebody else may use of a folder and everything in it."""
    return [f"{mode(path):o} {path.relative_to(folder)}" for path in [folder, *folder.rglob("*")] if mode(path) & 0o077]


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.usefixtures("umask")
def test_a_home_is_its_owners_alone(
    home: Path, tmp_path: Path, data: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPEED, "100000")
    with Bridge() as bridge:
        job = bridge.submit(data, to=target)
        assert open_to_others(home) == []
        assert [path.name for path in home.glob("prepared/*")]
        bridge.wait(job, timeout=60)
        bridge.fetch(job, tmp_path / "out")
        assert open_to_others(home) == []
    assert open_to_others(tmp_path / "ftbridge") == []  # which requests were sent


def test_a_result_is_as_open_as_the_user_wants(
    tmp_path: Path, data: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPEED, "100000")
    with Bridge() as bridge:
        job = bridge.wait(bridge.submit(data, to=TARGETS[1]), timeout=60)
        bridge.fetch(job, tmp_path / "out")
    out = tmp_path / "out"
    assert {mode(path) for path in out.rglob("*") if path.is_file()} == {0o666 & ~umask}
    assert {mode(path) for path in (out, *out.rglob("*")) if path.is_dir()} == {0o777 & ~umask}


def test_a_home_that_is_too_open_is_closed(home: Path) -> None:
    with Bridge() as bridge:
        bridge.jobs()
    for path in (home, *home.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    (home / "link").symlink_to("/etc/passwd")
    (home / "program").touch(0o777)
    (home / "program").chmod(0o777)
    with Bridge():
        pass
    assert open_to_others(home) == ["777 link"]
    assert mode(home) == 0o700
    assert mode(home / "program") == 0o700


def test_a_folder_becomes_a_home_that_is_closed_and_what_was_in_it_keeps_its_mode(home: Path) -> None:
    home.mkdir()
    (home / "theirs").touch()
    (home / "theirs").chmod(0o644)
    home.chmod(0o755)
    for _time in range(2):
        with Bridge():
            assert mode(home) == 0o700
    assert mode(home / "theirs") == 0o644


def test_a_folder_that_others_use_keeps_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    find_home(shared)
    login = tmp_path / "login"
    login.mkdir()
    login.chmod(0o755)
    monkeypatch.setenv("HOME", str(login))
    find_home(login)
    assert [mode(shared), mode(login)] == [0o777, 0o755]
    with Bridge(login) as bridge:  # and what is written there is private all the same
        bridge.jobs()
    assert open_to_others(login)[1:] == []
    assert (login / "ledger.sqlite").exists()


@pytest.mark.parametrize("source", [0o600, 0o640, 0o644, 0o666], ids=oct)
def test_a_copy_of_data_is_never_more_open_than_its_source(tmp_path: Path, data: Path, umask: int, source: int) -> None:
    data.chmod(source)
    out = tmp_path / "out"
    prepare(data, out)
    convert(data, OpenAIFormat("openai:gpt-4.1", "gpt-4.1", Method.SFT), out / "openai.jsonl")
    assert len(files := [path for path in out.rglob("*") if path.is_file()]) > 2
    assert {mode(path) for path in files} == {source & ~umask}


def test_a_private_conversion_is_its_owners_alone(tmp_path: Path, data: Path) -> None:
    data.chmod(0o666)
    converter = OpenAIFormat("openai:gpt-4.1", "gpt-4.1", Method.SFT)
    assert mode(convert(data, converter, tmp_path / "openai.jsonl", private=True).out) == 0o600


def test_a_request_is_not_claimed_through_a_link_that_somebody_else_may_have_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "old").touch()
    os.utime(mine / "old", (0, 0))
    (tmp_path / "runtime").mkdir()
    (tmp_path / "runtime" / "ftbridge").symlink_to(mine)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    assert claim("ftb_1", 1)
    assert [path.name for path in mine.iterdir()] == ["old"]


def test_the_folder_of_claims_is_closed(tmp_path: Path) -> None:
    (tmp_path / "ftbridge").mkdir()
    (tmp_path / "ftbridge").chmod(0o777)
    assert claim("ftb_1", 1)
    assert not claim("ftb_1", 1)
    assert open_to_others(tmp_path / "ftbridge") == []
