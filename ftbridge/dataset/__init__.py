"""One dataset format: reading it, checking it, and writing it as a target wants it."""

from ftbridge.dataset.advice import advise
from ftbridge.dataset.check import Report, check
from ftbridge.dataset.convert import Conversion, convert
from ftbridge.dataset.converter import Converter, FileLimits
from ftbridge.dataset.counters import TextCounter, guess, o200k, tokenizer_json
from ftbridge.dataset.findings import Finding, Notes
from ftbridge.dataset.prepare import Part, Prepared, prepare
from ftbridge.dataset.printable import printable
from ftbridge.dataset.read import read_examples
from ftbridge.dataset.survey import Changes, Survey
from ftbridge.dataset.tokens import TokenCount, TokenCounter, count_tokens

__all__ = [
    "Changes",
    "Conversion",
    "Converter",
    "FileLimits",
    "Finding",
    "Notes",
    "Part",
    "Prepared",
    "Report",
    "Survey",
    "TextCounter",
    "TokenCount",
    "TokenCounter",
    "advise",
    "check",
    "convert",
    "count_tokens",
    "guess",
    "o200k",
    "prepare",
    "printable",
    "read_examples",
    "tokenizer_json",
]
