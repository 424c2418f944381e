"""Hostile archives: each is refused with a sentence, quickly, in little memory, and nothing is written anywhere."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from ftbridge.errors import BadAnswer
from ftbridge.provider.unpack import unpack

NAMES = {
    "absolute": "/etc/evil",
    "absolute, with two slashes": "//etc/evil",
    "upwards": "../evil",
    "upwards, later": "a/../../evil",
    "upwards, and down again": "../out/evil",
    "upwards, at the end": "a/..",
    "upwards, behind a dot": "./../evil",
    "backslashes": "..\\evil",
    "a drive": "C:\\evil",
    "a drive, with a slash": "C:/evil",
    "a share": "\\\\server\\share\\evil",
    "a stream of NTFS": "config.json:evil",
    "a line end": "config\n.json",
    "a carriage return": "config.json\r",
    "an escape sequence": "\x1b[2Jconfig.json",
    "a C1 control": "\x9b2Jconfig.json",
    "a delete": "config\x7f.json",
    "text right to left": "config\u202enosj.exe",
    "an isolate": "\u2066config.json",
    "no width": "con\u200bfig.json",
    "a soft hyphen": "con\u00adfig.json",
    "a byte-order mark": "\ufeffconfig.json",
    "a line separator": "config\u2028.json",
    "a tag": "config\U000e0041.json",
    "not assigned": "config\u0378.json",
    "private use": "config\ue000.json",
    "a wildcard": "*.json",
    "a question mark": "config?.json",
    "a pipe": "config|json",
    "quotes": 'config".json',
    "angle brackets": "<config>.json",
    "a space at the end": "config.json ",
    "a dot at the end": "config.json.",
    "three dots": "...",
    "only spaces": "   ",
    "a device": "CON",
    "a device, small": "nul",
    "a device, with a suffix": "aux.json",
    "a device, below": "a/COM1/config.json",
    "a device, with a small figure": "LPT¹",
    "a device, with a space": "prn .txt",
    "too long": "x" * 300,
    "too long in bytes": "ü" * 120,
    "too deep": "a/" * 20 + "config.json",
    "far too deep": "a/" * 3000 + "config.json",
    "a pickle": "adapter_model.bin",
    "a pickle, in capitals": "ADAPTER_MODEL.BIN",
    "a pickle, below": "a/b/optimizer.pt",
    "a pickle, disguised": "training_args.bin. ",
    "a joblib": "model.joblib",
}


def tar_of(*names: str, **fields: object) -> bytes:
    """An archive with a member of each name, whose last one has these fields."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            if name == names[-1]:
                for field, value in fields.items():
                    setattr(info, field, value)
            info.size = 0 if fields else 1
            tar.addfile(info, io.BytesIO(b"x"))
    return out.getvalue()


def header(kind: bytes, size: int, name: bytes = b"config.json") -> bytes:
    """One header by itself, whose size need not be true."""
    info = tarfile.TarInfo(name.decode())
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(record: bytes) -> bytes:
    """A member behind a pax header with that record."""
    line = b"%03d " % (len(record) + 5) + record + b"\n"
    return header(tarfile.XHDTYPE, len(line)) + line.ljust(512, b"\0") + header(tarfile.REGTYPE, 0) + bytes(1024)


ARCHIVES: dict[str, bytes] = {
    "a symbolic link": tar_of("config.json", "link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a symbolic link upwards": tar_of("a/link", type=tarfile.SYMTYPE, linkname="../../.."),
    "a file below a symbolic link": tar_of("link", "link/evil", type=tarfile.SYMTYPE, linkname="/tmp"),
    "a hard link": tar_of("config.json", "link", type=tarfile.LNKTYPE, linkname="config.json"),
    "a hard link outside": tar_of("link", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "a pipe": tar_of("pipe", type=tarfile.FIFOTYPE),
    "a terminal": tar_of("tty", type=tarfile.CHRTYPE, devmajor=5, devminor=0),
    "a disk": tar_of("disk", type=tarfile.BLKTYPE, devmajor=8, devminor=0),
    "a type that nobody knows": tar_of("what", type=b"Z"),
    "a contiguous file": tar_of("file", type=tarfile.CONTTYPE),
    "a sparse file": tar_of("sparse", type=tarfile.GNUTYPE_SPARSE),
    "a sparse file by pax": pax(b"GNU.sparse.size=99999999999"),
    "a sparse map": pax(b"GNU.sparse.map=0,1,99999999999,1"),
    "a name by pax that leads out": pax(b"path=../../evil"),
    "a name by pax that is absolute": pax(b"path=/etc/evil"),
    "a name by pax that is no UTF-8": pax(b"path=\xff\xfe"),
    "a name by pax with a NUL": pax(b"path=config.json\0.bin"),
    "a size by pax that is negative": pax(b"size=-1"),
    "a size by pax that is not there": pax(b"size=5000000"),
    "a file twice": tar_of("config.json", "config.json"),
    "a file twice, in capitals": tar_of("config.json", "Config.JSON"),
    "a file twice, composed otherwise": tar_of("\u00e9.json", "e\u0301.json"),
    "a file twice, with a sharp s": tar_of("stra\u00dfe.json", "STRASSE.json"),
    "a file twice, behind a dot": tar_of("config.json", "./config.json"),
    "a file that is a folder": tar_of("config.json", "config.json/a"),
    "a folder that is a file": tar_of("a/config.json", "a"),
    "more than it holds": header(tarfile.REGTYPE, 10**9),
    "less than nothing": header(tarfile.REGTYPE, -(10**6)),
    "a folder with contents": header(tarfile.DIRTYPE, 3 * 2**20) + bytes(3 * 2**20),
    "a long name": header(tarfile.GNUTYPE_LONGNAME, 2**20) + b"x" * 2**20 + header(tarfile.REGTYPE, 0) + bytes(1024),
    "a long name that never comes": header(tarfile.GNUTYPE_LONGNAME, 10**9),
    "a thousand long names": (header(tarfile.GNUTYPE_LONGNAME, 1) + bytes(512)) * 1000,
    "a thousand pax headers": (header(tarfile.XHDTYPE, 8) + b"8 a=bcd\n".ljust(512, b"\0")) * 1000,
    "a global pax header": header(tarfile.XGLTYPE, 2**20) + b"x" * 2**20 + bytes(1024),
    "a false checksum": b"config.json".ljust(512, b"\0") + bytes(1024),
    "nothing but zeros": bytes(10240),
    "a zip": b"PK\x03\x04" + bytes(600),
    "a page": b"<html>Sign in</html>",
    "nothing": b"",
}


@pytest.fixture
def room(tmp_path: Path) -> Path:
    folder = tmp_path / "room"
    folder.mkdir()
    return folder


@pytest.fixture
def in_little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 50 * 2**20


def refused(room: Path, archive: bytes) -> None:
    file = room / "adapter.tar"
    file.write_bytes(archive)
    started = time.monotonic()
    with pytest.raises(BadAnswer) as problem:
        unpack(file, room / "out", provider="acme")
    assert time.monotonic() - started < 10
    assert problem.value.hint
    assert problem.value.message.isprintable()
    assert len(problem.value.message) < 400
    assert [*room.rglob("*")] == [file]
    assert not (room.parent / "evil").exists()


@pytest.mark.usefixtures("in_little_memory")
@pytest.mark.parametrize("what", NAMES)
def test_a_name_that_some_system_does_not_take_is_refused(room: Path, what: str) -> None:
    refused(room, tar_of("config.json", NAMES[what]))


@pytest.mark.usefixtures("in_little_memory")
@pytest.mark.parametrize("what", ARCHIVES)
def test_what_is_no_folder_of_plain_files_is_refused(room: Path, what: str) -> None:
    refused(room, ARCHIVES[what])


@pytest.mark.parametrize("name", ["config.json", ".gitattributes", "a/b/tokenizer.model", "Ærø 日本.json", "bin"])
def test_ordinary_names_are_unpacked(room: Path, name: str) -> None:
    (room / "adapter.tar").write_bytes(tar_of(name))
    unpack(room / "adapter.tar", room / "out", provider="acme")
    assert (room / "out" / name).read_bytes() == b"x"


ZEROS = 160 * 2**20
BOMBS: dict[str, bytes] = {
    "a pax header": header(tarfile.XHDTYPE, ZEROS),
    "a global pax header": header(tarfile.XGLTYPE, ZEROS),
    "a long name": header(tarfile.GNUTYPE_LONGNAME, ZEROS),
    "a long link": header(tarfile.GNUTYPE_LONGLINK, ZEROS),
    "a folder": header(tarfile.DIRTYPE, ZEROS),
    "a file": header(tarfile.REGTYPE, ZEROS),
    "no member": b"",
}
CHILD = """
import sys
from pathlib import Path
from ftbridge.errors import BadAnswer
from ftbridge.provider.unpack import unpack
try:
    unpack(Path(sys.argv[1]), Path(sys.argv[2]), provider="acme")
except BadAnswer as problem:
    status = Path("/proc/self/status").read_text("utf-8")  # ru_maxrss counts the parent's memory too
    print(int(status.partition("VmHWM:")[2].split()[0]) // 1024, problem.message)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that says how much memory was used")
@pytest.mark.parametrize("pack", [partial(gzip.compress, compresslevel=1), "zstd"], ids=["gzip", "zstd"])
@pytest.mark.parametrize("what", BOMBS)
def test_a_bomb_fills_neither_memory_nor_disk(room: Path, what: str, pack: Callable[[bytes], bytes] | str) -> None:
    if isinstance(pack, str):
        pack = pytest.importorskip("zstandard").compress
    assert callable(pack)
    file = room / "adapter.tar"
    file.write_bytes(pack(BOMBS[what] + bytes(ZEROS)))
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(file), str(room / "out")],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    megabytes, _, message = done.stdout.partition(" ")
    assert int(megabytes) < 120
    assert "was not unpacked" in message
    assert [*room.rglob("*")] == [file]
