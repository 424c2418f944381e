"""The report of a migration: what becomes of every field of the old job, and what is different at the new target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    "learning_rate_multiplier": "times a rate that the vendor does not tell",
    "warmup_ratio": "of all steps",
    "max_seq_length": "tokens",
}

_OF_METHOD = ("method", "grader", "response_format")

NEW_TARGET = "the new target"
VENDORS_CHOICE = "the vendor chose it; so does the new target"
OF_OLD_JOB = "it belongs to the old job alone"
TOLD_ELSEWHERE = "another field tells the same"
NONE_THERE = "there was none"
EMPTY = "it is empty"
MATTERS_LITTLE = (NEW_TARGET, VENDORS_CHOICE, OF_OLD_JOB, TOLD_ELSEWHERE, NONE_THERE, EMPTY)
"""The reasons for which nothing is lost where a field changes or is left behind."""


class Difference(Frozen):
    """One field of the old job, or one term of the new one: carried as it is, changed, or left behind, and why.

    `value` is the vendor's own, `becomes` what it is in the new job, both in `unit` where they have one. `word` is
    ours for the field, where it has one.
    """

    field: str
    word: str | None = None
    value: Any
    unit: str = ""
    outcome: Literal["carried", "changed", "left"]
    becomes: Any = None
    why: str = ""

    @property
    def matters(self) -> bool:
        """Whether something is lost, or becomes something else, that was chosen for the old job."""
        return self.outcome != "carried" and self.why not in MATTERS_LITTLE


def field_by_field(old: SourceJob, spec: Spec, new: Offer, able: Capabilities) -> Iterator[Difference]:
    """What becomes of each field of the old job in the new one, which is `spec` and looks as `new` has it."""
    for field, value in old.fields.items():
        word = old.words.get(field)
        yield _field(field, value, word, old, spec, new, able).model_copy(update={"word": word})


def _field(
    field: str, value: Any, word: str | None, old: SourceJob, spec: Spec, new: Offer, able: Capabilities
) -> Difference:
    if word is None:
        return Difference(field=field, value=value, outcome="left", why=_of_old_job(value))
    if word == REPEATED:
        return Difference(field=field, value=value, outcome="left", why=TOLD_ELSEWHERE)
    if word in Hyperparameters.model_fields:
        given = spec.hyperparameters.given()
        return _hyperparameter(field, value, word, old.known.get(word), given, able.hyperparameters.get(word))
    if word == "model":
        return Difference(field=field, value=value, outcome="changed", becomes=spec.target, why=NEW_TARGET)
    if word == "events":
        why = "they stay with the old job, in the ledger once it is moved"
        return Difference(field=field, value=value, outcome="carried", why=why)
    if word in ("data", "validation"):
        return _file(field, value, getattr(spec, word), new if word == "data" else None)
    if word in _OF_METHOD and spec.method not in able.methods:
        return Difference(field=field, value=value, outcome="left", why=f"the target has no {spec.method}")
    return _as_asked(field, value, getattr(spec, word), old.known.get(word))


def _as_asked(field: str, value: Any, becomes: Any, known: Any) -> Difference:
    if becomes == known and value is not None:
        of_object = isinstance(becomes, Mapping)  # of which the field is a part
        return Difference(field=field, value=value, outcome="carried", becomes=value if of_object else becomes)
    changed = becomes is not None and value is not None
    why = "as asked" if changed else NONE_THERE if value is None else "it does not fit"
    return Difference(field=field, value=value, outcome="changed" if changed else "left", becomes=becomes, why=why)


def _hyperparameter(
    field: str, value: Any, word: str, known: Any, given: Mapping[str, Any], handling: Any
) -> Difference:
    unit = _UNITS.get(word, "")
    if word in given:
        becomes, named = given[word], f"{handling.to} there" if handling and handling.to else ""
        if becomes == known:
            return Difference(field=field, value=value, unit=unit, outcome="carried", becomes=becomes, why=named)
        why = named or "as asked"
        return Difference(field=field, value=value, unit=unit, outcome="changed", becomes=becomes, why=why)
    if value in (None, "auto"):
        return Difference(field=field, value=value, outcome="left", why=VENDORS_CHOICE)
    if known is None:
        return Difference(field=field, value=value, outcome="left", why=f"no value that {word} can have elsewhere")
    note = handling.note if handling is not None and handling.note else f"the target has no {word}"
    return Difference(field=field, value=value, unit=unit, outcome="left", why=note)


def _file(field: str, value: Any, file: Path | None, new: Offer | None) -> Difference:
    if file is None:
        why = NONE_THERE if not value else "it could not be read back"
        return Difference(field=field, value=value, outcome="left", why=why)
    if new is None or not new.changed:
        return Difference(field=field, value=value, outcome="carried", becomes=str(file))
    changes = ", ".join(f"{code} in {count}" for code, count in new.changed.items())
    why = f"of {new.examined} rows: {changes}"
    return Difference(field=field, value=value, outcome="changed", becomes=str(file), why=why)


def _of_old_job(value: Any) -> str:
    return EMPTY if value in (None, "", [], {}) else OF_OLD_JOB


def terms_of(
    context: Context, old: Target, new: Target, spec: Spec, before: Offer, after: Offer
) -> Iterator[Difference]:
    """What is different beside the job itself: each target with the work that it has done, or would do.

    The first month is training, storage and hosting, without requests.
    """
    context_tokens = "dpo_context_tokens" if spec.method is Method.DPO else "sft_context_tokens"
    facts, facts_there = context.entry(old).facts, context.entry(new).facts
    terms: dict[str, tuple[Any, Any]] = {
        "training, US dollars": (before.training_usd, after.training_usd),
        "storage a month, US dollars": (facts.storage_usd_per_month, facts_there.storage_usd_per_month),
        "hosting a month, US dollars": (_hosting(facts), _hosting(facts_there)),
        "first month in all, US dollars": (before.total_usd, after.total_usd),
        "a million tokens in, US dollars": _prices(facts, facts_there, "input_usd_per_million_tokens"),
        "a million tokens out, US dollars": _prices(facts, facts_there, "output_usd_per_million_tokens"),
        "deployment needed": (_is_deployed(context, old), _is_deployed(context, new)),
        "training closes on": (facts.training_closes_on, facts_there.training_closes_on),
        "answers end on": (facts.inference_closes_on, facts_there.inference_closes_on),
        "context, tokens": (getattr(facts, context_tokens), getattr(facts_there, context_tokens)),
    }
    if spec.hyperparameters.epochs is None:
        terms["epochs, as the vendor chooses"] = (before.epochs, after.epochs)
    for name, (value, becomes) in terms.items():
        unknown = "not known before" if value is None else "not known there" if becomes is None else ""
        why = "" if name.endswith(" on") else unknown  # most models have no end yet
        outcome: Literal["carried", "changed"] = "carried" if value == becomes else "changed"
        yield Difference(field=name, value=value, outcome=outcome, becomes=becomes, why=why)


def _prices(facts: Facts, facts_there: Facts, name: str) -> tuple[float | None, float | None]:
    return getattr(facts, name), getattr(facts_there, name)


def _hosting(facts: Facts) -> float | None:
    hourly = facts.hosting_usd_per_hour
    return None if hourly is None else hourly * HOURS_A_MONTH


def _is_deployed(context: Context, target: Target) -> bool:
    """Whether a tuned model has to be deployed there before it answers."""
    return "deploy" in context.provider(target).capabilities.verbs
