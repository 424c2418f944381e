"""A spec from what people give: the first value that is not valid is named, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ftbridge.errors import SpecError
from ftbridge.model import Hyperparameters, Spec
from ftbridge.wording import broken_rule, did_you_mean, printable


def make_spec(*, hyperparameters: Mapping[str, Any], **fields: Any) -> Spec:
    """A spec from plain values; raises `SpecError` naming the first that is not valid."""
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
