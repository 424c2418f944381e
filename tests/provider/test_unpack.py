"""Archives that mean harm give nothing; those that do not give whole folders."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge.errors import BadAnswer, FtbridgeError
from ftbridge.foreign.names import PICKLES
from ftbridge.provider import unpack as unpacking
from ftbridge.provider.unpack import safe_name, unpack

zstandard = pytest.importorskip("zstandard")


def member(name: str, content: bytes = b"x", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content) if not fields else 0
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def with_checksum(whole: bytes) -> bytes:
    squeezed: bytes = zstandard.ZstdCompressor(write_checksum=True).compress(whole)
    return squeezed


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "adapter.tar.zst"


GOOD = packed(member("adapter/adapter_config.json", b"{}"), member("adapter/adapter_model.safetensors", b"weights"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["tar", "tar.gz", "tar.zst"])
def test_a_good_archive_becomes_a_folder(archive: Path, tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    archive.write_bytes(pack(GOOD))
    unpack(archive, tmp_path / "out", provider="acme")
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").read_bytes() == b"weights"
    assert sorted(file.name for file in tmp_path.iterdir() if file.name.startswith(".")) == []


def test_a_folder_that_is_there_keeps_what_the_archive_does_not_have(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diagnostics.txt").write_text("mine")
    archive.write_bytes(zstandard.compress(GOOD))
    for _time in range(2):
        unpack(archive, tmp_path / "out", provider="acme")
    assert (tmp_path / "out" / "diagnostics.txt").read_text() == "mine"
    assert (tmp_path / "out" / "adapter" / "adapter_config.json").read_text() == "{}"


HARMFUL = {
    "a name that climbs out": member("adapter/../../evil"),
    "an absolute name": member("/etc/evil"),
    "a name that climbs out on Windows": member("..\\evil"),
    "a symbolic link": member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": member("link", type=tarfile.LNKTYPE, linkname="adapter/adapter_config.json"),
    "a pipe": member("pipe", type=tarfile.FIFOTYPE),
    "a device": member("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "a disk": member("disk", type=tarfile.BLKTYPE, devmajor=8, devminor=0),
    "a link below a good folder": member("adapter/link", type=tarfile.SYMTYPE, linkname="../../.."),
    "a sparse file": member("sparse", type=tarfile.GNUTYPE_SPARSE),
    "weights that run code": member("pytorch_model.bin", b"weights"),
    "weights that run code, in capitals": member("optimizer.PT", b"weights"),
    **{f"weights that run code, as {suffix}": member(f"w{suffix}") for suffix in sorted(PICKLES)},
    "a file twice": member("adapter/adapter_config.json", b"other"),
}


@pytest.mark.parametrize("what", HARMFUL)
def test_an_archive_with_one_harmful_member_gives_nothing(archive: Path, tmp_path: Path, what: str) -> None:
    whole = packed(member("adapter/adapter_config.json", b"{}"), HARMFUL[what])
    archive.write_bytes(zstandard.compress(whole))
    with pytest.raises(BadAnswer) as problem:
        unpack(archive, tmp_path / "out", provider="acme")
    assert problem.value.hint
    assert list(tmp_path.rglob("*")) == [archive, *tmp_path.glob("home"), *tmp_path.glob("work")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["tar.gz", "tar.zst"])
@pytest.mark.parametrize("members", [1, 32], ids=["in one file", "in many"])
def test_a_bomb_is_stopped_while_it_unpacks(
    archive: Path, tmp_path: Path, pack: Callable[[bytes], bytes], members: int
) -> None:
    zeros = [member(f"zeros-{number}.safetensors", bytes(32 * 2**20 // members)) for number in range(members)]
    archive.write_bytes(pack(packed(*zeros)))
    with pytest.raises(BadAnswer, match="100 times its size"):
        unpack(archive, tmp_path / "out", provider="acme")


def test_members_are_counted_and_measured(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.write_bytes(GOOD)
    monkeypatch.setattr(unpacking, "MEMBER_BYTES", 6)
    with pytest.raises(BadAnswer, match="larger than"):
        unpack(archive, tmp_path / "out", provider="acme")
    monkeypatch.setattr(unpacking, "MEMBERS", 1)
    with pytest.raises(BadAnswer, match="more than 1 members"):
        unpack(archive, tmp_path / "out", provider="acme")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress], ids=["tar", "tar.gz", "tar.zst"])
def test_an_archive_that_is_cut_short_gives_nothing(
    archive: Path, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    whole = pack(packed(member("adapter_model.safetensors", bytes(range(256)) * 200)))
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadAnswer):
        unpack(archive, tmp_path / "out", provider="acme")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pack", [gzip.compress, with_checksum], ids=["tar.gz", "tar.zst"])
def test_an_archive_with_a_bit_turned_over_gives_nothing(
    archive: Path, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    whole = bytearray(pack(packed(member("adapter_model.safetensors", bytes(range(256)) * 200))))
    whole[len(whole) // 2] ^= 0xFF
    archive.write_bytes(whole)
    with pytest.raises(BadAnswer):
        unpack(archive, tmp_path / "out", provider="acme")


def test_a_folder_that_cannot_be_written_is_said(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(GOOD)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FtbridgeError) as problem:
        unpack(archive, tmp_path / "file" / "out", provider="acme")
    assert problem.value.hint


def test_what_is_no_archive_gives_nothing(archive: Path, tmp_path: Path) -> None:
    archive.write_bytes(b"<html>Sign in</html>")
    with pytest.raises(BadAnswer):
        unpack(archive, tmp_path / "out", provider="acme")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("adapter_model.safetensors", "adapter_model.safetensors"),
        ("job/3/adapter_config.json", "adapter_config.json"),
        ("..\\..\\evil.json", "evil.json"),
        ("/etc/passwd", "passwd"),
    ],
)
def test_a_file_by_itself_is_known_by_the_last_part_of_its_name(name: str, kept: str) -> None:
    assert safe_name(name, provider="acme") == kept


@pytest.mark.parametrize("name", ["", "/", "a/..", "optimizer.pt", "A.BIN", "x/training_args.bin"])
def test_a_file_by_itself_that_is_a_pickle_or_nameless_is_refused(name: str) -> None:
    with pytest.raises(BadAnswer) as problem:
        safe_name(name, provider="acme")
    assert problem.value.hint
