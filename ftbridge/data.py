"""Datasets by the rules of a target: checking, converting, counting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from ftbridge import dataset
from ftbridge.catalogue.known_models import find_unknown
from ftbridge.context import Context
from ftbridge.dataset import (
    Advice,
    Conversion,
    Converter,
    Diagnostics,
    Digests,
    Finding,
    RenderedRow,
    Renderer,
    Report,
    TokenCount,
    TokenCounter,
    TokenTally,
)
from ftbridge.dataset.counting.sample import RowSample
from ftbridge.dataset.counting.tokens import SAMPLE
from ftbridge.dataset.reading.given import Given, given
from ftbridge.dataset.reading.observer import Observer, observe_file
from ftbridge.dataset.reading.source import Source, open_source
from ftbridge.errors import Unsupported, UsageError
from ftbridge.model import Spec
from ftbridge.provider.capabilities import check_method
from ftbridge.spec import json_object, make_spec


def check(
    context: Context,
    data: Given,
    to: str | Sequence[str] = (),
    *,
    validation: Given | None = None,
    near_duplicates: bool = False,
    tokens: bool = False,
    exact: bool = False,
    vocabulary: Path | None = None,
    advice: bool = True,
    workers: int | None = None,
    method: str = "sft",
    grader: Mapping[str, Any] | str | Path | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
) -> Report:
    """All findings in `data`: by ftbridge's own rules, by those of the target or targets `to`, and advice.

    `data` is a path, or rows: mappings, a DataFrame of pandas or polars, a `datasets.Dataset`. `map` gives columns, or
    keys, the names of a format, such as {"question": "prompt"}.

    The targets' rules are those for `method`, and, with `grader`, for what that reads of each row. With
    `validation`, examples that are in both files are found; with `near_duplicates`, these as well; without `advice`,
    nothing that concerns more than one row. With `tokens`, the report has those of each target, counted as
    `count_tokens` does with `exact` and `vocabulary`. Large files are read by as many processes as there are cores,
    or by as many `workers`.
    """
    to = context.targets(to)
    specs = [_partial_spec(text, method, grader) for text in to or [""]]  # the method is checked in any case
    converters = [_rules(context, spec) for spec in specs if spec.target]
    counters = {text: _counter(context, text, vocabulary) for text in to if tokens}
    tallies = {text: TokenTally(counter, exact=True) for text, counter in counters.items() if exact}
    sample, advisor, held_out = RowSample(SAMPLE), Advice(near_duplicates=near_duplicates), Digests()
    observers: list[Observer] = [*[advisor] * advice, *tallies.values(), *[sample] * bool(counters and not exact)]
    found, counts = _unknown_models(context, to), {}
    with ExitStack() as files:
        read = files.enter_context(given(data, context.home, map))
        report = dataset.check(read, format=format, converters=converters, observers=observers, workers=workers)
        if report.examples:
            if advice and validation is not None:
                held = files.enter_context(given(validation, context.home, map))
                observe_file(held, [held_out], format=format)
            found += advisor.findings(held_out.digests)
            counts = {text: tallies[text].count() if exact else sample.estimate(counters[text]) for text in counters}
    return structs.replace(
        report,
        warnings=report.warnings + len(found),
        findings=(*report.findings, *found),
        tokens=counts,
    )


def convert(
    context: Context,
    data: Given,
    to: str,
    out: str | Path,
    *,
    method: str = "sft",
    grader: Mapping[str, Any] | str | Path | None = None,
    format: str | None = None,  # noqa: A002 - as above
    map: Mapping[str, str] | None = None,  # noqa: A002 - as above
    workers: int | None = None,
) -> Conversion:
    """Write `data` in the target's format to the file `out`, complete or not at all.

    Large files are read by as many processes as there are cores, or by as many `workers`.
    """
    rules = _rules(context, _partial_spec(to, method, grader))
    with given(data, context.home, map) as read:
        return dataset.convert(read, rules, out, format=format, workers=workers)


class RenderedLine(NamedTuple):
    """A line of a dataset with the rows that a model reads for it; where there are none, what is wrong with it."""

    line: int
    rows: tuple[RenderedRow, ...]
    errors: tuple[Finding, ...] = ()


def render(
    context: Context,
    data: Given,
    to: str,
    *,
    line: int | None = None,
    method: str = "sft",
    format: str | None = None,  # noqa: A002 - as above
    map: Mapping[str, str] | None = None,  # noqa: A002 - as above
) -> Iterator[RenderedLine]:
    """Each example of `data` as the target's model reads it in training, or only that on `line`.

    Raises `Unsupported` where nobody but the vendor knows it, and `UsageError` where no row begins on `line`.
    """
    target, spec = context.target(to), _partial_spec(to, method, None)
    provider = context.provider(target)
    check_method(spec.method, provider.capabilities, provider.name)
    if "renderer" not in provider.capabilities.verbs:
        raise Unsupported(
            f"{provider.name} renders and masks rows on its own side, and does not tell how",
            provider=provider.name,
            hint="--show-mask is for models that are trained on this machine.",
        )
    show = provider.renderer(spec, target.model)
    with given(data, context.home, map) as read, open_source(read, format) as source:
        shown = (one for one in _rendered_lines(source, show, line) if line in (None, one.line))
        if line is None:
            yield from shown
        elif (one := next(shown, None)) is not None:
            yield one
        else:
            raise UsageError(f"no row of {source.name} begins on line {line}", hint="Give the number of another line.")


def _rendered_lines(source: Source, show: Renderer, only: int | None) -> Iterator[RenderedLine]:
    diagnostics, seen = Diagnostics(), 0

    def errors() -> Iterator[RenderedLine]:
        nonlocal seen
        new, seen = diagnostics.findings[seen:], len(diagnostics.findings)
        for line, those in groupby((one for one in new if one.level == "error"), attrgetter("line")):
            yield RenderedLine(line, (), tuple(those))

    for _, example in source.examples(diagnostics):
        yield from errors()
        if only in (None, diagnostics.line) and (rows := show(example, diagnostics)):
            yield RenderedLine(diagnostics.line, rows)
        yield from errors()
    yield from errors()


def count_tokens(
    context: Context,
    data: Given,
    to: str,
    *,
    exact: bool = False,
    vocabulary: Path | None = None,
    format: str | None = None,  # noqa: A002 - as above
    map: Mapping[str, str] | None = None,  # noqa: A002 - as above
) -> TokenCount:
    """The tokens of `data` by the tokenizer of the target's model, or by the closest one that is available.

    `vocabulary` is a file of that tokenizer: o200k_base.tiktoken for OpenAI, elsewhere a tokenizer.json.
    """
    with given(data, context.home, map) as read:
        return dataset.count_tokens(read, _counter(context, to, vocabulary), exact=exact, format=format)


def _counter(context: Context, to: str, vocabulary: Path | None) -> TokenCounter:
    target = context.target(to)
    return context.provider(target).token_counter(target.model, vocabulary)


def _unknown_models(context: Context, to: Sequence[str]) -> list[Finding]:
    """A warning for each target whose provider has a catalogue without its model."""
    diagnostics = Diagnostics()
    for diagnostics.target in to:
        target = context.target(diagnostics.target)
        if unknown := find_unknown(context.catalogue, target, context.entry(target)):
            diagnostics.warning("$", "unknown_model", unknown.message, unknown.fix)
    return diagnostics.findings


def _rules(context: Context, spec: Spec) -> Converter:
    target = context.target(spec.target)
    provider = context.provider(target)
    check_method(spec.method, provider.capabilities, provider.name)
    return provider.converter(spec, target.model)


def _partial_spec(to: str, method: str, grader: Mapping[str, Any] | str | Path | None) -> Spec:
    """The parts of a spec that the rules for a file depend on."""
    return make_spec(target=to, data=Path("data"), method=method, grader=json_object(grader), hyperparameters={})
