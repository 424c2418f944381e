"""What a format is, and how rows of other formats are read field by field."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

from ftbridge.dataset.canonical.example import Shape
from ftbridge.dataset.canonical.without_meaning import UNUSED, without_meaning
from ftbridge.dataset.findings import LEFT_OUT, Diagnostics
from ftbridge.wording import json_kind, json_path, printable

JsonObject: TypeAlias = dict[str, Any]

_SHOWN = 8  # names of keys


class Selection(Protocol):
    """Reads the rows of one file, and decides from those before which of them become examples."""

    def translate(self, row: FieldReader) -> JsonObject | None:
        """The canonical row that is complete with this one, if any."""

    def end(self, diagnostics: Diagnostics) -> None:
        """Tell, after the last row, what was left out."""


class Format(NamedTuple):
    """A form that rows may have, and how such a row is read as a canonical one of `shape`.

    `fits` considers only which keys there are. `translate` returns the canonical row as plain
    JSON, still to be checked. What it cannot translate it reports to the reader's diagnostics.
    `select` makes what reads a file whose rows depend on each other. A format with neither is the
    canonical one.
    """

    name: str
    shape: Shape
    fits: Callable[[JsonObject], bool]
    translate: Callable[[FieldReader], JsonObject] | None = None
    select: Callable[[], Selection] | None = None

    @property
    def canonical(self) -> bool:
        """Whether its rows are the canonical ones."""
        return self.translate is None and self.select is None


class FieldReader:
    """Reads an object key by key, so that the keys that were not read can be reported. A key that is null is absent."""

    def __init__(self, row: JsonObject, diagnostics: Diagnostics, path: tuple[str | int, ...] = ()) -> None:
        self._unread = without_nulls(row)
        self._diagnostics = diagnostics
        self._path = path

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._unread

    def has_any(self, keys: frozenset[str]) -> bool:
        """Whether one of the keys is there."""
        return not keys.isdisjoint(self._unread)

    def peek(self, key: str) -> Any:
        """The value under `key`, which stays to be read; None where it is absent."""
        return self._unread.get(key)

    def text(self, *keys: str) -> str:
        """The string under the first of `keys` that is there; "" and an error where it is not a string."""
        return cast(str, self._typed(str, "a string", keys) or "")

    def optional_text(self, *keys: str) -> str | None:
        """The string under the first of `keys` that is there, if any."""
        for key in keys:
            if key in self._unread:
                return self.text(key)
        return None

    def take(self, key: str) -> Any:
        """The value under `key`, of any type; None where it is absent."""
        return self._unread.pop(key, None)

    def rest(self) -> JsonObject:
        """All keys that have not been read yet, which stay to be read."""
        return dict(self._unread)

    def rename(self, names: Mapping[str, str]) -> None:
        """Read the keys that have one of the `names` under the other one."""
        for name, other in names.items():
            if name in self._unread and other not in self._unread:
                self._unread[other] = self._unread.pop(name)

    def take_rest(self) -> JsonObject:
        """All keys that have not been read yet."""
        rest, self._unread = self._unread, {}
        return rest

    def object(self, key: str) -> FieldReader:
        """A reader of the object under `key`."""
        return FieldReader(
            cast(JsonObject, self._typed(dict, "an object", (key,)) or {}), self._diagnostics, (*self._path, key)
        )

    def below(self, value: JsonObject, *keys: str | int) -> FieldReader:
        """A reader of `value`, an object that was taken from those keys."""
        return FieldReader(value, self._diagnostics, (*self._path, *keys))

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

    def warn(self, code: str, message: str, fix: str, *below: str | int) -> None:
        """The row can be read, but its owner should know of what is at the keys `below` this object."""
        self._diagnostics.warning(json_path((*self._path, *below)), code, message, fix)

    def leave_out(self, *below: str | int, why: str = "means nothing for training") -> None:
        """Warn that what is at the keys `below` this object is left out, and why; it is counted."""
        path = json_path((*self._path, *below))
        if not self._diagnostics.left_out_again(path):
            message = f"'{printable(below[-1])}' {why} and is left out"
            self._diagnostics.warning(path, LEFT_OUT, message, "Move what matters into the messages.")

    def leave_out_meaningless(self) -> None:
        """Leave out the unread keys that mean nothing for training."""
        for key in without_meaning(self._unread):
            del self._unread[key]
            self.leave_out(key)

    def finish(self) -> None:
        """Refuse what has not been read yet, but for the keys that mean nothing for training: these are left out."""
        if not self._unread:
            return
        self.leave_out_meaningless()
        if keys := list(map(printable, self._unread)):
            named, more = ", ".join(f"'{key}'" for key in keys[:_SHOWN]), f" and {len(keys) - _SHOWN:,} more"
            mean = "mean" if len(keys) > 1 else "means"
            message = f"no rule says what {named}{more * (len(keys) > _SHOWN)} {mean} for training"
            path = json_path((*self._path, *self._unread)) if len(keys) == 1 else json_path(self._path)
            self._diagnostics.error(path, "unknown_key", message, self._without(keys))

    def _without(self, keys: list[str]) -> str:
        if self._path:
            return "Remove it where it means nothing, or move what matters into the text."
        options = " ".join(f"--map {shlex.quote(f'{key}={UNUSED}')}" for key in keys[:_SHOWN])
        return f"To train without it: {options}. Otherwise move what matters into the messages."

    def _typed(self, kind: type, expected: str, keys: tuple[str, ...]) -> Any:
        for key in keys:
            value = self._unread.pop(key, None)
            if isinstance(value, kind):
                return value
            if value is not None:
                break
        else:
            self.refuse(f"the key '{keys[0]}' is missing", f"Add '{keys[0]}'.")
            return None
        self.refuse(f"this is {json_kind(value)}, but must be {expected}", f"Make it {expected}.", key)
        return None


def without_nulls(row: JsonObject) -> JsonObject:
    """The keys of `row` that have a value."""
    return {key: value for key, value in row.items() if value is not None}


def has_keys(*keys: str) -> Callable[[JsonObject], bool]:
    """Whether a row has a value under each of `keys`."""
    return lambda row: all(row.get(key) is not None for key in keys)


def message(role: str, content: Any) -> JsonObject:
    """A canonical message."""
    return {"role": role, "content": content}


def tool_message(identifier: str, content: Any) -> JsonObject:
    """A canonical message with the result of a call."""
    return {"role": "tool", "tool_call_id": identifier, "content": content}


def text_part(text: str) -> JsonObject:
    """A canonical text part."""
    return {"type": "text", "text": text}


def image_part(url: str, detail: str | None = None) -> JsonObject:
    """A canonical image part."""
    return {"type": "image_url", "image_url": {"url": url} | ({"detail": detail} if detail else {})}


def as_content(parts: list[JsonObject]) -> str | list[JsonObject]:
    """One text as a string, other parts as they are."""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def tool_call(identifier: str, name: str, arguments: str) -> JsonObject:
    """A canonical tool call."""
    return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
