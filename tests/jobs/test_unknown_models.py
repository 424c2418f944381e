"""A model that nobody knows is told before anything is sent, with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.errors import InvalidRequest


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_submit_says_which_model_was_meant(data: Path, provider: str) -> None:
    warned: list[str] = []
    with Bridge(warn=warned.append) as bridge, pytest.raises(InvalidRequest):
        bridge.submit(data, f"mock+{provider}:gpt-4.1-mini")
    [warning] = [one for one in warned if "is not one of the models known" in one]
    assert warning == (
        f"gpt-4.1-mini is not one of the models known at {provider}, so its limits and prices are not known."
        f" Did you mean 'gpt-4.1-mini-2025-04-14'? `ftbridge catalogue {provider}` lists those that are"
    )
