"""A folder's files as a tar stream, and back.

The stream ends with a mark, so that one that was cut off is never taken for the whole. What comes from another machine
stays in the folder that it is put in, and is its owner's alone.
"""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import IO

from ftbridge.files import make_folder, open_private
from ftbridge.foreign.names import is_pickle, member_parts

_END = "complete"  # no file of a job folder has this name


def send(folder: Path, stream: IO[bytes]) -> None:
    """Write all files below the folder, and what links lead to, with their contents alone; no pickles.

    Those are the states of checkpoints, from which only the machine that wrote them goes on.
    """
    with tarfile.open(fileobj=stream, mode="w|", dereference=True) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not is_pickle(path.name):
                with path.open("rb") as content:
                    member = tarfile.TarInfo(path.relative_to(folder).as_posix())
                    member.size = content.seek(0, 2)
                    content.seek(0)
                    tar.addfile(member, content)
        tar.addfile(tarfile.TarInfo(_END))


def receive(stream: IO[bytes], folder: Path) -> None:
    """Write what a stream holds into the folder. Raises `ValueError` where it is cut off, or no such stream."""
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                if member.name == _END:
                    return
                content = tar.extractfile(member) if member.isfile() else None
                if content is None:
                    raise ValueError(f"{member.name} is no file")
                path = folder.joinpath(*member_parts(member.name))
                make_folder(path.parent)
                with open_private(path, "wb") as file:
                    shutil.copyfileobj(content, file)
    except (tarfile.TarError, EOFError) as problem:
        raise ValueError(f"it cannot be read: {problem}") from problem
    raise ValueError("it is cut off")
