"""One dataset format: reading it, checking it, and writing it in a target's format."""

from ftbridge.dataset.checking.advice import Advice, advise
from ftbridge.dataset.checking.check import Report, check
from ftbridge.dataset.checking.digests import Digests
from ftbridge.dataset.converter import Converter, FileLimits
from ftbridge.dataset.counting.counters import TextCounter, guess, o200k, tokenizer_json
from ftbridge.dataset.counting.sample import TokenCount, TokenCounter
from ftbridge.dataset.counting.survey import Changes, Survey
from ftbridge.dataset.counting.tokens import TokenTally, count_tokens
from ftbridge.dataset.findings import Diagnostics, Finding, Omitted
from ftbridge.dataset.reading.examples import read_examples
from ftbridge.dataset.reading.observer import Observer
from ftbridge.dataset.rendered import RenderedRow, RenderedToken, Renderer
from ftbridge.dataset.writing.convert import Conversion, convert
from ftbridge.dataset.writing.prepare import Part, Prepared, prepare

__all__ = [
    "Advice",
    "Changes",
    "Conversion",
    "Converter",
    "Diagnostics",
    "Digests",
    "FileLimits",
    "Finding",
    "Observer",
    "Omitted",
    "Part",
    "Prepared",
    "RenderedRow",
    "RenderedToken",
    "Renderer",
    "Report",
    "Survey",
    "TextCounter",
    "TokenCount",
    "TokenCounter",
    "TokenTally",
    "advise",
    "check",
    "convert",
    "count_tokens",
    "guess",
    "o200k",
    "prepare",
    "read_examples",
    "tokenizer_json",
]
