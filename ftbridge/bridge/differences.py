"""The report of a migration: what becomes of every field of the old job, and what is different at the new target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ftbridge.bridge.compare import Offer
from ftbridge.bridge.workplace import Workplace
from ftbridge.model import Frozen, Hyperparameters, Method, Spec
from ftbridge.provider import Exported
from ftbridge.target import Target, parse_target

_UNITS = {
    "epochs": "passes over the data",
    "batch_size": "examples a step",
    "learning_rate": "a step, absolute",
    "learning_rate_multiplier": "times a rate that the vendor does not tell",
    "warmup_ratio": "of all steps",
    "max_seq_length": "tokens",
}

NEW_TARGET = "the new target"
VENDORS_CHOICE = "the vendor chose it; so does the new target"
OF_OLD_JOB = "it belongs to the old job alone"
NONE_THERE = "there was none"
EMPTY = "it is empty"
MATTERS_LITTLE = (NEW_TARGET, VENDORS_CHOICE, OF_OLD_JOB, NONE_THERE, EMPTY)
"""The reasons for which nothing is lost where a field changes or is left behind."""


class Difference(Frozen):
    """One field of the old job, or one term of the new one: carried as it is, changed, or left behind, and why.

    `value` is the vendor's own, `becomes` what it is in the new job, both in `unit` where they have one.
    """

    field: str
    value: Any
    unit: str = ""
    outcome: Literal["carried", "changed", "left"]
    becomes: Any = None
    why: str = ""


class Old(Frozen):
    """The old job in one shape, wherever it is from; `model` is what it has made."""

    job: str
    target: Target
    fields: Mapping[str, Any]
    words: Mapping[str, str]
    known: Mapping[str, Any]
    model: str | None = None
    said: tuple[str, ...] = ()
    exported: Exported | None = None


def field_by_field(old: Old, spec: Spec, new: Offer, place: Workplace, target: Target) -> Iterator[Difference]:
    """What becomes of each field of the old job in the new one, which is `spec` and looks as `new` has it."""
    able = place.provider(target).capabilities.hyperparameters
    given = spec.hyperparameters.given()
    for field, value in old.fields.items():
        word = old.words.get(field)
        if word is None:
            yield Difference(field=field, value=value, outcome="left", why=_of_old_job(value))
        elif word in Hyperparameters.model_fields:
            yield _hyperparameter(field, value, word, old.known.get(word), given, able.get(word))
        elif word == "model":
            yield Difference(field=field, value=value, outcome="changed", becomes=str(target), why=NEW_TARGET)
        elif word == "events":
            why = "they stay with the old job, in the ledger once it is moved"
            yield Difference(field=field, value=value, outcome="carried", why=why)
        elif word in ("data", "validation"):
            yield _file(field, value, getattr(spec, word), new if word == "data" else None)
        else:
            becomes = getattr(spec, word)
            same = becomes == old.known.get(word) and value is not None
            left = NONE_THERE if value is None else "it does not fit"
            outcome: Literal["carried", "left"] = "carried" if same else "left"
            yield Difference(field=field, value=value, outcome=outcome, becomes=becomes, why="" if same else left)


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


def terms_of(place: Workplace, old: Target, spec: Spec, offers: Mapping[str, Offer]) -> Iterator[Difference]:
    """What is different beside the job itself: a price is for the data and hyperparameters of the new job."""
    new = parse_target(spec.target)
    context = "dpo_context_tokens" if spec.method is Method.DPO else "sft_context_tokens"
    before, after = offers[str(old)], offers[str(new)]
    facts, facts_there = place.entry(old).facts, place.entry(new).facts
    terms: dict[str, tuple[Any, Any]] = {
        "training, US dollars": (before.training_usd, after.training_usd),
        "training closes on": (facts.training_closes_on, facts_there.training_closes_on),
        "answers end on": (facts.inference_closes_on, facts_there.inference_closes_on),
        "context, tokens": (getattr(facts, context), getattr(facts_there, context)),
    }
    if spec.hyperparameters.epochs is None:
        terms["epochs, as the vendor chooses"] = (before.epochs, after.epochs)
    for name, (value, becomes) in terms.items():
        unknown = "not known before" if value is None else "not known there" if becomes is None else ""
        why = "" if name.endswith(" on") else unknown  # most models have no end yet
        outcome: Literal["carried", "changed"] = "carried" if value == becomes else "changed"
        yield Difference(field=name, value=value, outcome=outcome, becomes=becomes, why=why)
