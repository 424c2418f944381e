"""What a format is, and the tool with which foreign rows are taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, cast

from ftbridge.dataset.canonical.example import Shape
from ftbridge.dataset.findings import Diagnostics
from ftbridge.wording import json_kind, json_path, printable

Keys: TypeAlias = dict[str, Any]


class Format(NamedTuple):
    """A form that rows may have, and how such a row is read as a canonical one of `shape`.

    `fits` looks only at which keys there are. `translate` returns the canonical row as plain
    JSON, still to be checked; None stands for the canonical format itself. What `translate`
    cannot take over it writes into its diagnostics.
    """

    name: str
    shape: Shape
    fits: Callable[[Keys], bool]
    translate: Callable[[FieldReader], Keys] | None = None


class FieldReader:
    """An object whose keys are taken out one by one, so that what is left over can be told."""

    def __init__(self, row: Keys, diagnostics: Diagnostics, where: tuple[str | int, ...] = ()) -> None:
        self._left = dict(row)
        self._diagnostics = diagnostics
        self._where = where

    def has(self, key: str) -> bool:
        """Whether the key is there, and not null."""
        return self._left.get(key) is not None

    def text(self, *keys: str) -> str:
        """The string under the first of `keys` that is there; "" and an error where it is none."""
        return cast(str, self._take(str, "a string", keys) or "")

    def maybe(self, key: str) -> str | None:
        """The string under `key`, where there is one."""
        return self.text(key) if self.has(key) else None

    def anything(self, key: str) -> Any:
        """Whatever is under `key`; None where it is absent."""
        return self._left.pop(key, None)

    def rest(self) -> Keys:
        """All that has not been taken yet."""
        rest, self._left = self._left, {}
        return rest

    def object(self, key: str) -> FieldReader:
        """The object under `key`, to be taken apart in turn."""
        return FieldReader(
            cast(Keys, self._take(dict, "an object", (key,)) or {}), self._diagnostics, (*self._where, key)
        )

    def objects(self, *keys: str) -> list[FieldReader]:
        """The list of objects under the first of `keys` that is there."""
        key = next((known for known in keys if known in self._left), keys[0])
        items = cast("list[Any]", self._take(list, "a list", (key,)) or [])
        taken = []
        for index, item in enumerate(items):
            if isinstance(item, dict):
                taken.append(FieldReader(item, self._diagnostics, (*self._where, key, index)))
            else:
                self.refuse(f"this is {json_kind(item)}, but must be an object", "Make it an object.", key, index)
        return taken

    def refuse(self, message: str, fix: str, *below: str | int) -> None:
        """The row cannot be read, because of what is at the keys `below` this object."""
        self._diagnostics.error(json_path((*self._where, *below)), "format", message, fix)

    def done(self) -> None:
        """Say which keys have no place in the canonical format and are left out."""
        for key in self._left:
            where = json_path((*self._where, key))
            said = f"'{printable(key)}' has no place in the canonical format and is left out"
            self._diagnostics.warning(where, "key_not_read", said, "Remove it, or move what matters into the messages.")

    def _take(self, kind: type, wanted: str, keys: tuple[str, ...]) -> Any:
        key = next((known for known in keys if known in self._left), None)
        if key is None:
            self.refuse(f"the key '{keys[0]}' is missing", f"Add '{keys[0]}'.")
            return None
        value = self._left.pop(key)
        if isinstance(value, kind):
            return value
        self.refuse(f"this is {json_kind(value)}, but must be {wanted}", f"Make it {wanted}.", key)
        return None


def turn(role: str, content: Any) -> Keys:
    """A canonical message."""
    return {"role": role, "content": content}


def as_messages(value: Any, role: str) -> list[Any]:
    """A list of messages as it is, anything else as the one message of `role`."""
    return value if isinstance(value, list) else [turn(role, value)]


def plain(parts: list[Keys]) -> str | list[Keys]:
    """Parts that are all text as one string, a line each; others as they are."""
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def call(identifier: str, name: str, arguments: str) -> Keys:
    """A canonical tool call."""
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


def image(url: str) -> Keys:
    """A canonical image part."""
    return {"type": "image_url", "image_url": {"url": url}}
