"""One dataset, one job, any fine-tuning provider.

>>> from ftbridge import Bridge
>>> bridge = Bridge()                                            # doctest: +SKIP
>>> job = bridge.wait(bridge.submit("support.jsonl", to="local:tiny", epochs=3))
>>> print(bridge.chat(job, "Where is my order?"))
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftbridge.async_bridge import AsyncBridge
    from ftbridge.bridge import Bridge
    from ftbridge.comparison.offers import Machine, Offer
    from ftbridge.costs.quote import Load
    from ftbridge.errors import FtbridgeError
    from ftbridge.evaluation.results import Evaluation
    from ftbridge.model import Event, Hyperparameters, Job, Result, Spec, Status
    from ftbridge.provider import Provider, Reply
    from ftbridge.sweep.results import Sweep

logging.getLogger(__name__).addHandler(logging.NullHandler())  # whether to log is the application's choice

_ROOMS = {
    "AsyncBridge": "async_bridge",
    "Bridge": "bridge",
    "Evaluation": "evaluation.evaluate",
    "Event": "model",
    "FtbridgeError": "errors",
    "Hyperparameters": "model",
    "Job": "model",
    "Load": "costs.quote",
    "Machine": "comparison.offers",
    "Offer": "comparison.offers",
    "Provider": "provider",
    "Reply": "provider",
    "Result": "model",
    "Spec": "model",
    "Status": "model",
    "Sweep": "sweep.results",
}

__all__ = [
    "AsyncBridge",
    "Bridge",
    "Evaluation",
    "Event",
    "FtbridgeError",
    "Hyperparameters",
    "Job",
    "Load",
    "Machine",
    "Offer",
    "Provider",
    "Reply",
    "Result",
    "Spec",
    "Status",
    "Sweep",
]


def __getattr__(name: str) -> Any:
    """Load a public name's room when it is first asked for, so that the command line starts quickly."""
    if name in _ROOMS:
        return getattr(import_module(f"ftbridge.{_ROOMS[name]}"), name)
    raise AttributeError(f"module 'ftbridge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
