"""What a format is, and how rows of other formats are read field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, cast

from ftbridge.dataset.canonical.example import Shape
from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import json_kind, json_path, printable

JsonObject: TypeAlias = dict[str, Any]


class Format(NamedTuple):
    """A form that rows may have, and how such a row is read as a canonical one of `shape`.

    `fits` considers only which keys there are. `translate` returns the canonical row as plain
    JSON, still to be checked; None stands for the canonical format itself. What `translate`
    cannot translate it reports to the reader's diagnostics.
    """

    name: str
    shape: Shape
    fits: Callable[[JsonObject], bool]
    translate: Callable[[FieldReader], JsonObject] | None = None


class FieldReader:
    """Reads an object key by key, so that the keys that were not read can be reported."""

    def __init__(self, row: JsonObject, diagnostics: Diagnostics, path: tuple[str | int, ...] = ()) -> None:
        self._unread = dict(row)
        self._diagnostics = diagnostics
        self._path = path

    def has(self, key: str) -> bool:
        """Whether the key is there, and not null."""
        return self._unread.get(key) is not None

    def text(self, *keys: str) -> str:
        """The string under the first of `keys` that is there; "" and an error where it is not a string."""
        return cast(str, self._typed(str, "a string", keys) or "")

    def optional_text(self, key: str) -> str | None:
        """The string under `key`, if any."""
        return self.text(key) if self.has(key) else None

    def take(self, key: str) -> Any:
        """The value under `key`, of any type; None where it is absent."""
        return self._unread.pop(key, None)

    def take_rest(self) -> JsonObject:
        """All keys that have not been read yet."""
        rest, self._unread = self._unread, {}
        return rest

    def object(self, key: str) -> FieldReader:
        """A reader of the object under `key`."""
        return FieldReader(
            cast(JsonObject, self._typed(dict, "an object", (key,)) or {}), self._diagnostics, (*self._path, key)
        )

    def objects(self, *keys: str) -> list[FieldReader]:
        """Readers of the objects in the list under the first of `keys` that is there."""
        key = next((known for known in keys if known in self._unread), keys[0])
        items = cast("list[Any]", self._typed(list, "a list", (key,)) or [])
        readers = []
        for index, item in enumerate(items):
            if isinstance(item, dict):
                readers.append(FieldReader(item, self._diagnostics, (*self._path, key, index)))
            else:
                self.refuse(f"this is {json_kind(item)}, but must be an object", "Make it an object.", key, index)
        return readers

    def refuse(self, message: str, fix: str, *below: str | int) -> None:
        """The row cannot be read, because of what is at the keys `below` this object."""
        self._diagnostics.error(json_path((*self._path, *below)), "format", message, fix)

    def warn_of_unread(self) -> None:
        """Warn of the keys that the canonical format does not have, and that are left out."""
        for key in self._unread:
            path = json_path((*self._path, key))
            message = f"'{printable(key)}' has no equivalent in the canonical format and is left out"
            self._diagnostics.warning(
                path, "key_not_read", message, "Remove it, or move what matters into the messages."
            )

    def _typed(self, kind: type, expected: str, keys: tuple[str, ...]) -> Any:
        key = next((known for known in keys if known in self._unread), None)
        if key is None:
            self.refuse(f"the key '{keys[0]}' is missing", f"Add '{keys[0]}'.")
            return None
        value = self._unread.pop(key)
        if isinstance(value, kind):
            return value
        self.refuse(f"this is {json_kind(value)}, but must be {expected}", f"Make it {expected}.", key)
        return None


def message(role: str, content: Any) -> JsonObject:
    """A canonical message."""
    return {"role": role, "content": content}


def as_messages(value: Any, role: str) -> list[Any]:
    """A list of messages as it is, anything else as the one message of `role`."""
    return value if isinstance(value, list) else [message(role, value)]


def join_text(parts: list[JsonObject]) -> str | list[JsonObject]:
    """Parts that are all text as one string, a line each; other parts as they are."""
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def tool_call(identifier: str, name: str, arguments: str) -> JsonObject:
    """A canonical tool call."""
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def image_part(url: str) -> JsonObject:
    """A canonical image part."""
    return {"type": "image_url", "image_url": {"url": url}}
