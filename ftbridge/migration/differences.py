"""The report of a migration: what becomes of every field of the old job, and what is different at the new target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from ftbridge.catalogue import Facts
from ftbridge.comparison.offers import Offer
from ftbridge.context import Context
from ftbridge.costs.quote import HOURS_A_MONTH
from ftbridge.migration.source import SourceJob
from ftbridge.model import Frozen, Hyperparameters, Method, Spec
from ftbridge.provider.capabilities import Capabilities
from ftbridge.provider.importing import REPEATED
from ftbridge.target import Target

_UNITS = {
    "epochs": "passes over the data",
    "batch_size": "examples a step",
    "learning_rate": "a step, absolute",
    "learning_rate_multiplier": "times a rate that the vendor does not publish",
    "warmup_ratio": "of all steps",
    "max_seq_length": "tokens",
}

_OF_METHOD = ("method", "grader", "response_format", "teacher")
USD, DATE = "US dollars", "date"
"""Units of terms: dollars, and a day that is not known, or not set, where it is `None`."""


class Reason(StrEnum):
    """Why a field is changed or dropped."""

    NEW_TARGET = "new_target"
    VENDORS_CHOICE = "vendors_choice"
    OLD_JOB_ONLY = "old_job_only"
    REPEATED = "repeated"
    ABSENT = "absent"
    EMPTY = "empty"
    AS_REQUESTED = "as_requested"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"
    ROWS_CHANGED = "rows_changed"

    @property
    def harmless(self) -> bool:
        """Whether nothing is lost by it."""
        return self in _SENTENCES


_SENTENCES = {
    Reason.NEW_TARGET: "the new target",
    Reason.VENDORS_CHOICE: "the vendor chose it; so does the new target",
    Reason.OLD_JOB_ONLY: "it belongs to the old job alone",
    Reason.REPEATED: "it repeats another field",
    Reason.ABSENT: "there was none",
    Reason.EMPTY: "it is empty",
}
"""The reasons for which nothing is lost, as sentences; those of the others name the target, or the rows."""


class Difference(Frozen):
    """One field of the old job, or one term of the new one: carried as it is, changed, or dropped.

    `value` is the vendor's own, `becomes` what it is in the new job, both in `unit` where they have one. `name` is
    ftbridge's own for the field, where it has one. `reason` says why it is changed or dropped, and `why` the same as a
    sentence.
    """

    field: str
    name: str | None = None
    value: Any
    unit: str = ""
    outcome: Literal["carried", "changed", "dropped"]
    becomes: Any = None
    reason: Reason | None = None
    why: str = ""

    @property
    def matters(self) -> bool:
        """Whether something is lost, or becomes something else, that was chosen for the old job."""
        return self.outcome != "carried" and not (self.reason and self.reason.harmless)


def field_by_field(old: SourceJob, spec: Spec, new: Offer, able: Capabilities) -> Iterator[Difference]:
    """What becomes of each field of the old job in the new one; `spec` and `new` are its spec and its offer."""
    for field, value in old.fields.items():
        name = old.words.get(field)
        yield _field(field, value, name, old, spec, new, able).model_copy(update={"name": name})


def _field(
    field: str, value: Any, name: str | None, old: SourceJob, spec: Spec, new: Offer, able: Capabilities
) -> Difference:
    if name is None:
        return _dropped(field, value, Reason.EMPTY if value in (None, "", [], {}) else Reason.OLD_JOB_ONLY)
    if name == REPEATED:
        return _dropped(field, value, Reason.REPEATED)
    if name in Hyperparameters.model_fields:
        given = spec.hyperparameters.given()
        return _hyperparameter(field, value, name, old.known.get(name), given, able.hyperparameters.get(name))
    if name == "model":
        return _changed(field, value, spec.target, Reason.NEW_TARGET)
    if name == "events":
        why = "they stay with the old job, in the ledger once it is moved"
        return Difference(field=field, value=value, outcome="carried", why=why)
    if name in ("data", "validation"):
        return _file(field, value, getattr(spec, name), new if name == "data" else None)
    if name in _OF_METHOD and spec.method not in able.methods:
        return _dropped(field, value, Reason.UNSUPPORTED, f"the target has no {spec.method}")
    return _of_spec(field, value, getattr(spec, name), old.known.get(name))


def _dropped(field: str, value: Any, reason: Reason, why: str = "", unit: str = "") -> Difference:
    why = why or _SENTENCES[reason]
    return Difference(field=field, value=value, unit=unit, outcome="dropped", reason=reason, why=why)


def _changed(field: str, value: Any, becomes: Any, reason: Reason, why: str = "", unit: str = "") -> Difference:
    why = why or _SENTENCES[reason]
    return Difference(field=field, value=value, unit=unit, outcome="changed", becomes=becomes, reason=reason, why=why)


def _of_spec(field: str, value: Any, becomes: Any, known: Any) -> Difference:
    if value is None:
        return _dropped(field, value, Reason.ABSENT)
    if becomes == known:
        is_part = isinstance(becomes, Mapping)  # the field is a part of an object
        return Difference(field=field, value=value, outcome="carried", becomes=value if is_part else becomes)
    if becomes is None:
        return _dropped(field, value, Reason.UNSUPPORTED, "it does not fit")
    return _changed(field, value, becomes, Reason.AS_REQUESTED, "as requested")


def _hyperparameter(
    field: str, value: Any, name: str, known: Any, given: Mapping[str, Any], handling: Any
) -> Difference:
    unit = _UNITS.get(name, "")
    if name in given:
        becomes, renamed = given[name], f"{handling.to} there" if handling and handling.to else ""
        if becomes == known:
            return Difference(field=field, value=value, unit=unit, outcome="carried", becomes=becomes, why=renamed)
        return _changed(field, value, becomes, Reason.AS_REQUESTED, renamed or "as requested", unit)
    if value in (None, "auto"):
        return _dropped(field, value, Reason.VENDORS_CHOICE)
    if known is None:
        return _dropped(field, value, Reason.UNSUPPORTED, f"no value that {name} can have elsewhere")
    note = handling.note if handling is not None and handling.note else f"the target has no {name}"
    return _dropped(field, value, Reason.UNSUPPORTED, note, unit)


def _file(field: str, value: Any, file: Path | None, new: Offer | None) -> Difference:
    if file is None and not value:
        return _dropped(field, value, Reason.ABSENT)
    if file is None:
        return _dropped(field, value, Reason.UNKNOWN, "it could not be read back")
    if new is None or not new.changed:
        return Difference(field=field, value=value, outcome="carried", becomes=str(file))
    changes = ", ".join(f"{code} in {count}" for code, count in new.changed.items())
    return _changed(field, value, str(file), Reason.ROWS_CHANGED, f"of {new.examined} rows: {changes}")


def terms_of(
    context: Context, old: Target, new: Target, spec: Spec, before: Offer, after: Offer
) -> Iterator[Difference]:
    """What is different beside the job itself: each target with the work that it has done, or would do.

    The first month is training, storage and hosting, without requests.
    """
    context_tokens = "dpo_context_tokens" if spec.method is Method.DPO else "sft_context_tokens"
    facts, facts_there = context.entry(old).facts, context.entry(new).facts
    terms: dict[str, tuple[Any, Any, str]] = {
        "training_usd": (before.training_usd, after.training_usd, USD),
        "storage_usd_per_month": (facts.storage_usd_per_month, facts_there.storage_usd_per_month, USD),
        "hosting_usd_per_month": (_hosting(facts), _hosting(facts_there), USD),
        "first_month_usd": (before.total_usd, after.total_usd, USD),
        "input_usd_per_million_tokens": (*_prices(facts, facts_there, "input_usd_per_million_tokens"), USD),
        "output_usd_per_million_tokens": (*_prices(facts, facts_there, "output_usd_per_million_tokens"), USD),
        "deployment_needed": (_is_deployed(context, old), _is_deployed(context, new), ""),
        "training_closes_on": (facts.training_closes_on, facts_there.training_closes_on, DATE),
        "inference_closes_on": (facts.inference_closes_on, facts_there.inference_closes_on, DATE),
        "context_tokens": (getattr(facts, context_tokens), getattr(facts_there, context_tokens), "tokens"),
    }
    if spec.hyperparameters.epochs is None:
        terms["default_epochs"] = (before.epochs, after.epochs, "")
    for field, (value, becomes, unit) in terms.items():
        if value == becomes:
            yield Difference(field=field, value=value, unit=unit, outcome="carried", becomes=becomes)
            continue
        is_unknown = unit != DATE and None in (value, becomes)  # most models have no end yet
        where = "before" if value is None else "there"
        reason, why = (Reason.UNKNOWN, f"not known {where}") if is_unknown else (None, "")
        yield Difference(
            field=field, value=value, unit=unit, outcome="changed", becomes=becomes, reason=reason, why=why
        )


def _prices(facts: Facts, facts_there: Facts, name: str) -> tuple[float | None, float | None]:
    return getattr(facts, name), getattr(facts_there, name)


def _hosting(facts: Facts) -> float | None:
    hourly = facts.hosting_usd_per_hour
    return None if hourly is None else hourly * HOURS_A_MONTH


def _is_deployed(context: Context, target: Target) -> bool:
    """Whether a tuned model has to be deployed there before it answers."""
    return "deploy" in context.provider(target).capabilities.verbs
