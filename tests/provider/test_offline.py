"""Offline is a property of who asks, not of the provider that all share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ftbridge.provider import is_offline
from ftbridge.provider.offline import offline


def test_it_holds_in_the_block_and_ends_with_it() -> None:
    with offline():
        assert is_offline()
        with offline(only=False):
            assert is_offline()
    assert not is_offline()


def test_another_thread_is_not_concerned() -> None:
    with ThreadPoolExecutor(1) as other, offline():
        assert not other.submit(is_offline).result()
        assert is_offline()
