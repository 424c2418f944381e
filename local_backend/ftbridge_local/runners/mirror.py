"""What this machine keeps of jobs that run elsewhere: what was asked for, and the parts that were brought here.

jobs/TAG/spec.json, uploads.json      written before the job is begun: the engine is asked about such a tag
jobs/TAG/model/, adapter/             links to the folders of this machine that were sent with it
jobs/TAG/result/, checkpoints/…       once they were asked for, with status.json and events.jsonl
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ftbridge.files import make_folder, whole_folder, write
from ftbridge.foreign.names import plain_name
from ftbridge_local.job_documents import SPEC, UPLOADS
from ftbridge_local.job_folder import ADAPTER, MODEL, JobFolder

LASTING = (SPEC, UPLOADS)
"""Files that never change once they are written."""


class Mirror:
    """The mirrors of the jobs of one host, below the folder `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, tag: str) -> JobFolder:
        """The mirror of a job's folder, which may not exist yet."""
        return JobFolder(self.path / "jobs" / plain_name(tag))

    def has(self, tag: str) -> bool:
        """Whether the job was begun from here, or may have been."""
        return self.folder(tag).path.exists()

    @contextmanager
    def prepared(self, tag: str, prepare: Callable[[JobFolder], None]) -> Iterator[Path]:
        """A folder with everything that the job needs but its state, to be sent; it is gone when the block ends."""
        make_folder(self.path)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=self.path) as folder:
            prepare(JobFolder(Path(folder)))
            for name in LASTING:
                self.remember(tag, name, (Path(folder) / name).read_bytes())
            for part in (MODEL, ADAPTER):
                if (Path(folder) / part).is_dir():
                    self.take(tag, part, partial(_copy_links, Path(folder) / part))
            yield Path(folder)

    def read(self, tag: str, name: str) -> bytes:
        """A lasting file; empty where it is not here."""
        file = self.folder(tag).path / name
        return file.read_bytes() if name in LASTING and file.exists() else b""

    def remember(self, tag: str, name: str, content: bytes) -> None:
        """Keep a lasting file."""
        folder = self.folder(tag).path
        make_folder(folder)
        write(folder / name, content)

    def take(self, tag: str, part: str, fill: Callable[[Path], None]) -> None:
        """Put the folder `part` of the job in place, whole: `fill` writes what is in it."""
        target = self.folder(tag).path / part
        make_folder(target.parent)
        with whole_folder(target) as temporary:
            fill(temporary)

    def drop(self, tag: str, part: str) -> None:
        """Remove a part that was brought here."""
        shutil.rmtree(self.folder(tag).path / part, ignore_errors=True)


def _copy_links(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
