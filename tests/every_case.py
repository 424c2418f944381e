"""Whether every case is run: `make test-all` does, and `make test` a part of the large matrices."""

from __future__ import annotations

import os

import pytest

EVERY_CASE = os.environ.get("FTBRIDGE_EVERY_CASE") == "1"
only_with_every_case = pytest.mark.skipif(not EVERY_CASE, reason="`make test-all` runs it")
