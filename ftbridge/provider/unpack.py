"""Unpacking weights from the network, without trusting the archive.

Only regular files and folders below the target are unpacked, under names that every system takes: no absolute ones,
no `..`, no two that differ in case alone; no links, no devices, no more than a hundred times the archive's size, no
headers that fill the memory, and no weights that run code when they are loaded. An archive that contains anything
else is refused as a whole.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from ftbridge.errors import BadAnswer, InputError, MissingExtra
from ftbridge.files import make_folder
from ftbridge.foreign.names import first_repeated, is_pickle, member_parts
from ftbridge.wording import printable

EXPANSION = 100
"""How many times its compressed size an archive may take; safetensors hardly compress at all."""
ALWAYS_ALLOWED = 4 * 2**20
"""Bytes that even the smallest archive may take: a tar is padded with zeros, which compress to nothing."""
MEMBERS = 10_000
MEMBER_BYTES = 128 * 2**30
HEADER_BYTES = 128 * 2**10
"""Bytes between the contents of two members: tarfile reads a long name, or a pax header, whole."""


def unpack(archive: Path, folder: Path, *, provider: str) -> None:
    """Put the files of a `.tar`, `.tar.gz` or `.tar.zst` into `folder`: all of them, or none.

    Raises `BadAnswer` for an archive that is broken or unsafe, `InputError`
    for a folder that cannot be written, and `MissingExtra` for zstandard without the package of that name.
    """
    draft: Path | None = None
    try:
        make_folder(folder.parent)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        with closing(_Measured(_opened(archive), archive.stat().st_size)) as unpacked:
            _extract(unpacked, draft)
        _move(draft, folder)
    except (_Refused, tarfile.TarError, FileExistsError, NotADirectoryError, ValueError, OverflowError) as problem:
        raise BadAnswer(
            f"the archive {archive.name} from {provider} was not unpacked: {problem}",
            provider=provider,
            hint="Nothing was written. Fetch it again, or report it to the provider.",
        ) from None
    except OSError as problem:
        raise InputError(
            f"{folder} cannot be written: {problem}", hint="Name another folder, or free some space."
        ) from None
    finally:
        if draft:
            shutil.rmtree(draft, ignore_errors=True)


class _Refused(Exception):  # noqa: N818 - it becomes the sentence of an error
    """Why an archive is not unpacked."""


class _Measured:
    """A stream of decompressed bytes that is refused when there are too many of them."""

    def __init__(self, stream: Any, compressed: int) -> None:
        self._stream = stream
        self.left = max(compressed * EXPANSION, ALWAYS_ALLOWED)
        self._left_here = HEADER_BYTES
        self.close = stream.close

    def allow(self, size: int) -> None:
        """From here on, `size` bytes and those of a header may be read, until this is called again."""
        self._left_here = size + HEADER_BYTES

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except Exception as problem:  # each compression has errors of its own
            raise _Refused(f"it cannot be unpacked: {problem}") from problem
        self.left -= len(data)
        self._left_here -= len(data)
        if self._left_here < 0:
            raise _Refused(f"it has a header of more than {HEADER_BYTES // 2**10} KiB")
        if self.left < 0:
            raise _Refused(f"it unpacks to more than {EXPANSION} times its size")
        return data


def _opened(archive: Path) -> Any:
    """The archive decompressed, by the format that its first bytes show."""
    with archive.open("rb") as content:
        start = content.read(4)
    if start[:2] == b"\x1f\x8b":
        return gzip.open(archive)
    if start != b"\x28\xb5\x2f\xfd":
        return archive.open("rb")
    try:
        import zstandard
    except ImportError:
        raise MissingExtra(
            "unpacking .tar.zst needs the package zstandard", hint="Install it with: pip install 'ftbridge[zst]'"
        ) from None
    return zstandard.open(archive, "rb")


def _extract(unpacked: _Measured, draft: Path) -> None:
    files: list[str] = []
    with tarfile.open(fileobj=unpacked, mode="r|") as tar:  # type: ignore[call-overload]  # it is only read
        for number, member in enumerate(tar, start=1):
            if number > MEMBERS:
                raise _Refused(f"it has more than {MEMBERS} members")
            parts = _parts(member)
            path = draft.joinpath(*parts)
            if member.isdir():
                unpacked.allow(0)
                path.mkdir(parents=True, exist_ok=True)
            else:
                unpacked.allow(member.size)
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(tar, member, path)
                files.append("/".join(parts))
    if not files:
        raise _Refused("there is no file in it")
    if again := first_repeated(files):
        raise _Refused(f"some systems take its member {printable(again)} for another one, whose name is alike")
    unpacked.allow(unpacked.left)
    while unpacked.read(2**20):  # the checksum comes last
        pass


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    content = tar.extractfile(member)
    assert content is not None  # only links and devices have none, and these are refused
    with path.open("xb") as out:
        shutil.copyfileobj(content, out)


def safe_name(name: str, *, provider: str) -> str:
    """The last part of the name of a file of weights, if that may be written. Raises `BadAnswer` where it may not."""
    last = name.replace("\\", "/").rpartition("/")[2]
    try:
        [last] = member_parts(last) or [""]
        fault = "" if last else "it is empty"
    except ValueError as problem:
        fault = str(problem)
    if is_pickle(last):
        fault = "it is a pickle, which runs code when it is loaded"
    if not fault:
        return last
    raise BadAnswer(
        f"weights from {provider} were refused: {printable(name)} is not used as the name of a file, because {fault}",
        provider=provider,
        hint="Nothing was written. If you trust them, download them with the provider's own tools.",
    )


def _parts(member: tarfile.TarInfo) -> tuple[str, ...]:
    """The folders and the file in the member's name, if it may be unpacked."""
    name = printable(member.name)
    try:
        parts = member_parts(member.name)
    except ValueError as problem:
        raise _Refused(f"the name of its member {name} is not used, because {problem}") from None
    if not (member.isdir() or (member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse())):
        raise _Refused(f"its member {name} is neither a plain file nor a folder")
    if not member.isdir() and not parts:
        raise _Refused("one of its members has no name")
    if member.size < 0:
        raise _Refused(f"its member {name} is smaller than nothing")
    if member.size > MEMBER_BYTES:
        raise _Refused(f"its member {name} is larger than {MEMBER_BYTES // 2**30} GiB")
    if is_pickle(member.name) and not member.isdir():
        raise _Refused(f"its member {name} is a pickle, which runs code when it is loaded")
    return parts


def _move(draft: Path, folder: Path) -> None:
    """A new folder appears whole; in an existing folder, files are replaced one by one."""
    if not folder.exists():
        draft.rename(folder)
        return
    for file in [file for file in draft.rglob("*") if file.is_file()]:
        path = folder / file.relative_to(draft)
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)
