"""A spec from what people give: the first value that is not valid is named, with what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ftbridge.errors import InputError, SpecError
from ftbridge.model import Hyperparameters, Spec
from ftbridge.wording import broken_rule, did_you_mean, printable

LONGEST_NAME, LONGEST_KEY = 64, 255


def check_label(what: str, label: str | None, longest: int = LONGEST_NAME) -> None:
    """Raises `SpecError` for a name that is empty, longer than `longest` characters, or not printable."""
    if label is not None and not (0 < len(label) <= longest and label.isprintable()):
        raise SpecError(
            f"{what} = {printable(repr(label))} cannot be used: it must be 1 to {longest} printable characters",
            hint="Give it another value, or leave it out.",
        )


def make_spec(*, hyperparameters: Mapping[str, Any], **fields: Any) -> Spec:
    """A spec from plain values; raises `SpecError` naming the first that is not valid."""
    check_label("name", fields.get("name"))
    try:
        return Spec(hyperparameters=Hyperparameters(**hyperparameters), **fields)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = str(first["loc"][-1]).removesuffix("_usd") if first["loc"] else "spec"  # as the option is named
        if first["type"] == "extra_forbidden":
            known = list(Hyperparameters.model_fields)
            others = [field.removesuffix("_usd") for field in Spec.model_fields]
            raise SpecError(
                f"'{name}' is not a hyperparameter",
                hint=f"{did_you_mean(name, [*known, *others])}Known ones: {', '.join(known)}.",
            ) from None
        raise SpecError(
            f"{name} = {printable(repr(first['input']))} cannot be used: {broken_rule(first)}",
            hint="Give it another value, or leave it out.",
        ) from None


def json_object(given: Mapping[str, Any] | str | Path | None) -> dict[str, Any] | None:
    """A JSON object, given as a mapping or as a file. Raises `InputError` for a file without one."""
    if given is None or isinstance(given, Mapping):
        return None if given is None else dict(given)
    try:
        found = json.loads(Path(given).read_bytes())
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise InputError(f"{given} cannot be read: {reason}", hint="Check the path.") from None
    except ValueError as problem:
        raise InputError(f"{given} is not JSON: {problem}", hint="Write one JSON object into it.") from None
    if not isinstance(found, dict):
        raise InputError(f"{given} does not hold a JSON object", hint='Write one into it, such as {"type": …}.')
    return found
