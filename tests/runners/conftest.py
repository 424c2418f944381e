"""Fixtures of runners."""

from runners.hub_fixtures import hub, training_hub

__all__ = ["hub", "training_hub"]
