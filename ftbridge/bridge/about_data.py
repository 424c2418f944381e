"""What the bridge does with datasets, before anything is sent anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import structs

from ftbridge.bridge.base import Base
from ftbridge.bridge.intent import object_of
from ftbridge.capabilities import check_method
from ftbridge.dataset import (
    Conversion,
    Converter,
    Finding,
    Notes,
    Report,
    TokenCount,
    advise,
    check,
    convert,
    count_tokens,
    printable,
)
from ftbridge.model import Spec, make_spec
from ftbridge.target import did_you_mean, parse_target


class AboutData(Base):
    """Checking, converting, and counting."""

    def check(
        self,
        data: str | Path,
        to: Sequence[str] = (),
        *,
        validation: str | Path | None = None,
        near: bool = False,
        workers: int = 1,
        method: str = "sft",
        grader: Mapping[str, Any] | str | Path | None = None,
        format: str | None = None,  # noqa: A002 - the word users know
    ) -> Report:
        """All findings in `data`: by ftbridge's own rules, by those of each target in `to`, and what to think about.

        The targets' rules are those for `method`, and, with `grader`, for what that reads of each row. With
        `validation`, examples that are in both files are found; with `near`, near duplicates as well.
        """
        asked = [_sketch(data, text, method, grader) for text in to or [""]]  # the method is looked at in any case
        converters = [self._rules(spec) for spec in asked if spec.target]
        report = check(data, format=format, converters=converters, workers=workers)
        advice = advise(data, validation=validation, near=near, format=format) if report.examples else ()
        more = (*self._unknown_models(to), *advice)
        return structs.replace(report, warnings=report.warnings + len(more), findings=(*report.findings, *more))

    def convert(
        self,
        data: str | Path,
        to: str,
        out: str | Path,
        *,
        method: str = "sft",
        grader: Mapping[str, Any] | str | Path | None = None,
        format: str | None = None,  # noqa: A002 - as above
        workers: int = 1,
    ) -> Conversion:
        """Write `data` as the target wants it to the file `out`, whole or not at all."""
        return convert(data, self._rules(_sketch(data, to, method, grader)), out, format=format, workers=workers)

    def count_tokens(
        self,
        data: str | Path,
        to: str,
        *,
        exact: bool = False,
        vocabulary: Path | None = None,
        format: str | None = None,  # noqa: A002 - as above
    ) -> TokenCount:
        """The tokens of `data` by the tokenizer of the target's model, or the nearest that is at hand.

        `vocabulary` is a file of that tokenizer: o200k_base.tiktoken for OpenAI, elsewhere a tokenizer.json.
        """
        target = parse_target(to, self.config.targets)
        provider = self._place.provider(target)
        return count_tokens(
            data, provider.counter(provider.resolve(target.model), vocabulary), exact=exact, format=format
        )

    def _unknown_models(self, to: Sequence[str]) -> list[Finding]:
        """A warning for each target whose provider has a catalogue without its model."""
        notes = Notes()
        for notes.target in to:
            target = self._place.target(notes.target)
            entry = self._place.entry(target)
            named = [other.model for other in self._place.catalogue.entries() if other.provider == target.provider]
            if named and entry.facts.methods is None and entry.closes_on is None:
                said = f"{printable(target.model)} is none of the models that are known at {target.provider}"
                fix = f"{did_you_mean(target.model, named)}`ftbridge models {target.provider}` lists those that are."
                notes.warning("$", "unknown_model", f"{said}, and so are neither its limits nor its prices", fix)
        return notes.findings

    def _rules(self, spec: Spec) -> Converter:
        target = parse_target(spec.target, self.config.targets)
        provider = self._place.provider(target)
        check_method(spec.method, provider.capabilities, provider.name)
        return provider.rules(spec, provider.resolve(target.model))


def _sketch(data: str | Path, to: str, method: str, grader: Mapping[str, Any] | str | Path | None) -> Spec:
    """As much of a spec as the rules for a file go by."""
    return make_spec(target=to, data=Path(data), method=method, grader=object_of(grader), hyperparameters={})
