"""Whether JSON conforms to the types of a vendor's SDK: its TypedDicts for requests, its models for answers."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError
from typing_extensions import TypeAliasType, is_typeddict

_WRAPPERS = (Required, NotRequired, typing.Required, typing.NotRequired, typing.Annotated)


def answer_violations(annotation: Any, answer: Any) -> list[str]:
    """Why an answer is not what the SDK reads it as; it may hold more than the type, never less."""
    try:
        _adapter(annotation).validate_json(msgspec.json.encode(answer))
    except ValidationError as problem:
        return [f"$.{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in problem.errors()]
    return []


def request_violations(annotation: Any, value: Any, path: str = "$") -> list[str]:
    """Why a request is not of the SDK's type; it may hold nothing that the type does not name."""
    members = list(_members(annotation))
    tried = [list(_violations(member, value, path)) for member in members]
    return min(tried, key=len, default=[])


@cache
def _adapter(annotation: Any) -> TypeAdapter[Any]:
    return TypeAdapter(annotation)


def _members(annotation: Any) -> Iterator[Any]:
    """The members of a union, unwrapped."""
    if get_origin(annotation) in _WRAPPERS:
        yield from _members(get_args(annotation)[0])
    elif isinstance(annotation, TypeAliasType):
        yield from _members(annotation.__value__)
    elif isinstance(get_origin(annotation), TypeAliasType):
        yield from _members(get_origin(annotation).__value__[get_args(annotation)])
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    else:
        yield annotation


def _violations(member: Any, value: Any, path: str) -> Iterator[str]:
    origin, arguments = get_origin(member), get_args(member)
    if member in (Any, object):
        return
    if origin is Literal or (isinstance(member, type) and issubclass(member, Enum)):
        allowed = arguments or [one.value for one in member]
        if value not in allowed:
            yield f"{path}: {value!r} is not one of {allowed}"
    elif is_typeddict(member) or (isinstance(member, type) and issubclass(member, BaseModel)):
        yield from _object_violations(member, value, path)
    elif arguments:
        yield from _container_violations(member, value, path)
    elif not _is_scalar(member, value):
        yield f"{path}: {value!r} is not of type {getattr(member, '__name__', member)}"


def _container_violations(member: Any, value: Any, path: str) -> Iterator[str]:
    """Of a mapping, or of a list, an iterable or the SDK's SequenceNotStr."""
    origin, arguments = get_origin(member), get_args(member)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(value, dict):
            for key, one in value.items():
                yield from request_violations(arguments[1], one, f"{path}.{key}")
        else:
            yield f"{path}: {value!r} is not an object"
    elif isinstance(value, list):
        for one in value:
            yield from request_violations(arguments[0], one, f"{path}[*]")
    else:
        yield f"{path}: {value!r} is not a list"


def _object_violations(member: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: {value!r} is not an object"
        return
    fields = _fields(member)
    for name in value.keys() - fields.keys():
        yield f"{path}: {name} is not a field of {member.__name__}"
    for name, (annotation, required) in fields.items():
        if name in value:
            yield from request_violations(annotation, value[name], f"{path}.{name}")
        elif required:
            yield f"{path}: {name} is missing"


@cache
def _fields(member: Any) -> dict[str, tuple[Any, bool]]:
    """The type of each field, and whether it is required."""
    if not is_typeddict(member):
        fields = member.model_fields
        return {field.alias or name: (field.annotation, field.is_required()) for name, field in fields.items()}
    hints = get_type_hints(member, include_extras=True)
    return {name: (hint, _is_required(member, name, hint)) for name, hint in hints.items()}


def _is_required(member: Any, name: str, hint: Any) -> bool:
    """By the field's own mark, or by the class that defines it."""
    if get_origin(hint) in (Required, typing.Required):
        return True
    if get_origin(hint) in (NotRequired, typing.NotRequired):
        return False
    owner = next((one for one in member.__orig_bases__ if is_typeddict(one) and name in one.__annotations__), None)
    return _is_required(owner, name, hint) if owner else bool(member.__total__)


def _is_scalar(member: Any, value: Any) -> bool:
    if member is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if member is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(member, type) and isinstance(value, member)
