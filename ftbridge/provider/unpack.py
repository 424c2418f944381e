"""Unpacking weights from the network, without trusting the archive.

Only regular files and folders below the target are unpacked: no absolute names, no `..`, no links, no devices, no
more than a hundred times the archive's size, and no weights that run code when they are loaded. An archive that
contains anything else is refused as a whole.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any

from ftbridge.errors import BadAnswer, InputError, MissingExtra

EXPANSION = 100
"""How many times its compressed size an archive may take; safetensors hardly compress at all."""
ALWAYS_ALLOWED = 4 * 2**20
"""Bytes that even the smallest archive may take: a tar is padded with zeros, which compress to nothing."""
MEMBERS = 10_000
MEMBER_BYTES = 128 * 2**30
PICKLES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})
"""Suffixes of weights that run code when torch loads them."""


def unpack(archive: Path, folder: Path, *, provider: str) -> None:
    """Put the files of a `.tar`, `.tar.gz` or `.tar.zst` into `folder`: all of them, or none.

    Raises `BadAnswer` for an archive that is broken or unsafe, `InputError`
    for a folder that cannot be written, and `MissingExtra` for zstandard without the package of that name.
    """
    draft: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        with closing(_Measured(_opened(archive), archive.stat().st_size)) as unpacked:
            _extract(unpacked, draft)
        _move(draft, folder)
    except (_Refused, tarfile.TarError, FileExistsError, NotADirectoryError, ValueError) as problem:
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
        self._left = max(compressed * EXPANSION, ALWAYS_ALLOWED)
        self.close = stream.close

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except Exception as problem:  # each compression has errors of its own
            raise _Refused(f"it cannot be unpacked: {problem}") from problem
        self._left -= len(data)
        if self._left < 0:
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


def _extract(unpacked: Any, draft: Path) -> None:
    with tarfile.open(fileobj=unpacked, mode="r|") as tar:
        for number, member in enumerate(tar, start=1):
            if number > MEMBERS:
                raise _Refused(f"it has more than {MEMBERS} members")
            path = draft / _safe(member)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None  # only links and devices have none, and these are refused
            with path.open("xb") as out:
                shutil.copyfileobj(content, out)
    while unpacked.read(2**20):  # the checksum comes last
        pass


def safe_name(name: str, *, provider: str) -> str:
    """The last part of the name of a file of weights, if that may be written. Raises `BadAnswer` where it may not."""
    last = PurePosixPath(name.replace("\\", "/")).name
    if last in ("", ".."):
        raise _bad(provider, f"{name!r} is not the name of a file")
    if PurePosixPath(last).suffix.lower() in PICKLES:
        raise _bad(provider, f"{name!r} is a pickle, which runs code when it is loaded")
    return last


def _bad(provider: str, why: str) -> BadAnswer:
    return BadAnswer(
        f"weights from {provider} were refused: {why}",
        provider=provider,
        hint="Nothing was written. If you trust them, download them with the provider's own tools.",
    )


def _safe(member: tarfile.TarInfo) -> PurePosixPath:
    """The member's name, if it may be unpacked."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise _Refused(f"its member {member.name!r} points out of the folder")
    if not (member.isdir() or (member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse())):
        raise _Refused(f"its member {member.name!r} is neither a plain file nor a folder")
    if member.size > MEMBER_BYTES:
        raise _Refused(f"its member {member.name!r} is larger than {MEMBER_BYTES // 2**30} GiB")
    if name.suffix.lower() in PICKLES and not member.isdir():
        raise _Refused(f"its member {member.name!r} is a pickle, which runs code when it is loaded")
    return name


def _move(draft: Path, folder: Path) -> None:
    """A new folder appears whole; in an existing folder, files are replaced one by one."""
    if not folder.exists():
        draft.chmod(0o755)  # a temporary folder is its owner's alone
        draft.rename(folder)
        return
    for file in [file for file in draft.rglob("*") if file.is_file()]:
        path = folder / file.relative_to(draft)
        path.parent.mkdir(parents=True, exist_ok=True)
        file.replace(path)
