"""Reading what an earlier or a newer ftbridge has stored: leniently, where what is typed is read strictly.

Fields that this version does not know are kept, and written again with the rest. A value that it does not know is
replaced by the field's default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ftbridge.model import Event, Status, now

Model = TypeVar("Model", bound=BaseModel)
UNDATED = datetime.fromtimestamp(0, UTC)
"""Stands for a time that was stored and cannot be read."""
_EVENT = {"at": UNDATED, "kind": "message"}


def read_stored(kind: type[Model], text: str | bytes, required: Mapping[str, Any] | None = None) -> Model:
    """The model in a stored JSON object; `required` are the values of its fields where the text has none that is valid.

    Raises `ValueError` where a field without a default is not in `required` either.
    """
    try:
        return kind.model_validate_json(text, extra="allow")
    except ValidationError:
        document = _document(text)
    left_out: set[str] = set()
    while True:
        try:
            return kind.model_validate({**(required or {}), **document}, extra="allow")
        except ValidationError as problem:
            paths = {".".join(map(str, error["loc"])): error["loc"] for error in problem.errors()}
            if paths.keys() <= left_out:
                raise
            left_out |= paths.keys()
            for path in paths.values():
                _leave_out(document, path)


def as_stored(model: BaseModel) -> str:
    """The model as JSON, with the fields that were read and are not known."""
    unknown = _unknown(model)
    return json.dumps(_joined(model.model_dump(mode="json"), unknown)) if unknown else model.model_dump_json()


def read_event(text: str | bytes, what: str = "an event in the ledger") -> Event:
    """A stored event; one of an unknown kind is a message, and an unknown status is `unknown`, with the word kept.

    `what` names an event that cannot be read, in the message that takes its place.
    """
    try:
        return Event.model_validate_json(text, extra="allow")
    except ValidationError:
        known = _document(text)
    if "kind" not in known:
        message = f"{what} cannot be read; it is left out"
        return Event(at=now(), kind="message", code="unreadable", message=message)
    kind, word = known.get("kind"), known.get("status")
    if kind is not None and kind not in ("status", "message", "metric", "checkpoint"):
        known |= {"kind": "message", "message": known.get("message") or f"{kind}, which this ftbridge does not know"}
    if word is not None and read_status(word) != word:
        known |= {"status": Status.UNKNOWN, "message": known.get("message") or str(word)}
    return read_stored(Event, json.dumps(known), _EVENT)


def read_status(word: str) -> Status:
    """A stored status; a word that this version does not know is `unknown`."""
    try:
        return Status(word)
    except ValueError:
        return Status.UNKNOWN


def not_understood(stored: BaseModel, text: str | bytes) -> tuple[str, ...]:
    """The paths of what `text` says and `stored`, which was read from it, does not; null says nothing."""
    return tuple(_missing(_document(text), stored))


def _document(text: str | bytes) -> dict[str, Any]:
    """The JSON object; an empty one where the text is none."""
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        return found if isinstance(found, dict) else {}
    return {}


def _missing(document: Mapping[str, Any], stored: BaseModel) -> Iterator[str]:
    known = type(stored).model_fields
    for name, value in document.items():
        if value is None:
            continue
        here = getattr(stored, name, None)
        if isinstance(here, BaseModel) and isinstance(value, dict):
            yield from (f"{name}.{below}" for below in _missing(value, here))
        elif name not in known or here is None or (isinstance(here, str) and here != value):
            yield name


def _unknown(model: BaseModel) -> dict[str, Any]:
    below = {name: _unknown(value) for name, value in vars(model).items() if isinstance(value, BaseModel)}
    return {**(model.model_extra or {}), **{name: fields for name, fields in below.items() if fields}}


def _joined(known: dict[str, Any], unknown: Mapping[str, Any]) -> dict[str, Any]:
    below = {
        name: _joined(known[name], fields) for name, fields in unknown.items() if isinstance(known.get(name), dict)
    }
    return {**known, **unknown, **below}


def _leave_out(document: Any, path: Sequence[str | int]) -> None:
    *above, last = path
    for step in above:
        document = document.get(step) if isinstance(document, dict) else None
    if isinstance(document, dict):
        document.pop(last, None)
