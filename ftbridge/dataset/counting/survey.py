"""One reading of a file for many targets: how many tokens it has for each, and what each would change.

Everything is judged by one random sample, so that it is quick; `check` and `convert` examine every row.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from ftbridge.dataset.converter import Converter
from ftbridge.dataset.counting.sample import RowSample, TokenCount, TokenCounter
from ftbridge.dataset.data_file import Data
from ftbridge.dataset.reading.observer import observe_file
from ftbridge.dataset.target_rules import TargetRules

SAMPLE = 500


class Changes(Struct, frozen=True):
    """What a target makes of `examined` rows: how many rows each code changed, and how many have no form there."""

    examined: int
    changed: dict[str, int]
    impossible: int


class Survey:
    """A random sample of a file. Rows with errors are skipped, and counted in `invalid_rows`."""

    def __init__(self, path: Data, *, sample: int = SAMPLE, seed: int = 0, format: str | None = None) -> None:  # noqa: A002  # the word of the CLI
        self._sample = RowSample(sample, seed)
        self.invalid_rows = observe_file(path, [self._sample], format=format)

    @property
    def examples(self) -> int:
        """How many valid examples the file has."""
        return self._sample.examples

    def tokens(self, counter: TokenCounter) -> TokenCount:
        """The file's tokens, estimated; exact where the sample holds every row and `counter` is exact."""
        return self._sample.estimate(counter)

    def changes(self, converter: Converter) -> Changes:
        """What the target's rules would change, or refuse, in the sample."""
        rules = TargetRules(converter)
        changed: dict[str, int] = {}
        rows = self._sample.drawn()
        impossible = 0
        for row in rows:
            impossible += rules.convert(row.line, row.example) is None
            for code in set(rules.diagnostics.changes):
                changed[code] = changed.get(code, 0) + 1
            rules.diagnostics.changes.clear()
        return Changes(len(rows), changed, impossible)

    def write_sample(self, out: Path, rows: int) -> Path:
        """Write up to `rows` of the sample to `out`, in the canonical format, and return it."""
        out.write_bytes(b"".join(msgspec.json.encode(row.example) + b"\n" for row in self._sample.drawn()[:rows]))
        return out
