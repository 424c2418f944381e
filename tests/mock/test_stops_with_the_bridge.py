"""A bridge that is closed leaves no mock server behind."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

import pytest

from ftbridge import Bridge
from ftbridge.plugins import mock_names
from ftbridge.provider.hosted import HostedProvider


def test_no_mock_listens_after_close() -> None:
    before = set(threading.enumerate())
    with Bridge() as bridge:
        providers = [bridge.provider_named(f"mock+{name}") for name in mock_names()]
        ports = [urlsplit(one.base_url).port for one in providers if isinstance(one, HostedProvider)]
        assert len(ports) == len(mock_names())
        for port in ports:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert not [thread for thread in {*threading.enumerate()} - before if thread.name == "ftbridge-loopback"]
