"""The packages that training and generating on this machine need, which the core does not."""

from __future__ import annotations

from importlib.util import find_spec

from ftbridge.errors import MissingExtra

_PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers", "jinja2")


def check_packages() -> None:
    """Raises `MissingExtra` where one is missing. Imports none of them."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"training on this machine needs {', '.join(missing)}", hint="Run `pip install 'ftbridge[local]'`."
        )
