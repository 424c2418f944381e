"""The public API as text: what `ftbridge` exports, the verbs of `Bridge`, and the members of `Provider`.

Run as a program, it records the API in public_api.txt:

    $ python tests/public_api.py
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import ftbridge
import ftbridge.provider

RECORDED = Path(__file__).with_name("public_api.txt")


class _Bare(str):
    """An annotation that is printed without quotation marks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def public_api() -> str:
    """One line for each name, field and signature."""
    lines = [line for name in ftbridge.__all__ for line in _described(name, getattr(ftbridge, name))]
    lines += [
        line
        for name in ftbridge.provider.__all__
        if name not in ftbridge.__all__
        for line in _described(f"provider.{name}", getattr(ftbridge.provider, name))
    ]
    return "\n".join(lines) + "\n"


def _described(name: str, thing: Any) -> Iterator[str]:
    if not inspect.isclass(thing):
        yield f"{name}{_signature(thing)}" if inspect.isfunction(thing) else name
        return
    yield f"{name}({', '.join(base.__name__ for base in thing.__bases__ if base is not object)})"
    if issubclass(thing, Enum):
        yield from (f"{name}.{member.name} = {member.value!r}" for member in thing)
        return
    fields = thing.model_fields if issubclass(thing, BaseModel) else {}
    yield from (f"{name}.{field}: {_annotation(thing, field)}" for field in fields)
    for member in sorted(_members(thing)):
        if member not in fields:
            yield f"{name}.{member}{_of_member(thing, member)}"


def _members(thing: type) -> set[str]:
    """The public names that ftbridge's own classes define, methods and annotated attributes alike."""
    ours = [base for base in thing.__mro__ if base.__module__.startswith("ftbridge")]
    names = {name for base in ours for name in (*vars(base), *inspect.get_annotations(base))}
    return {name for name in names if not name.startswith("_") and name not in ("model_config", "model_post_init")}


def _of_member(thing: type, member: str) -> str:
    raw = inspect.getattr_static(thing, member, None)
    function = raw.__func__ if isinstance(raw, classmethod | staticmethod) else raw
    if inspect.isfunction(function):
        return _signature(function)
    if isinstance(raw, property) or hasattr(raw, "func"):  # a cached property
        getter: Any = raw.fget if isinstance(raw, property) else raw.func
        return f": {inspect.signature(getter).return_annotation}"
    return f": {_annotation(thing, member)}"


def _annotation(thing: type, name: str) -> str:
    found = (inspect.get_annotations(base).get(name) for base in thing.__mro__)
    return str(next((annotation for annotation in found if annotation), "…"))


def _signature(function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_Bare(parameter.annotation))
        if isinstance(parameter.annotation, str)
        else parameter
        for parameter in signature.parameters.values()
        if parameter.name not in ("self", "context")
    ]
    returned = signature.return_annotation
    result = _Bare(returned) if isinstance(returned, str) else returned
    # the environment that a default names is not the same everywhere
    plain = [
        parameter.replace(default=_Bare("os.environ")) if parameter.name == "environment" else parameter
        for parameter in parameters
    ]
    return str(signature.replace(parameters=plain, return_annotation=result))


if __name__ == "__main__":
    RECORDED.write_text(public_api(), "utf-8")
