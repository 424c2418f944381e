"""What a vendor's room tells the core about its data format."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from ftbridge.dataset.canonical.example import Example, Shape
from ftbridge.dataset.findings import Diagnostics


class FileLimits(Struct, frozen=True):
    """What a target takes of a whole file, as it is sent: None where no limit is known."""

    fewest_examples: int = 1
    most_with_images: int | None = None
    most_bytes: int | None = None


class Converter(Protocol):
    """One target's reading of the canonical format: a pure function of one example.

    `shapes` are those the target trains on with the method asked for. It can be pickled, so that
    several processes can check and convert.
    """

    target: str
    shapes: frozenset[Shape]
    limits: FileLimits

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The row as the target wants it, to be encoded by msgspec.

        Returning `example` itself means that the target takes it as it stands, and the original
        bytes are passed on; a `diagnostics.changed(code)` then says what the target will not use. Every
        other return goes with at least one `diagnostics.changed(code)`. An example that the target
        cannot take is a `diagnostics.error(…)`, and what is returned then is not used. Where `limits` has a
        `most_with_images`, an example with images is counted in `diagnostics.with_images`. Never raises,
        and never alters `example`.
        """
        ...
