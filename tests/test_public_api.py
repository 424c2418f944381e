"""The public API changes only on purpose: it is recorded, and compared with the record."""

from __future__ import annotations

from difflib import unified_diff

from public_api import RECORDED, public_api


def test_the_public_api_is_as_recorded() -> None:
    recorded, now = RECORDED.read_text("utf-8"), public_api()
    changes = "\n".join(unified_diff(recorded.splitlines(), now.splitlines(), "recorded", "now", lineterm="", n=0))
    assert recorded == now, f"{changes}\n\nIf this is intended, record it: python tests/public_api.py"
