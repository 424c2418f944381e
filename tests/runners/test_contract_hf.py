"""The provider `hf` passes the suite that every provider passes, at a stub of the hub that really runs the jobs.

Only the bytes of a bucket's files go another way than at the hub: `hub_buckets` says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from every_case import only_with_every_case
from ftbridge.provider import Provider
from ftbridge.testing import Faults, ProviderContract
from ftbridge_local.hugging_face.provider import HfProvider
from runners.hub_faults import HubFaults
from runners.hub_stub import TOKEN, HubStub


@only_with_every_case
class TestHf(ProviderContract):
    model: ClassVar[str] = "cpu-basic/tiny"
    secret: ClassVar[str] = TOKEN

    @pytest.fixture(scope="class")
    @classmethod
    def provider(cls, tmp_path_factory: pytest.TempPathFactory, training_hub: HubStub) -> Iterator[Provider]:
        provider = HfProvider(tmp_path_factory.mktemp("home"))
        yield provider
        provider.close()

    @pytest.fixture(scope="class")
    @classmethod
    def faults(cls, training_hub: HubStub) -> Faults:
        return HubFaults(training_hub)
