"""The trainer as one zip: this version of ftbridge, without what only people read, and with its name and version."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PACKAGES = ("ftbridge", "ftbridge_local")


@cache
def trainer() -> tuple[str, bytes]:
    """The name, which says what is in it, and the zip."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, data in _members():
            archive.writestr(ZipInfo(name), data, ZIP_DEFLATED)
    digest = hashlib.sha256(content.getvalue()).hexdigest()[:16]
    return f"trainer-{digest}", content.getvalue()


def _members() -> Iterator[tuple[str, bytes]]:
    for package in PACKAGES:
        spec = find_spec(package)
        assert spec
        assert spec.origin
        folder = Path(spec.origin).parent
        for file in sorted(folder.rglob("*.py")):
            yield f"{package}/{file.relative_to(folder).as_posix()}", file.read_bytes()
    try:
        number = version("ftbridge")
    except PackageNotFoundError:  # run from its source
        number = "0"
    metadata = f"Metadata-Version: 2.1\nName: ftbridge\nVersion: {number}\n"
    yield f"ftbridge-{number}.dist-info/METADATA", metadata.encode()
