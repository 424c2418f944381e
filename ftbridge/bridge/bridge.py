"""Submit, watch, fetch and talk to fine-tuning jobs, at any provider."""

from __future__ import annotations

from ftbridge.bridge.about_data import AboutData
from ftbridge.bridge.about_models import AboutModels
from ftbridge.bridge.about_moves import AboutMoves


class Bridge(AboutData, AboutMoves, AboutModels):
    """One dataset, one job, any provider.

    >>> bridge = Bridge()                                            # doctest: +SKIP
    >>> job = bridge.submit("support.jsonl", to="local:tiny", epochs=3)
    >>> job = bridge.wait(job)
    >>> print(bridge.chat(job, "Where is my order?"))

    State lives in `home` ($FTBRIDGE_HOME, or the platform's user data folder); any number of
    bridges and processes may share one. `warn` gets each sentence that has to be said before
    something is done; by default they are collected in `said`.
    """
