"""A result is written whole, into a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from ftbridge.errors import InputError, NetworkError
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
    (out / "weights" / "one.bin").write_bytes(b"broken")
    fetch_whole(job("one"), Giving(tmp_path).fetch, out)
    assert (out / "weights" / "one.bin").read_bytes() == b"w"


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
