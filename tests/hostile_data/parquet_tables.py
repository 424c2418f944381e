"""Hostile Parquet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any


def table(make: Callable[[Any], Any], **options: Any) -> Callable[[Path], Path]:
    """A file of what `make` builds with pyarrow."""

    def write(folder: Path) -> Path:
        import pyarrow  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an extra
        from pyarrow import parquet

        path = folder / "data.parquet"
        parquet.write_table(make(pyarrow), path, **{"compression": "zstd", **options})
        return path

    return write


def changed(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    """A small good file, changed."""

    def write(folder: Path) -> Path:
        path = table(lambda arrow: arrow.table({"prompt": ["a", "b"] * 50, "completion": ["c"] * 100}))(folder)
        path.write_bytes(change(path.read_bytes()))
        return path

    return write


def flipped(seed: int) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        chance, made = Random(seed), bytearray(data)
        for _ in range(10):
            made[chance.randrange(4, len(made) - 8)] ^= 1 << chance.randrange(8)
        return bytes(made)

    return change


def repeated(arrow: Any, text: str, rows: int) -> Any:
    """One text so many times, which is stored once."""
    indices = arrow.array([0], arrow.int8()).take(arrow.nulls(rows, arrow.int8()).fill_null(0))
    return arrow.DictionaryArray.from_arrays(indices, [text])


def deep(arrow: Any, depth: int) -> Any:
    """A table of one row of objects in each other."""
    kind: Any = arrow.string()
    value: Any = "x"
    for _ in range(depth):
        kind, value = arrow.struct([("a", kind)]), {"a": value}
    return arrow.table({"text": arrow.array([value], kind)})


def damaged_text(arrow: Any) -> Any:
    """A column of text, of which one is not UTF-8."""
    return arrow.array([b"good", b"\xff\xfe", b"good"]).view(arrow.string())


def nulls_in_a_list(arrow: Any, count: int) -> Any:
    inner = arrow.StructArray.from_arrays([arrow.nulls(count, arrow.string())], ["role"])
    return arrow.ListArray.from_arrays(arrow.array([0, count], arrow.int32()), inner)


CASES: dict[str, Callable[[Path], Path | str]] = {
    "20 million rows in a few bytes": table(lambda a: a.table({"text": repeated(a, "hello", 20_000_000)})),
    "300,000 rows in a few bytes": table(lambda a: a.table({"text": repeated(a, "hello", 300_000)})),
    "20,000 times the same text of 1 MB": table(lambda a: a.table({"text": repeated(a, "x" * 1_000_000, 20_000)})),
    "500 times the same text of 1 MB": table(lambda a: a.table({"text": repeated(a, "x" * 1_000_000, 500)})),
    "one text of 100 MB": table(lambda a: a.table({"text": ["x" * 100_000_000]}), use_dictionary=False),
    "one text of 31 MB": table(lambda a: a.table({"text": ["x" * 31_000_000]}), use_dictionary=False),
    "20 texts of 1 MB in a chat": table(
        lambda a: a.table({"messages": [[{"role": "user", "content": "x" * 1_000_000}] * 20] * 3})
    ),
    "a list of three million nulls": table(lambda a: a.table({"messages": nulls_in_a_list(a, 3_000_000)})),
    "a list of 400,000 nulls": table(lambda a: a.table({"messages": nulls_in_a_list(a, 400_000)})),
    **{f"objects {depth} deep": table(partial(deep, depth=depth)) for depth in (60, 200)},
    "20,000 columns": table(lambda a: a.table({f"c{n}": ["x"] for n in range(20_000)})),
    "5,000 columns": table(lambda a: a.table({f"c{n}": ["x"] for n in range(5_000)})),
    "300 columns of a thousand nulls": table(lambda a: a.table({f"c{n}": a.nulls(1000) for n in range(300)})),
    "a thousand row groups": table(lambda a: a.table({"text": ["x"] * 1000}), row_group_size=1),
    "one row group of 40 MB": table(
        lambda a: a.table({"text": [f"{Random(n).getrandbits(8000):x}" for n in range(20_000)]}), compression="none"
    ),
    "text that is not UTF-8": table(lambda a: a.table({"text": damaged_text(a)})),
    "text that is not UTF-8 in a chat": table(
        lambda a: a.table(
            {
                "messages": a.ListArray.from_arrays(
                    [0, 3], a.StructArray.from_arrays([damaged_text(a), damaged_text(a)], ["role", "content"])
                )
            }
        )
    ),
    "dates after the year 9999": table(lambda a: a.table({"text": ["x"], "on": a.array([2**30], a.date32())})),
    "dates before the year 1": table(lambda a: a.table({"text": ["x"], "on": a.array([-(2**30)], a.date32())})),
    "times out of range": table(lambda a: a.table({"text": ["x"], "at": a.array([2**62], a.timestamp("us"))})),
    "times between microseconds": table(
        lambda a: a.table({"text": ["x"], "at": a.array([2**62 + 1], a.timestamp("ns"))})
    ),
    "times in no known zone": table(
        lambda a: a.table({"text": ["x"], "at": a.array([0], a.timestamp("us", tz="Mars/Crater"))})
    ),
    "a duration out of range": table(lambda a: a.table({"text": ["x"], "for": a.array([2**62], a.duration("s"))})),
    "text as a date": table(lambda a: a.table({"text": a.array([1], a.date32())})),
    "text as bytes": table(lambda a: a.table({"text": [b"\xff\x00"]})),
    "text as decimals": table(lambda a: a.table({"text": a.array([1], a.decimal128(38, 10))})),
    "messages as a map": table(
        lambda a: a.table({"messages": a.array([[("role", "user"), ("role", "x")]], a.map_(a.string(), a.string()))})
    ),
    "messages as a map of numbers": table(
        lambda a: a.table({"messages": a.array([[(1, "user")]], a.map_(a.int64(), a.string()))})
    ),
    "a reference of odd values": table(
        lambda a: a.table(
            {
                "messages": [[{"role": "user", "content": "x"}]],
                "reference": [{"nan": float("nan"), "bytes": b"\xff", "none": None, "list": [[[]]]}],
            }
        )
    ),
    "no rows": table(lambda a: a.table({"text": a.array([], a.string())})),
    "no columns": table(lambda a: a.table({})),
    "two columns of one name": table(lambda a: a.Table.from_arrays([a.array(["x"]), a.array(["y"])], ["text", "text"])),
    "an empty file": changed(lambda _: b""),
    "four bytes": changed(lambda data: data[:4]),
    "no footer": changed(lambda data: data[:-8]),
    "a footer of 4 GB": changed(lambda data: data[:-8] + b"\xff\xff\xff\xff" + data[-4:]),
    "a footer of zeros": changed(lambda data: data[:-600] + bytes(592) + data[-8:]),
    "half of its pages": changed(lambda data: data[:60] + data[len(data) // 3 :]),
    **{f"wrong bits, {seed}": changed(flipped(seed)) for seed in range(12)},
}
