"""What is written is there whole or not at all, whatever was there before."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ftbridge.files import make_folder, whole_folder


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.fixture(params=["at once", "aside"])
def swap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file system's own exchange of names, and once more as if it had none."""
    if request.param == "aside":
        monkeypatch.setattr("ftbridge.files._swap", lambda _one, _other: errno.EINVAL)


@pytest.mark.usefixtures("swap")
def test_a_folder_takes_the_place_of_the_one_before_and_nothing_else_stays(place: Path) -> None:
    for name in ("first", "second"):
        with whole_folder(place / "result") as beside:
            (beside / name).mkdir()
            (beside / name / "weights").write_text(name)
    assert names(place) == ["result", "result/second", "result/second/weights"]


def test_a_folder_takes_the_place_of_an_empty_one(place: Path) -> None:
    (place / "result").mkdir()
    with whole_folder(place / "result") as beside:
        (beside / "weights").touch()
    assert names(place) == ["result", "result/weights"]


def test_a_folder_stays_as_it_was_where_the_new_one_is_not_made(place: Path) -> None:
    with whole_folder(place / "result") as beside:
        (beside / "old").touch()
    with pytest.raises(FileNotFoundError), whole_folder(place / "result") as beside:
        (place / "no such weights").rename(beside / "new")
    assert names(place) == ["result", "result/old"]


def test_a_folder_that_cannot_be_replaced_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with whole_folder(place / "result") as beside:
        (beside / "old").touch()
    monkeypatch.setattr("ftbridge.files._swap", lambda _one, _other: errno.EACCES)
    with pytest.raises(PermissionError, match="result"), whole_folder(place / "result") as beside:
        (beside / "new").touch()
    assert names(place) == ["result", "result/old"]


def test_every_folder_that_is_new_has_its_name_on_the_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("ftbridge.files.to_disk", synced.append)
    make_folder(place / "a" / "b")
    assert sorted(synced) == [place, place / "a"]
    make_folder(place / "a" / "b")
    assert len(synced) == 2


STEPS = """
import os, signal, sys
from pathlib import Path
from ftbridge import files

root, step, exchanges = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "at once"
if not exchanges:
    files._swap = lambda _one, _other: 95

def killed_before(module, name):
    function = getattr(module, name)
    def killing(*given, **named):
        global step
        if step == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        step -= 1
        return function(*given, **named)
    setattr(module, name, killing)

for module, name in [(os, "rename"), (os, "mkdir"), (os, "fsync"), (os, "unlink"), (os, "rmdir"), (files, "_swap")]:
    killed_before(module, name)
with files.whole_folder(root / "result") as beside:
    for name in ("a", "b"):
        (beside / name).write_text("new")
"""


@pytest.mark.parametrize("how", ["at once", "aside"])
def test_a_folder_is_the_old_one_or_the_new_one_wherever_it_is_killed(place: Path, how: str) -> None:
    """Without an exchange of names in the system, the old one has another name for a moment, and is never lost."""
    killed = 0
    for step in range(40):
        root = place / str(step)
        (root / "result").mkdir(parents=True)
        for name in ("a", "b"):
            (root / "result" / name).write_text("old")
        done = subprocess.run([sys.executable, "-c", STEPS, str(root), str(step), how], check=False)
        folders = [folder for folder in (root / "result", *root.glob(".old-*")) if folder.exists()]
        whole = [{file.name: file.read_text() for file in folder.iterdir()} for folder in folders]
        assert whole[:1] in ([dict.fromkeys("ab", "old")], [dict.fromkeys("ab", "new")])
        assert how == "aside" or folders == [root / "result"]
        killed += done.returncode == -signal.SIGKILL
        if done.returncode == 0:
            break
    assert killed > 8
    assert names(root) == ["result", "result/a", "result/b"]
