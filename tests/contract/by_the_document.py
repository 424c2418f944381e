"""The suite, and after it a check that all that was sent and answered conforms to the vendor's SDK and document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from ftbridge.mock import MockVendor
from ftbridge.testing.mocked import MockedContract
from spec_check import check_seen


class DocumentedContract(MockedContract):
    """`prefix` is what the document's paths leave out."""

    prefix: ClassVar[str] = ""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def document(cls, mock: MockVendor) -> Iterator[None]:
        yield
        # the injected status that no vendor has is in no document
        seen = [one for one in mock.seen if "defragmenting" not in str(one.answer.body).lower()]
        check_seen(mock.name, seen, prefix=cls.prefix)
