"""Mistral, mocked."""
