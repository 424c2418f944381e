"""The base model `tiny`, built on this machine from a seed."""
