"""How large a Parquet file becomes once it is read: a few bytes of it can stand for gigabytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ftbridge.dataset.reading.compressed import HARMLESS, MOST_TIMES
from ftbridge.dataset.reading.lines import MAX_VALUES
from ftbridge.errors import InputError, MissingExtra
from ftbridge.wording import counted, printable

_BUFFER = 2**16
_FOOTER = 16 * 2**20
_MOST_COLUMNS = 10_000
_MOST_VALUES = 20  # for each byte of the file: with fewer, each row has something of its own
_PAGES = 32 * 2**20  # bytes of one column that may be one page, which is in memory as a whole
_BATCH_ROWS, _BATCH_SIZE = 500, 16 * 2**20


def open_parquet(path: Path) -> tuple[Any, Any]:
    """The schema of a file, and the file: its texts stay in dictionaries, so that a repeated one is in memory once.

    Raises `MissingExtra` without pyarrow, `InputError` for a file that is too large a list of columns.
    """
    try:
        import pyarrow.parquet as parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]  # an extra
    except ImportError:
        raise MissingExtra(
            "reading Parquet needs the package pyarrow",
            hint="pip install 'ftbridge[parquet]', or export to JSON Lines.",
        ) from None
    _check_footer(path)
    options: dict[str, Any] = {"pre_buffer": False, "buffer_size": _BUFFER}
    with parquet.ParquetFile(path, **options) as file:
        columns = map(file.metadata.schema.column, range(file.metadata.num_columns))
        texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
        schema = file.schema_arrow
    return schema, parquet.ParquetFile(path, read_dictionary=texts, **options)


def check_metadata(path: Path, metadata: Any) -> None:
    """Raises `InputError` where the file says that it becomes far larger than it is."""
    if metadata.num_columns > _MOST_COLUMNS:
        message = f"{printable(str(path), 200)} has {counted(metadata.num_columns, 'column')}"
        raise InputError(message, hint="Keep the columns that hold the examples.")
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    chunks = [group.column(index) for group in groups for index in range(metadata.num_columns)]
    values = max(metadata.num_rows, sum(chunk.num_values for chunk in chunks))
    size = path.stat().st_size
    if values > MAX_VALUES and values > _MOST_VALUES * size:
        raise _swollen(path, counted(values, "value"))
    for chunk in chunks:
        if chunk.total_uncompressed_size > max(_PAGES, MOST_TIMES * chunk.total_compressed_size):
            raise _swollen(path, f"{chunk.total_uncompressed_size:,} bytes in one column")


def refuse_swollen(path: Path, decoded: int) -> None:
    """Raises `InputError` where `decoded` bytes of text came from a far smaller file."""
    if decoded > HARMLESS and decoded > MOST_TIMES * path.stat().st_size:
        raise _swollen(path, f"more than {decoded:,} bytes of text")


def rows_at_once(group: Any) -> int:
    """How many rows of a row group are held at once, by what the group says of itself."""
    rows, columns = max(1, group.num_rows), map(group.column, range(group.num_columns))
    values = max((column.num_values for column in columns), default=1)
    by_size: int = _BATCH_SIZE * rows // max(1, group.total_byte_size)
    by_values: int = MAX_VALUES * rows // max(1, values)
    return max(1, min(_BATCH_ROWS, by_size, by_values))


def weight(batch: Any) -> tuple[int, int]:
    """How many values some rows have, and how many bytes their texts take, each as often as it is repeated."""
    import pyarrow as arrow
    import pyarrow.compute as compute  # type: ignore[import-not-found,import-untyped,unused-ignore]  # likewise

    values = size = 0
    left = list(batch.columns)
    while left:
        column = left.pop()
        kind = column.type
        values += len(column)
        if isinstance(kind, arrow.BaseExtensionType):
            left.append(column.storage)
        elif arrow.types.is_dictionary(kind):
            lengths = compute.binary_length(column.dictionary)
            size += compute.sum(lengths.take(column.indices)).as_py() or 0
        elif arrow.types.is_struct(kind):
            left += column.flatten()
        elif arrow.types.is_map(kind) or arrow.types.is_nested(kind):
            left.append(column.flatten())
        elif arrow.types.is_binary(kind) or arrow.types.is_string(kind):
            size += compute.sum(compute.binary_length(column)).as_py() or 0
    return values, size


def _check_footer(path: Path) -> None:
    """Raises `InputError` where the description of the columns, which is read as a whole, is too long."""
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        length = int.from_bytes(file.read(4), "little")
    if min(length, end) > _FOOTER:
        message = f"{printable(str(path), 200)} has a description of {length:,} bytes, which is too long to be read"
        raise InputError(message, hint="Write it with fewer columns, or larger row groups.")


def _swollen(path: Path, what: str) -> InputError:
    message = (
        f"{printable(str(path), 200)} has {path.stat().st_size:,} bytes, and becomes {what}, as no real dataset does"
    )
    return InputError(message, hint="If it is one, export it to JSON Lines.")
