"""One reading of a file for many targets: how many tokens it has for each, and what each would change.

All is judged by one random sample, so that it is quick; `check` and `convert` look at every row.
"""

from __future__ import annotations

import random
from operator import itemgetter
from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset.canonical.example import Example
from ftbridge.dataset.checking.check import TargetRules
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.counting.tokens import Kind, Stratum, TokenCount, TokenCounter, estimate, kind_of
from ftbridge.dataset.findings import Diagnostics
from ftbridge.dataset.reading.source import open_source

SAMPLE = 500


class Changes(Struct, frozen=True):
    """What a target makes of `examined` rows: how many each code changed, and how many have no form there."""

    examined: int
    changed: dict[str, int]
    impossible: int


class Survey:
    """The rows of a file, counted, and a sample of them. Rows with errors are passed over, and counted in `broken`."""

    def __init__(self, path: str | Path, *, sample: int = SAMPLE, seed: int = 0, format: str | None = None) -> None:  # noqa: A002  # the word of the CLI
        self._sample, self._seed = sample, seed
        self._strata: dict[Kind, Stratum] = {}
        self.broken = 0
        rng, diagnostics = random.Random(seed), Diagnostics()  # noqa: S311  # a sample is to be repeatable, not secret
        with open_source(path, format) as source:
            for _, example in source.examples(diagnostics):
                self._pass_over(diagnostics)
                data = msgspec.json.encode(example)
                kind = kind_of(data, example)
                stratum = self._strata.setdefault(kind, Stratum(rng, kind))
                stratum.add(diagnostics.line, example, len(data), sample)
            self._pass_over(diagnostics)

    def _pass_over(self, diagnostics: Diagnostics) -> None:
        """Count the lines with errors since the last sound example."""
        self.broken += len({finding.line for finding in diagnostics.findings if finding.level == "error"})
        diagnostics.findings.clear()

    @property
    def examples(self) -> int:
        """How many sound examples the file has."""
        return sum(stratum.rows for stratum in self._strata.values())

    def tokens(self, counter: TokenCounter) -> TokenCount:
        """The file's tokens, estimated; exact where the sample holds every row and the counter is."""
        rng = random.Random(self._seed)  # noqa: S311  # likewise
        return estimate(self._strata.values(), counter, self._sample, rng)

    def changes(self, converter: Converter) -> Changes:
        """What the target's rules would change, or refuse, in the sample."""
        rules = TargetRules(converter)
        changed: dict[str, int] = {}
        rows = self._drawn()
        impossible = 0
        for line, example in rows:
            impossible += rules.convert(line, example) is None
            for code in set(rules.diagnostics.changes):
                changed[code] = changed.get(code, 0) + 1
            rules.diagnostics.changes.clear()
        return Changes(len(rows), changed, impossible)

    def write_some(self, out: Path, rows: int) -> Path:
        """Write up to `rows` of the sample to `out`, in the canonical format, and return it."""
        out.write_bytes(b"".join(msgspec.json.encode(example) + b"\n" for _, example in self._drawn()[:rows]))
        return out

    def _drawn(self) -> list[tuple[int, Example]]:
        kept = [(line, example) for stratum in self._strata.values() for line, example, _ in stratum.sample]
        kept.sort(key=itemgetter(0))
        if len(kept) <= self._sample:
            return kept
        drawn = random.Random(self._seed).sample(kept, self._sample)  # noqa: S311  # likewise
        return sorted(drawn, key=itemgetter(0))
