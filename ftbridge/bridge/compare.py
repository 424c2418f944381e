"""What one dataset would cost at several targets, and what each would make of it: nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from ftbridge.bridge.offers import ASSUMED_WATTS, DAYS_A_MONTH, Machine, Offer, no_offer
from ftbridge.bridge.workplace import Workplace
from ftbridge.capabilities import Capabilities
from ftbridge.catalogue import Entry, Facts, Load, Quote, Work, counted, quote, today
from ftbridge.dataset import Changes, Survey, TokenCount, TokenCounter, guess
from ftbridge.dataset.example import Preference
from ftbridge.dataset.read import sound_examples
from ftbridge.errors import DataError, FtbridgeError
from ftbridge.model import Method, Spec
from ftbridge.target import Target

_FEW = 32  # rows to measure a machine's speed by


def compare(
    place: Workplace,
    spec: Spec,
    targets: Sequence[str],
    load: Load,
    *,
    machine: Machine,
    live: bool = False,
    measure: Callable[[Path, str], object] | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
) -> list[Offer]:
    """An offer of each of `targets` for the data and hyperparameters of `spec`, cheapest first.

    What ends before the load's months are over comes after those, and last what would not take the job.
    A target that cannot be judged is a row that says why. Raises `DataError` for a file without a sound example, and
    what is wrong with the targets if that is so of all; rows with errors are left out, and told.
    `measure` trains a few rows at a target on the user's own machine, so that its speed is known.
    """
    survey = Survey(spec.data, format=format)
    if not survey.examples:
        raise DataError(f"{spec.data} holds no sound examples", hint=f"`ftbridge check {spec.data}` says why.")
    held = Survey(spec.validation, format=format) if spec.validation else None
    offers, problems = [], []
    for text in dict.fromkeys(targets):
        try:
            with _on_this_machine(place, text, live=live) as target:
                entry = place.entry(target, live=live)
                if measure and entry.facts.own_machine and speed(place, target) is None:
                    with TemporaryDirectory() as folder:
                        measure(survey.write_some(Path(folder) / "some.jsonl", _FEW), str(target))
                at = spec.model_copy(update={"target": str(target)})
                offers.append(_offer(place, target, entry, at, survey, held, load, machine))
        except FtbridgeError as problem:
            problems.append(problem)
            offers.append(no_offer(text, survey.examples, f"{problem.message}. {problem.hint}".strip()))
    if problems and len(problems) == len(offers):
        raise problems[0]
    return sorted(offers, key=_rank)


@contextmanager
def _on_this_machine(place: Workplace, text: str, *, live: bool) -> Iterator[Target]:
    """The target of that string; unless `live`, its provider does with what is on this machine meanwhile."""
    target = place.target(text)
    provider = place.provider(target)
    provider.offline = not live
    try:
        yield target
    finally:
        provider.offline = False


def _rank(offer: Offer) -> tuple[bool, bool, bool, float, str]:
    return not offer.usable, not offer.covers_months, offer.total_usd is None, offer.known_usd, offer.target


def method_for(data: Path, format: str | None = None) -> Method:  # noqa: A002 - the word users know
    """How a model learns from such data, by its first sound example."""
    return Method.DPO if isinstance(next(sound_examples(data, format), (0, None))[1], Preference) else Method.SFT


def speed(place: Workplace, target: Target) -> float | None:
    """Tokens a second, the median of the newest job that was trained at the target and tells them."""
    for record in reversed(place.ledger.jobs()):
        if record.job.target == str(target):
            told = [event.tokens_per_second for _, event in place.ledger.events(record.job.id)]
            if known := [figure for figure in told if figure]:
                return median(known)
    return None


def _offer(
    place: Workplace,
    target: Target,
    entry: Entry,
    spec: Spec,
    survey: Survey,
    held: Survey | None,
    load: Load,
    machine: Machine,
) -> Offer:
    facts = _priced(entry.facts, machine)
    counter, changes, hindrance = _read_by(place, target, spec, survey)
    count = survey.tokens(counter)
    work = work_of(spec, count, held.tokens(counter) if held and facts.bills_validation else None)
    found = quote(facts, work, load, tokens_per_second=speed(place, target) if facts.own_machine else None)
    one = quote(facts, work, load.model_copy(update={"requests_per_month": 1}))
    able = place.provider(target).capabilities
    unsupported = tuple(_unsupported(able, spec))
    formless = changes.examined > 0 and changes.impossible == changes.examined
    months = counted(load.months, "month")
    last_day = today() + timedelta(days=round(load.months * DAYS_A_MONTH))
    answers_until = entry.facts.inference_closes_on
    lasts = answers_until is None or answers_until >= last_day
    is_open = entry.closed_on(today()) is None
    known = entry.named or facts.own_machine or found.training_usd is not None
    decisive = [
        *_closing(entry, today(), lasts),
        *([] if lasts else [f"tuned models answer until {answers_until}, not for all of {months}"]),
        *hindrance,
        *([] if known else [_nobody_names(target)]),
        *_limits(facts, spec),
    ]
    warnings = [
        *decisive,
        *([f"{counted(survey.broken, 'row')} with errors left out: ftbridge check"] if survey.broken else []),
        *([f"the images of {counted(count.without_images, 'row')} are not counted"] if count.without_images else []),
        *_unknown(facts, found, load, machine),
        *entry.doubts(today(), _used(spec, load, held is not None)),
    ]
    return Offer(
        target=str(target),
        examples=count.examples,
        tokens=count.tokens,
        tokens_error=round(count.error, 4),
        counter=count.counter,
        **found.model_dump(),
        request_usd=one.inference_usd,
        open=is_open,
        usable=is_open and spec.method in able.methods and not formless,
        only_from=facts.only_from,
        closes_on=entry.closes_on,
        answers_until=answers_until,
        covers_months=lasts,
        examined=changes.examined,
        changed=changes.changed,
        impossible=changes.impossible,
        unsupported=unsupported,
        decisive=tuple(decisive),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def work_of(spec: Spec, count: TokenCount, held: TokenCount | None) -> Work:
    """What is to be trained by `spec`, on data of so many tokens; `held` are those of validation that are billed."""
    return Work(
        method=spec.method,
        full=spec.hyperparameters.tuning == "full",
        examples=count.examples,
        tokens=count.tokens,
        tokens_error=count.error,
        tokens_at_most=count.at_most,
        validation_tokens=held.tokens if held else 0,
        validation_tokens_at_most=held.at_most if held else 0,
        epochs=spec.hyperparameters.epochs,
        max_seq_length=spec.hyperparameters.max_seq_length,
    )


def _priced(facts: Facts, machine: Machine) -> Facts:
    hourly = machine.usd_per_hour
    if not facts.own_machine or hourly is None:
        return facts
    return facts.model_copy(update={"training_usd_per_hour": hourly, "hosting_usd_per_hour": hourly})


def _read_by(place: Workplace, target: Target, spec: Spec, survey: Survey) -> tuple[TokenCounter, Changes, list[str]]:
    """How the target counts, what it changes, and what stands in the way of telling."""
    provider = place.provider(target)
    try:
        rules, counter = provider.rules(spec, target.model), provider.counter(target.model)
    except FtbridgeError as problem:
        return guess(), Changes(0, {}, 0), [f"{problem.message}: {problem.hint}"]
    return counter, survey.changes(rules), []


def _unsupported(able: Capabilities, spec: Spec) -> Iterator[str]:
    if spec.method not in able.methods:
        yield f"method {spec.method}"
    for name in spec.hyperparameters.given():
        handling = able.hyperparameters.get(name)
        if handling is None or handling.how == "refused":
            yield name


def _closing(entry: Entry, day: date, lasts: bool) -> Iterator[str]:
    if closed := entry.closed_on(day):
        yield f"closed since {closed}" + (f": {entry.facts.closing}" if entry.facts.closing else "")
    elif entry.facts.only_from:
        yield f"takes jobs only from {entry.facts.only_from}"
    for what, end in entry.closing_soon(day).items():
        if lasts or what == "training":
            yield f"{what} ends on {end}, in {counted((end - day).days, 'day')}"


def _nobody_names(target: Target) -> str:
    return f"no catalogue names this model, and it may not be there: ftbridge models {target.provider}"


def _unknown(facts: Facts, found: Quote, load: Load, machine: Machine) -> Iterator[str]:
    if facts.own_machine:
        if machine.usd_per_hour is None:
            yield "what an hour of this machine costs is not known: ftbridge compare --hourly, or --watt-price"
        elif machine.hourly_usd is None and machine.watts is None:
            yield f"{ASSUMED_WATTS:.0f} W are assumed: --watts"
        if found.seconds is None:
            yield "nothing has been trained here yet, so the time is not known: ftbridge compare --measure"
        else:
            yield "the time is that of the training steps, without checking rows and loading the model before them"
    elif found.epochs is None:
        yield "how many epochs it would train is not known: --epochs"
    elif found.training_usd is None:
        yield "its training price is not known"
    elif facts.minimum_usd_per_job is None:
        yield "whether there is a least fee is not known"
    if load.months and found.monthly_usd is None and not facts.own_machine:
        yield "what storage and hosting cost is not known"
    if load.months and found.inference_usd is None:
        yield "what requests cost is not known"


def _limits(facts: Facts, spec: Spec) -> Iterator[str]:
    wanted = spec.hyperparameters
    context = facts.dpo_context_tokens if spec.method is Method.DPO else facts.sft_context_tokens
    most = {
        "batch_size": facts.batch_size_at_most,
        "lora_rank": facts.lora_rank_at_most,
        "max_seq_length": context,
    }
    for name, limit in most.items():
        value = getattr(wanted, name)
        if value is not None and limit is not None and value > limit:
            yield f"{name} {value} is more than its {limit}"


def _used(spec: Spec, load: Load, validation: bool) -> list[str]:
    """The facts that the figures rest on."""
    full = "full_" if spec.hyperparameters.tuning == "full" else ""
    used = [f"{full}{spec.method}_usd_per_million_tokens", "minimum_usd_per_job", "training_closes_on"]
    used += ["default_epochs"] if spec.hyperparameters.epochs is None else []
    used += ["bills_validation"] if validation else []
    if load.months:
        used += ["storage_usd_per_month", "hosting_usd_per_hour", "inference_closes_on"]
    if load.requests_per_month:
        used += ["input_usd_per_million_tokens", "output_usd_per_million_tokens"]
    return used
