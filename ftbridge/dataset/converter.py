"""What a vendor's package tells the core about its data format."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from ftbridge.dataset.canonical.example import Example, Shape
from ftbridge.dataset.findings import Diagnostics


class FileLimits(Struct, frozen=True):
    """A target's limits on a whole file, as it is sent: None where no limit is known."""

    fewest_examples: int = 1
    most_with_images: int | None = None
    most_bytes: int | None = None


class Converter(Protocol):
    """One target's reading of the canonical format: a pure function of one example.

    `shapes` are those the target trains on by the job's method. A converter can be pickled, so that
    several processes can check and convert.
    """

    target: str
    shapes: frozenset[Shape]
    limits: FileLimits

    def convert(self, example: Example, diagnostics: Diagnostics) -> Any:
        """The row in the target's format, to be encoded by msgspec.

        To return `example` itself means that the target takes it as it is, and the original
        bytes are passed on; a `diagnostics.changed(code)` then names what the target will not use. Any
        other return value requires at least one `diagnostics.changed(code)`. For an example that the target
        cannot take, `diagnostics.error(…)` is called, and the return value is not used. Where `limits` has a
        `most_with_images`, an example with images is counted in `diagnostics.with_images`. Never raises,
        and never alters `example`.
        """
        ...


class PlainChats(Struct, frozen=True):
    """Chats that a target takes as they are: of texts by system, user and assistant alone, with no weights and names.

    They have at most `most_bytes` as JSON, and none of the `marks`, which are written in JSON as they are here.
    """

    most_bytes: int | None = None
    marks: tuple[bytes, ...] = ()


@runtime_checkable
class TakesPlainChats(Converter, Protocol):
    """A converter that need not see most chats: for those that are `plain_chats` it would find and change nothing."""

    plain_chats: PlainChats
