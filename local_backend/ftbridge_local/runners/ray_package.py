"""What is sent to Ray: a job folder, and the trainer, each as a zip that is named by its content."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from ftbridge.errors import InvalidRequest
from ftbridge_local.runners.ship import trainer

_LARGEST = 500 * 2**20
"""Bytes of a package; Ray takes less than 512 MiB, its limit of a message (ray_constants, 2.60)."""


def trainer_package() -> tuple[str, IO[bytes]]:
    """The name and the content."""
    name, content = trainer()
    return _name(name), io.BytesIO(content)


@contextmanager
def job_package(folder: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The name and the content, without links. Raises `InvalidRequest` where it is too large."""
    with tempfile.TemporaryFile() as content:
        with ZipFile(content, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                member = ZipInfo(file.relative_to(folder).as_posix())
                member.compress_type = ZIP_DEFLATED
                with file.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
                    while chunk := source.read(2**20):
                        target.write(chunk)
                        _check_size(content.tell())
        content.seek(0)
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        yield _name(digest), content


def is_too_large(folder: Path) -> bool:
    """Whether what is in the folder may not fit into a package."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) > _LARGEST


def _check_size(size: int) -> None:
    if size > _LARGEST:
        raise InvalidRequest(
            "the data and the model are larger than the 512 MiB that Ray takes as a package",
            provider="ray",
            status=413,
            hint="Name a model at the hub, which the node downloads; or set `folder` in [runners.NAME] to a folder that"
            " this machine and all nodes see.",
        )


def _name(digest: str) -> str:
    return f"_ray_pkg_{digest}.zip"
