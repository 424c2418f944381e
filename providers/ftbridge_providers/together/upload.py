"""Files at Together, which are uploaded once, and validated before a job can use them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import InvalidRequest, ServerTrouble
from ftbridge_providers.together.client import NAME, require

if TYPE_CHECKING:
    from together import Together


def find_or_upload(client: Together, file: Path, name: str) -> str:
    """The id of the file with this name and size at Together; it is uploaded unless it exists."""
    size = file.stat().st_size
    for known in require(client.files.list(), field="data").data:
        if known.filename == name and known.bytes == size:
            return str(known.id)
    # the SDK takes the file's name from the path
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / name
        named.symlink_to(file.absolute())
        answer = client.files.upload(named, purpose="fine-tune", check=False)
    return str(require(answer).id)


def is_accepted(file: Any) -> bool:
    """Whether Together has accepted the file. Raises `InvalidRequest` with Together's reason if it refuses the file."""
    if file.processing_status == "FAILED":
        raise ServerTrouble(
            f"together could not validate file {file.id}", provider=NAME, hint="Delete it there and try again."
        )
    if file.processing_status == "INVALID_FORMAT":
        report = file.validation_report
        raise InvalidRequest(
            f"together refuses the file: {report.error if report else 'it gives no reason'}",
            provider=NAME,
            code="INVALID_FORMAT",
            hint="Correct what it names; no job was created.",
        )
    return file.processing_status in (None, "COMPLETED")  # old files have no such field
