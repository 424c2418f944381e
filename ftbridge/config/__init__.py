"""ftbridge.toml: what it may hold, which files apply, and how far each of them is trusted."""

from ftbridge.config.load import KnownHooks, hooks_of_process, load_config
from ftbridge.config.tables import BETWEEN, FILE_NAME, Config, Hook, OwnCatalogue, is_loopback, is_safe_url

__all__ = [
    "BETWEEN",
    "FILE_NAME",
    "Config",
    "Hook",
    "KnownHooks",
    "OwnCatalogue",
    "hooks_of_process",
    "is_loopback",
    "is_safe_url",
    "load_config",
]
