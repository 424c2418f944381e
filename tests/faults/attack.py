"""One attack: a vendor that misbehaves, what a person does then, and what it has cost.

The vendors are the stubs of `faults.stubs`, which share no code with the project's mocks. A person types commands;
each runs as `ftbridge` does, in this process. The verdict is by what the vendor has made and what the person is told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from command_line import Cli, Ran, in_this_process
from faults.stubs.mistral_stub import MistralStub
from faults.stubs.openai_stub import OpenAIStub
from faults.stubs.together_stub import TogetherStub
from faults.stubs.vendor import Vendor
from faults.stubs.wire import StubServer
from ftbridge import Bridge
from ftbridge.model import Job
from ftbridge_providers.mistral.adapter import MistralProvider
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.together.adapter import TogetherProvider
from small_data import write_rows

STUBS: dict[str, type[Vendor]] = {"openai": OpenAIStub, "together": TogetherStub, "mistral": MistralStub}
MODELS = {"openai": "gpt-4.1-mini-2025-04-14", "together": "Qwen/Qwen3-8B", "mistral": "open-mistral-nemo"}
PROVIDERS = (OpenAIProvider, TogetherProvider, MistralProvider)
LAG = 0.15
"""Seconds for which a listing may hide a new job, as the adapters are told; and as long for a request."""


@dataclass
class Scene:
    """A person at a home folder, before a vendor."""

    vendor: Vendor
    name: str
    home: Path
    data: Path
    run: Cli
    said: list[Ran] = field(default_factory=list)

    @property
    def target(self) -> str:
        return f"{self.name}:{MODELS[self.name]}"

    def type(self, *words: str | Path) -> Ran:
        """Run a command."""
        ran = self.run(*words)
        self.said.append(ran)
        return ran

    def submit(self, *more: str) -> Ran:
        """Ask for the job."""
        return self.type("submit", self.data, "--to", self.target, "--epochs", "1", *more)

    @property
    def jobs(self) -> list[Job]:
        """Those of the ledger."""
        with Bridge(self.home) as bridge:
            return bridge.jobs()


class Verdict(Exception):  # noqa: N818 - what an attack has come to
    """What went wrong, in a line."""


def check(scene: Scene, *, paid: int = 1) -> None:
    """Raises `Verdict` unless the vendor made `paid` jobs at most, and the ledger knows all that run."""
    made, known = scene.vendor.made, {job.remote_id for job in scene.jobs}
    if len(made) > paid:
        raise Verdict(f"{len(made)} jobs were made instead of {paid}")
    if forgotten := [job.id for job in scene.vendor.running if job.id not in known]:
        unclear = [job for job in scene.jobs if job.remote_id is None and job.status != "cancelled"]
        if not unclear:
            raise Verdict(f"{forgotten} runs and is in no ledger")
        if all(ran.code == 0 and not ran.err for ran in scene.said):
            raise Verdict(f"{forgotten} runs, and nobody was told that it may")
    if scene.vendor.stormed:
        raise Verdict("pages were asked for without an end")
    for ran in scene.said:
        if "This was not foreseen" in ran.err:
            raise Verdict(f"not foreseen: {ran.err}")


def new_scene(
    server: StubServer, name: str, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scene:
    """A vendor without jobs at the server, and a home in which nothing has happened."""
    server.vendor = vendor = STUBS[name]()
    home = folder / "home"
    home.mkdir(parents=True)
    patch.setenv("FTBRIDGE_HOME", str(home))
    patch.setenv("XDG_RUNTIME_DIR", str(folder))
    patch.setenv(vendor.key_env, "a-key")
    patch.setenv(vendor.url_env, f"{server.url}{vendor.base if name != 'mistral' else ''}")
    for provider in PROVIDERS:
        patch.setattr(provider, "listing_lag_seconds", LAG)
        patch.setattr(provider, "in_flight_seconds", LAG)
    patch.setattr(MistralProvider, "look_seconds", 0.01)
    return Scene(vendor, name, home, write_rows(folder / "rows.jsonl"), in_this_process(capsys, patch))
