"""A result is written whole, into a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from ftbridge.errors import InputError, NetworkError
from ftbridge.files import write
from ftbridge.jobs.fetching import fetch_whole
from ftbridge.model import Job, Result, Spec, Status, now
from scripted_provider import ScriptedProvider


class Giving(ScriptedProvider):
    """A provider whose results are a file named after the job, below a folder."""

    breaks: ClassVar[bool] = False

    def fetch(self, remote_id: str, folder: Path) -> Result:
        (folder / "weights").mkdir()
        (folder / "weights" / f"{remote_id}.bin").write_bytes(b"w")
        if self.breaks:
            raise NetworkError("the connection broke")
        return Result(model=str(folder / "weights"), path=folder / "weights")


class Breaking(Giving):
    breaks = True


def job(name: str) -> Job:
    spec = Spec(target="scripted:small", data=Path("rows.jsonl"))
    return Job(
        id=f"ftb_{name}",
        name=None,
        target=spec.target,
        status=Status.SUCCEEDED,
        remote_id=name,
        created_at=now(),
        spec=spec,
    )


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_result_is_a_folder_that_tells_its_job(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    result = fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    assert result == Result(model=str(out / "weights"), path=out / "weights")
    assert files(out) == {"weights/one.bin", "ftbridge.json"}
    assert '"ftb_one"' in (out / "ftbridge.json").read_text("utf-8")


def test_the_same_result_may_be_fetched_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    (out / "weights" / "one.bin").unlink()
    for _time in range(2):
        fetch_whole(job("one"), Giving(tmp_path).fetch, out)
        assert (out / "weights" / "one.bin").read_bytes() == b"w"


@pytest.mark.parametrize("edit", ["longer", "e", ""], ids=["longer", "of the same size", "empty"])
def test_a_file_that_was_edited_is_not_overwritten_and_is_named(tmp_path: Path, edit: str) -> None:
    out = tmp_path / "out"
    fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    (out / "weights" / "one.bin").write_text(edit, "utf-8")
    with pytest.raises(InputError, match=r"weights/one\.bin was changed after it was fetched") as problem:
        fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    assert "Move it" in problem.value.hint
    assert (out / "weights" / "one.bin").read_text("utf-8") == edit


def test_a_file_that_was_edited_during_the_download_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    giving = Giving(tmp_path)
    fetch_whole(job("one"), giving.fetch, out)

    def slow(remote_id: str, folder: Path) -> Result:
        (out / "weights" / "one.bin").write_text("edited", "utf-8")
        return giving.fetch(remote_id, folder)

    with pytest.raises(InputError, match="was changed"):
        fetch_whole(job("one"), slow, out)
    assert (out / "weights" / "one.bin").read_text("utf-8") == "edited"


def add_link(out: Path) -> Path:
    (out / "latest").symlink_to("elsewhere")
    return out / "latest"


def add_link_to_folder(out: Path) -> Path:
    (out / "data").symlink_to("/usr")
    return out / "data"


def add_empty_folder(out: Path) -> Path:
    (out / "notes" / "today").mkdir(parents=True)
    return out / "notes" / "today"


def add_link_as_result(out: Path) -> Path:
    (out.parent / "mine").write_bytes(b"w")
    (out / "weights" / "one.bin").unlink()
    (out / "weights" / "one.bin").symlink_to(out.parent / "mine")
    return out / "weights" / "one.bin"


def add_own_origin(out: Path) -> Path:
    (out / "ftbridge.json").write_text('{"mine": 1}', "utf-8")
    return out / "ftbridge.json"


@pytest.mark.parametrize("add", [add_link, add_link_to_folder, add_empty_folder, add_link_as_result, add_own_origin])
def test_what_the_user_put_there_stays(tmp_path: Path, add: Callable[[Path], Path]) -> None:
    out = tmp_path / "out"
    fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    added = add(out)
    with pytest.raises(InputError):
        fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    assert added.is_symlink() or added.exists()


def test_an_empty_folder_of_the_result_does_not_stop_the_next_fetch(tmp_path: Path) -> None:
    def fetch(_remote_id: str, folder: Path) -> Result:
        (folder / "empty" / "empty").mkdir(parents=True)
        (folder / "file").touch()
        return Result(path=folder)

    for _time in range(2):
        fetch_whole(job("one"), fetch, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"file", "ftbridge.json"}


def test_a_link_to_a_folder_stays_and_the_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to("disk")
    result = fetch_whole(job("one"), Giving(tmp_path).fetch, tmp_path / "out")
    assert result.path == tmp_path / "out" / "weights"
    assert (tmp_path / "out").is_symlink()
    assert files(tmp_path / "disk") == {"weights/one.bin", "ftbridge.json"}


def test_a_link_to_a_file_is_no_place_for_a_result(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "out").symlink_to("file")
    with pytest.raises(InputError, match="is a file"):
        fetch_whole(job("one"), Giving(tmp_path).fetch, tmp_path / "out")


@pytest.mark.parametrize("where", [".", "..", "/"])
def test_the_working_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    with pytest.raises(InputError, match="is the working folder or contains it") as problem:
        fetch_whole(job("one"), Giving(tmp_path).fetch, Path(where).absolute())
    assert "such as result" in problem.value.hint
    assert list((tmp_path / "a").iterdir()) == [tmp_path / "a" / "b"]


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077], ids=oct)
def test_a_result_has_the_modes_that_the_user_wants(tmp_path: Path, umask: int) -> None:
    def fetch(_remote_id: str, folder: Path) -> Result:
        write(folder / "file", b"private")
        (folder / "folder").mkdir(0o700)
        (folder / "folder" / "program").touch(0o777)
        return Result(path=folder)

    before = os.umask(umask)
    try:
        fetch_whole(job("one"), fetch, tmp_path / "deep" / "out")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "deep").rglob("*")}
    for name in ("file", "program", "ftbridge.json"):
        assert modes[name] == 0o666 & ~umask
    for name in ("out", "folder"):
        assert modes[name] == 0o777 & ~umask
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o777 & ~umask


def test_another_jobs_result_is_not_mixed_in(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    with pytest.raises(InputError, match="holds the result of job ftb_one") as problem:
        fetch_whole(job("two"), Giving(tmp_path).fetch, out)
    assert "new or empty" in problem.value.hint
    assert files(out) == {"weights/one.bin", "ftbridge.json"}


def test_a_result_in_one_form_does_not_take_the_place_of_another(tmp_path: Path) -> None:
    out = tmp_path / "out"
    give = Giving(tmp_path).fetch
    fetch_whole(job("one"), give, out, "merged")
    fetch_whole(job("one"), give, out, "merged")
    with pytest.raises(InputError, match="holds the same job's result as merged"):
        fetch_whole(job("one"), give, out, "gguf")
    with pytest.raises(InputError, match="holds the same job's result as merged"):
        fetch_whole(job("one"), give, out)
    fetch_whole(job("one"), give, tmp_path / "fetched")
    with pytest.raises(InputError, match="as it was fetched"):
        fetch_whole(job("one"), give, tmp_path / "fetched", "adapter")
    assert files(out) == files(tmp_path / "fetched") == {"weights/one.bin", "ftbridge.json"}


def test_the_users_own_files_are_never_replaced_and_are_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    (out / "diagnostics.txt").write_text("mine", "utf-8")
    with pytest.raises(InputError, match=r"do not belong to this result, for example diagnostics\.txt"):
        fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    assert (out / "diagnostics.txt").read_text("utf-8") == "mine"


def test_a_fetch_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NetworkError):
        fetch_whole(job("one"), Breaking(tmp_path).fetch, tmp_path / "place" / "out")
    assert list((tmp_path / "place").iterdir()) == []


def test_a_file_is_no_place_for_a_result(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("a file", "utf-8")
    with pytest.raises(InputError, match="is a file, and the result is a folder"):
        fetch_whole(job("one"), Giving(tmp_path).fetch, out)
