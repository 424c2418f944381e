"""`ftbridge` in a process of its own, which asks mocked vendors again after hundredths of a second."""

from __future__ import annotations

import sys

from ftbridge.cli.app import run
from ftbridge.provider import Provider
from ftbridge.provider.hosted import HostedProvider

Provider.poll_seconds, Provider.slowest_poll_seconds = 0.02, 0.2
HostedProvider.listing_lag_seconds = HostedProvider.in_flight_seconds = 0.1

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
