"""Nebius Token Factory, mocked."""
