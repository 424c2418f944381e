"""The suite, and after it a look whether all that was sent and answered fits the vendor's own document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from ftbridge.mock import MockVendor
from ftbridge.testing.mocked import MockedContract
from spec_check import SPECS, check_seen


class DocumentedContract(MockedContract):
    """`prefix` is what the document's paths leave out."""

    prefix: ClassVar[str] = ""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def document(cls, mock: MockVendor) -> Iterator[None]:
        yield
        if (SPECS / f"{mock.name}.json").exists():
            # the word that stands for any that nobody knows is, of course, in no document
            seen = [one for one in mock.seen if "defragmenting" not in str(one.answer.body).lower()]
            assert check_seen(mock.name, seen, prefix=cls.prefix)
