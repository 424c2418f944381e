"""The conformance suite that every provider passes, ours and others'.

A provider's test is a subclass that says how to make one and what to train:

    class TestAcme(ProviderContract):
        model = "acme-small"

        @pytest.fixture(scope="class")
        @classmethod
        def provider(cls, tmp_path_factory):
            return AcmeProvider(tmp_path_factory.mktemp("home"))

and pytest runs everything against it: each verb, and, where the fixture `faults` can make the vendor misbehave, each
fault. What the provider does not offer, or the faults cannot cause, is skipped with the reason. Jobs are small, and
one finished job serves many tests.
"""

from __future__ import annotations

from ftbridge.testing.base import ROWS, Faults, Finished
from ftbridge.testing.creates import CreateTests
from ftbridge.testing.deletion import DeletionTests
from ftbridge.testing.faults import FaultTests
from ftbridge.testing.jobs import JobTests
from ftbridge.testing.secrets import SecretTests
from ftbridge.testing.specs import SpecTests


class ProviderContract(SpecTests, JobTests, DeletionTests, CreateTests, FaultTests, SecretTests):
    """What ftbridge relies on. Subclass it, set `model`, and define the class-scoped fixture `provider`."""


__all__ = ["ROWS", "Faults", "Finished", "ProviderContract"]
