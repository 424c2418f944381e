"""What a vendor has closed is said once, and asked for once, whatever was asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import ProviderRetired
from ftbridge.loopback import LoopbackServer
from ftbridge.mock import MockVendor
from ftbridge.provider import Provider
from ftbridge.provider.connection import Connection
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.mistral.mock.vendor import MistralMock
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock
from ftbridge_providers.together.adapter import TogetherProvider
from ftbridge_providers.together.mock.vendor import TogetherMock

VENDORS: list[tuple[type[Provider], type[MockVendor]]] = [
    (OpenAIProvider, OpenAIMock),
    (TogetherProvider, TogetherMock),
    (MistralProvider, MistralMock),
]
VERBS: dict[str, Callable[[Provider, Path], Any]] = {
    "upload": lambda provider, file: provider.upload(file, key="k1"),
    "find": lambda provider, _file: provider.find("ftb_1"),
    "poll": lambda provider, _file: list(provider.poll(["job-1"])),
    "events": lambda provider, _file: list(provider.events("job-1", "")),
    "cancel": lambda provider, _file: provider.cancel("job-1"),
    "chat": lambda provider, _file: provider.chat("m", Chat(messages=[User(content="Hi")])),
    "models": lambda provider, _file: provider.list_models(),
}


@pytest.mark.parametrize("status", [410, 501])
@pytest.mark.parametrize(("provider", "mock"), VENDORS, ids=lambda kind: kind.name)
def test_what_is_closed_is_not_asked_for_again(
    provider: type[Provider], mock: type[MockVendor], status: int, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "Once"}\n', "utf-8")
    vendor = mock(tmp_path / "mock")
    with LoopbackServer(vendor.app()) as server:
        url = server.url + vendor.base_path
        opened = provider(tmp_path, Connection(base_url=url, api_key=SecretStr("k"), account="mock"))
        for verb, ask in VERBS.items():
            vendor.faults.add(f"*={status}x2")
            with pytest.raises(ProviderRetired) as problem:
                ask(opened, file)
            assert problem.value.status == status
            assert vendor.faults.take("any"), f"{verb} was asked for twice"
        opened.close()
