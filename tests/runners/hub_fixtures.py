"""The stub of the Hugging Face hub as a fixture, and this process as its client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import close_session

from runners import hub_buckets
from runners.hub_server import running
from runners.hub_stub import TOKEN, HubStub


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubStub]:
    """The environment leads this process there."""
    with running(tmp_path_factory.mktemp("hub")) as stub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", stub.url)
        patch.setenv("HF_TOKEN", TOKEN)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        hub_buckets.replace(patch, stub.folder / "buckets")
        yield stub
        close_session()


@pytest.fixture(scope="module")
def training_hub(hub: HubStub, tiny_home: Path) -> HubStub:
    """Its machines have the tiny base already."""
    hub.home = hub.folder / "home"
    shutil.copytree(tiny_home / "local", hub.home / "local")
    return hub
