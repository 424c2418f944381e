"""The contract of a provider, and what adapters share: everything that writing a provider needs."""

from ftbridge.provider.artifacts import Artifact
from ftbridge.provider.capabilities import APPLIED, Capabilities, Handling, Verb
from ftbridge.provider.completions import completion
from ftbridge.provider.connection import Connection
from ftbridge.provider.contract import Provider
from ftbridge.provider.offline import is_offline
from ftbridge.provider.remote import (
    Deployment,
    Files,
    HostingTerms,
    ImportedJob,
    Listed,
    RemoteJob,
    Reply,
    TunedModel,
    Usage,
)
from ftbridge.provider.settings import Settings, setting

__all__ = [
    "APPLIED",
    "Artifact",
    "Capabilities",
    "Connection",
    "Deployment",
    "Files",
    "Handling",
    "HostingTerms",
    "ImportedJob",
    "Listed",
    "Provider",
    "RemoteJob",
    "Reply",
    "Settings",
    "TunedModel",
    "Usage",
    "Verb",
    "completion",
    "is_offline",
    "setting",
]
