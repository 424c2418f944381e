"""What can be judged only when all rows of a file are known."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct

from ftbridge.dataset.converter import Converter
from ftbridge.dataset.findings import Diagnostics, Finding
from ftbridge.wording import counted


class Extent(Struct):
    """How much one target would get: rows with images, and bytes as they are sent."""

    with_images: int = 0
    size: int = 0


def check_whole_file(
    examples: int, diagnostics: Diagnostics, converters: Sequence[Converter], extents: Sequence[Extent]
) -> None:
    """Where the file as a whole is too small or too large, on line 0; `diagnostics` has what is wrong with its rows.

    A file without any valid row has no size: what is wrong with its rows is all there is to say.
    """
    if not examples and diagnostics.errors:
        return
    about_file = Diagnostics()
    if not examples:
        about_file.error("$", "empty_file", "the file has no examples", "Give one example per line.")
    for converter, extent in zip(converters, extents, strict=True):
        about_file.target = converter.target
        _check_limits(examples, converter, extent, about_file)
    diagnostics.take(about_file)


def _check_limits(examples: int, converter: Converter, extent: Extent, diagnostics: Diagnostics) -> None:
    target, limits = converter.target, converter.limits
    least, most = limits.fewest_examples, limits.most_with_images
    if examples < least:
        message = f"the file has {counted(examples, 'valid example')}, and {target} requires at least {least}"
        diagnostics.error("$", "too_few_examples", message, f"Add at least {least - examples} more.")
    if most is not None and extent.with_images > most:
        message = (
            f"the file has {counted(extent.with_images, 'example')} with images, and {target} takes at most {most:,}"
        )
        diagnostics.error("$", "too_many_with_images", message, f"Remove {extent.with_images - most:,} of them.")
    if limits.most_bytes is not None and extent.size > limits.most_bytes:
        message = f"the file to be sent has {extent.size:,} bytes, and {target} takes at most {limits.most_bytes:,}"
        diagnostics.error("$", "file_too_large", message, "Remove rows, or shorten them.")


def in_line_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings by line, without the warnings about a path that a target refuses anyway."""
    refused = {(finding.line, finding.path) for finding in findings if finding.target and finding.level == "error"}
    kept = [
        finding
        for finding in findings
        if finding.target or finding.level == "error" or (finding.line, finding.path) not in refused
    ]
    return sorted(kept, key=attrgetter("line"))
