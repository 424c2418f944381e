"""The store of a mocked vendor's jobs and files: documents in a folder, each written atomically."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from ftbridge.files import make_folder, open_private
from ftbridge.foreign.names import plain_name

T = TypeVar("T")


class Store:
    """Documents by kind and id, which later processes read as well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, kind: str, name: str, document: msgspec.Struct) -> None:
        """Store a document, in place of an earlier one."""
        self.put_bytes(kind, f"{name}.json", msgspec.json.encode(document))

    def get(self, kind: str, name: str, of: type[T]) -> T | None:
        """The document of that name, or `None`."""
        data = self.get_bytes(kind, f"{name}.json")
        return msgspec.json.decode(data, type=of) if data is not None else None

    def all(self, kind: str, of: type[T]) -> Iterator[T]:
        """Every document of a kind, by name; those that another version stored in another form are left out."""
        for file in sorted((self.folder / kind).glob("*.json")):
            with suppress(msgspec.MsgspecError):
                yield msgspec.json.decode(file.read_bytes(), type=of)

    def put_bytes(self, kind: str, name: str, data: bytes) -> None:
        """Store bytes."""
        folder = self.folder / kind
        make_folder(folder)
        draft = folder / f".{secrets.token_hex(8)}"
        with open_private(draft, "xb") as out:
            out.write(data)
        draft.replace(folder / plain_name(name))

    def get_bytes(self, kind: str, name: str) -> bytes | None:
        """The bytes of that name, or `None`."""
        file = self.folder / kind / plain_name(name)
        return file.read_bytes() if file.is_file() else None

    def drop(self, kind: str, name: str) -> bool:
        """Delete a document; returns whether there was one."""
        return self.drop_bytes(kind, f"{name}.json")

    def drop_bytes(self, kind: str, name: str) -> bool:
        """Delete the bytes of that name; returns whether there were any."""
        file = self.folder / kind / plain_name(name)
        existed = file.is_file()
        file.unlink(missing_ok=True)
        return existed
