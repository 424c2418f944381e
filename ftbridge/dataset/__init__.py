"""One dataset format: reading it, checking it, and writing it as a target wants it."""

from ftbridge.dataset.check import Report, check
from ftbridge.dataset.convert import Conversion, convert
from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Finding, Notes
from ftbridge.dataset.printable import printable
from ftbridge.dataset.read import read_examples

__all__ = ["Conversion", "Converter", "Finding", "Notes", "Report", "check", "convert", "printable", "read_examples"]
