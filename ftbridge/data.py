"""Datasets by the rules of a target: checking, converting, counting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from ftbridge import dataset
from ftbridge.arguments import one_or_more
from ftbridge.catalogue.known_models import find_unknown
from ftbridge.context import Context
from ftbridge.dataset import (
    Advice,
    Conversion,
    Converter,
    Diagnostics,
    Digests,
    Finding,
    Report,
    TokenCount,
    TokenCounter,
    TokenTally,
)
from ftbridge.dataset.reading.observer import Observer, observe_file
from ftbridge.jobs.request.identity import json_object
from ftbridge.model import Spec
from ftbridge.provider.capabilities import check_method
from ftbridge.spec import make_spec


def check(
    context: Context,
    data: str | Path,
    to: str | Sequence[str] = (),
    *,
    validation: str | Path | None = None,
    near_duplicates: bool = False,
    tokens: bool = False,
    exact: bool = False,
    vocabulary: Path | None = None,
    workers: int = 1,
    method: str = "sft",
    grader: Mapping[str, Any] | str | Path | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
) -> Report:
    """All findings in `data`: by ftbridge's own rules, by those of the target or targets `to`, and advice.

    The targets' rules are those for `method`, and, with `grader`, for what that reads of each row. With
    `validation`, examples that are in both files are found; with `near_duplicates`, these as well. With `tokens`,
    the report has those of each target, counted as `count_tokens` does with `exact` and `vocabulary`.
    """
    to = one_or_more(to)
    specs = [_partial_spec(data, text, method, grader) for text in to or [""]]  # the method is checked in any case
    converters = [_rules(context, spec) for spec in specs if spec.target]
    advice, held_out = Advice(near_duplicates=near_duplicates), Digests()
    tallies = {text: TokenTally(_counter(context, text, vocabulary), exact=exact) for text in to if tokens}
    observers: list[Observer] = [advice, *tallies.values()]
    report = dataset.check(data, format=format, converters=converters, observers=observers, workers=workers)
    if not report.examples:
        tallies = {}
    elif validation is not None:
        observe_file(validation, [held_out], format=format)
    more = (*_unknown_models(context, to), *(advice.findings(held_out.digests) if report.examples else ()))
    return structs.replace(
        report,
        warnings=report.warnings + len(more),
        findings=(*report.findings, *more),
        tokens={text: tally.count() for text, tally in tallies.items()},
    )


def convert(
    context: Context,
    data: str | Path,
    to: str,
    out: str | Path,
    *,
    method: str = "sft",
    grader: Mapping[str, Any] | str | Path | None = None,
    format: str | None = None,  # noqa: A002 - as above
    workers: int = 1,
) -> Conversion:
    """Write `data` in the target's format to the file `out`, complete or not at all."""
    return dataset.convert(
        data, _rules(context, _partial_spec(data, to, method, grader)), out, format=format, workers=workers
    )


def count_tokens(
    context: Context,
    data: str | Path,
    to: str,
    *,
    exact: bool = False,
    vocabulary: Path | None = None,
    format: str | None = None,  # noqa: A002 - as above
) -> TokenCount:
    """The tokens of `data` by the tokenizer of the target's model, or by the closest one that is available.

    `vocabulary` is a file of that tokenizer: o200k_base.tiktoken for OpenAI, elsewhere a tokenizer.json.
    """
    return dataset.count_tokens(data, _counter(context, to, vocabulary), exact=exact, format=format)


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


def _partial_spec(data: str | Path, to: str, method: str, grader: Mapping[str, Any] | str | Path | None) -> Spec:
    """The parts of a spec that the rules for a file depend on."""
    return make_spec(target=to, data=Path(data), method=method, grader=json_object(grader), hyperparameters={})
