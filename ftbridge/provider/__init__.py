"""The contract of a provider, and what adapters share: whoever writes a provider finds all of it here."""

from ftbridge.provider.contract import (
    APPLIED,
    Capabilities,
    Deployment,
    Files,
    Handling,
    HostingTerms,
    ImportedJob,
    Listed,
    Provider,
    RemoteJob,
    Reply,
    TunedModel,
    Usage,
    Verb,
)

__all__ = [
    "APPLIED",
    "Capabilities",
    "Deployment",
    "Files",
    "Handling",
    "HostingTerms",
    "ImportedJob",
    "Listed",
    "Provider",
    "RemoteJob",
    "Reply",
    "TunedModel",
    "Usage",
    "Verb",
]
