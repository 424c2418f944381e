"""What one dataset would cost at several targets, and what each would change in it; nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Unpack

from ftbridge.arguments import HyperparameterArguments
from ftbridge.catalogue import Entry, Facts, today
from ftbridge.comparison.notes import closing, limits, not_in_catalogue, unknown, used
from ftbridge.comparison.offers import DAYS_A_MONTH, Machine, Offer, no_offer
from ftbridge.comparison.speed import measure_speed, speed
from ftbridge.context import Context
from ftbridge.costs.billable_work import work_of
from ftbridge.costs.quote import Load, quote
from ftbridge.dataset import Changes, Survey, TokenCounter, guess
from ftbridge.dataset.canonical.example import Preference
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.examples import valid_examples
from ftbridge.dataset.reading.given import Given, check_command, given
from ftbridge.errors import DataError, FtbridgeError, TargetError
from ftbridge.home import temporary_folder
from ftbridge.model import Method, Spec
from ftbridge.provider.capabilities import Capabilities
from ftbridge.provider.offline import offline
from ftbridge.spec import make_spec
from ftbridge.target import Target
from ftbridge.wording import clause, counted

_NO_LOAD, _UNPRICED = Load(), Machine()
_SAMPLE = 32  # rows to measure a machine's speed with


def compare(
    context: Context,
    data: Given,
    to: str | Sequence[str],
    *,
    validation: Given | None = None,
    method: str | None = None,
    load: Load = _NO_LOAD,
    machine: Machine = _UNPRICED,
    live: bool = False,
    measure: bool = False,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
    **hyperparameters: Unpack[HyperparameterArguments],
) -> list[Offer]:
    """What training on `data`, and then serving `load`, costs at the target or targets `to`; cheapest first.

    By the catalogue, offline; with `live` the vendors are asked for their dates and limits. A target on
    this machine is priced by `machine`, and with `measure` a few rows are trained there to learn its speed.
    Without a `method` it is the one that the data is made for: dpo for preferences, else sft. `data` and `map` are as
    those of `Bridge.check`.
    """
    with ExitStack() as opened:
        read = opened.enter_context(given(data, context.home, map, often=True))
        held = opened.enter_context(given(validation, context.home, map)) if validation is not None else None
        training_method = method or method_for(read, format)
        if method is None and training_method is Method.DPO:
            context.warn(f"{read} holds preferences, so they are priced for dpo")
        spec = make_spec(
            target="",
            data=Path(read),
            validation=Path(held) if held is not None else None,
            method=training_method,
            hyperparameters=hyperparameters,
        )
        train = partial(measure_speed, context, method=training_method) if measure else None
        return compare_spec(
            context,
            spec,
            context.targets(to),
            load,
            machine=machine,
            live=live,
            measure=train,
            format=format,
            files=(read, held),
        )


def compare_spec(
    context: Context,
    spec: Spec,
    targets: Sequence[str],
    load: Load,
    *,
    machine: Machine,
    live: bool = False,
    measure: Callable[[Path, str], object] | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
    files: tuple[Data, Data | None] | None = None,
) -> list[Offer]:
    """An offer of each of `targets` for the data and hyperparameters of `spec`, cheapest first.

    Targets that close before the load's months are over come after the others, and those that would not accept the job
    come last. A target that cannot be priced is a row that says why; if that is so of all, the first error is raised.
    Raises `TargetError` for a target that does not exist, and `DataError` for a file without a valid example; rows with
    errors are left out, with a warning.
    `measure` trains a few rows at a target on the user's own machine, so that its speed is known. `files` are read in
    the place of the spec's, which are paths alone.
    """
    data, validation = files or (spec.data, spec.validation)
    survey = Survey(data, format=format)
    if not survey.examples:
        named = [f"--format {format}"] if format else []
        raise DataError(f"{data} has no valid examples", hint=f"{check_command(data, *named)} says why.")
    held = Survey(validation, format=format) if validation else None
    offers, problems = [], []
    for text in dict.fromkeys(targets):
        try:
            with offline(not live):
                target = context.target(text)
                entry = context.entry(target, live=live)
                if measure and entry.facts.own_machine:
                    with temporary_folder(context.home) as folder:
                        measure(survey.write_sample(folder / "some.jsonl", _SAMPLE), str(target))
                at = spec.model_copy(update={"target": str(target)})
                offers.append(_offer(context, target, entry, at, survey, held, load, machine))
        except TargetError:  # nobody has such a target
            raise
        except FtbridgeError as problem:
            problems.append(problem)
            offers.append(no_offer(text, survey.examples, f"{problem.message}. {problem.hint}".strip()))
    if problems and len(problems) == len(offers):
        raise problems[0]
    return sorted(offers, key=_rank)


def _rank(offer: Offer) -> tuple[bool, bool, bool, float, str]:
    return not offer.usable, not offer.covers_months, offer.total_usd is None, offer.partial_total_usd, offer.target


def method_for(data: Data, format: str | None = None) -> Method:  # noqa: A002 - the word users know
    """The training method that the data is made for, by its first valid example."""
    return Method.DPO if isinstance(next(valid_examples(data, format), (0, None))[1], Preference) else Method.SFT


def _offer(
    context: Context,
    target: Target,
    entry: Entry,
    spec: Spec,
    survey: Survey,
    held: Survey | None,
    load: Load,
    machine: Machine,
) -> Offer:
    facts = _priced(entry.facts, machine)
    counter, changes, problem = _rules_and_counter(context, target, spec, survey)
    count = survey.tokens(counter)
    work = work_of(spec, count, held.tokens(counter) if held and facts.bills_validation else None)
    by_the_hour = facts.own_machine or facts.training_usd_per_hour
    seen = speed(context, target) if by_the_hour else None
    price = quote(facts, work, load, tokens_per_second=seen.tokens_per_second if seen else None)
    one = quote(facts, work, load.model_copy(update={"requests_per_month": 1}))
    able = context.provider(target).capabilities
    unsupported = tuple(_unsupported(able, spec))
    not_convertible = changes.examined > 0 and changes.impossible == changes.examined
    months = counted(load.months, "month")
    last_day = today() + timedelta(days=round(load.months * DAYS_A_MONTH))
    answers_until = entry.facts.inference_closes_on
    covers_months = answers_until is None or answers_until >= last_day
    is_open = entry.closed_on(today()) is None
    known = entry.named or by_the_hour or price.training_usd is not None
    blocking = [
        *closing(entry, today(), covers_months),
        *([] if covers_months else [f"tuned models answer until {answers_until}, not for all of {months}"]),
        *problem,
        *([] if known else [not_in_catalogue(target)]),
        *limits(facts, spec),
    ]
    warnings = [
        *blocking,
        *(
            [f"{counted(survey.invalid_rows, 'row')} with errors left out: ftbridge check"]
            if survey.invalid_rows
            else []
        ),
        *([f"the images of {counted(count.without_images, 'row')} are not counted"] if count.without_images else []),
        *unknown(facts, price, load, machine, seen),
        *entry.doubts(today(), used(spec, load, held is not None)),
    ]
    return Offer(
        target=str(target),
        examples=count.examples,
        tokens=count.tokens,
        tokens_relative_error=round(count.error, 4),
        counter=count.counter,
        **price.model_dump(),
        request_usd=one.inference_usd,
        open=is_open,
        usable=is_open and spec.method in able.methods and not not_convertible,
        only_from=facts.only_from,
        closes_on=entry.closes_on,
        answers_until=answers_until,
        covers_months=covers_months,
        examined=changes.examined,
        changed=changes.changed,
        impossible=changes.impossible,
        unsupported=unsupported,
        blocking=tuple(blocking),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _priced(facts: Facts, machine: Machine) -> Facts:
    hourly = machine.usd_per_hour
    if not facts.own_machine or hourly is None:
        return facts
    return facts.model_copy(update={"training_usd_per_hour": hourly, "hosting_usd_per_hour": hourly})


def _rules_and_counter(
    context: Context, target: Target, spec: Spec, survey: Survey
) -> tuple[TokenCounter, Changes, list[str]]:
    """The target's token counter, what it would change in the data, and the error if neither can be known."""
    provider = context.provider(target)
    try:
        rules, counter = provider.converter(spec, target.model), provider.token_counter(target.model)
    except FtbridgeError as problem:
        return guess(), Changes(0, {}, 0), [f"{clause(problem.message)}: {problem.hint}"]
    return counter, survey.changes(rules), []


def _unsupported(able: Capabilities, spec: Spec) -> Iterator[str]:
    if spec.method not in able.methods:
        yield f"method {spec.method}"
    for name in spec.hyperparameters.given():
        handling = able.hyperparameters.get(name)
        if handling is None or handling.how == "refused":
            yield name
