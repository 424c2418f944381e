"""Small datasets, homes that have the tiny base, and one finished job that many tests look at."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tokenizers import Tokenizer as Backend

from ftbridge.model import Event, Hyperparameters, Spec, Status
from ftbridge.provider import Files, RemoteJob
from ftbridge_local import tiny
from ftbridge_local.adapter import LocalProvider
from ftbridge_local.folder import JobFolder
from ftbridge_local.tokenizer import Tokenizer

COLOURS = ["red", "green", "blue", "white", "black", "yellow"]
SETTINGS = {"epochs": 4, "batch_size": 4, "seed": 3, "lora_dropout": 0.1}


class Data(NamedTuple):
    """A training file of 24 chats and a validation file of six."""

    training: Path
    validation: Path


class Lab:
    """A provider with a home of its own in which the tiny base is ready, and what one does with it in tests."""

    def __init__(self, home: Path, base: Path, data: Data) -> None:
        shutil.copytree(base / "local", home / "local")
        self.provider = LocalProvider(home)
        self.data = data

    def submit(self, tag: str, *, model: str = "tiny", training: Path | None = None, **settings: float) -> RemoteJob:
        spec = self.spec(**(settings or SETTINGS))
        files = Files(training=str(training or self.data.training), validation=str(self.data.validation))
        return self.provider.create(spec, model, files, tag=tag)

    def spec(self, **settings: float) -> Spec:
        return Spec(target="local:tiny", data=self.data.training, hyperparameters=Hyperparameters(**settings))

    def look(self, tag: str) -> RemoteJob:
        [remote] = self.provider.poll([tag])
        return remote

    def folder(self, tag: str) -> JobFolder:
        return JobFolder(self.provider.home / "local" / "jobs" / tag)

    def events(self, tag: str) -> list[Event]:
        return list(self.provider.events(tag, ""))

    def wait(self, tag: str, until: Callable[[], object] | None = None, seconds: float = 120) -> RemoteJob:
        """Return when `until` holds, or else when the job is at rest."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            remote = self.look(tag)
            if until() if until else remote.status.final or remote.status is Status.PAUSED:
                return remote
            time.sleep(0.02)
        raise AssertionError(f"{tag} is still {self.look(tag)} after {seconds} s: {self.folder(tag).log.read_text()}")

    def losses(self, tag: str) -> dict[int, tuple[float | None, float | None]]:
        """Training and validation loss by step; where a step was repeated, the last time counts."""
        return {e.step: (e.train_loss, e.valid_loss) for e in self.events(tag) if e.kind == "metric" and e.step}


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("data")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"Paint the {thing} {colour}."},
                {"role": "assistant", "content": json.dumps({"colour": colour})},
            ]
        }
        for thing in ["door", "old wooden table", "boat", "fence behind the house", "chair"]
        for colour in COLOURS
    ]
    data = Data(folder / "training.jsonl", folder / "validation.jsonl")
    for file, part in zip(data, (rows[:24], rows[24:]), strict=True):
        file.write_text("".join(json.dumps(row) + "\n" for row in part), "utf-8")
    return data


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory, tiny_home: Path, small_data: Data) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"), tiny_home, small_data)
    yield made
    for job in (made.provider.home / "local" / "jobs").iterdir():
        if made.look(job.name).status not in (Status.SUCCEEDED, Status.FAILED, Status.PAUSED):
            made.provider.cancel(job.name)


@pytest.fixture(scope="session")
def finished(lab: Lab) -> RemoteJob:
    """A job that ran to its end without interruption."""
    lab.submit("finished")
    remote = lab.wait("finished")
    assert remote.status is Status.SUCCEEDED, remote.error
    return remote


@pytest.fixture(scope="session")
def tiny_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer(tiny.tokenizer_folder(tmp_path_factory.mktemp("tokenizer")))


@pytest.fixture
def tokenizer_with(tmp_path: Path) -> Callable[[str], Tokenizer]:
    """A tokenizer of ChatML's special tokens with the chat template given."""

    def make(template: str) -> Tokenizer:
        folder = tmp_path / "chatml"
        shutil.copytree(tiny.tokenizer_folder(tmp_path), folder)
        backend = Backend.from_file(str(folder / "tokenizer.json"))
        backend.add_special_tokens(["<|im_start|>", "<|im_end|>"])
        backend.save(str(folder / "tokenizer.json"))
        config = {"eos_token": "<|im_end|>", "chat_template": template}
        (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
        (folder / "chat_template.jinja").unlink()
        (folder / "generation_config.json").unlink()
        return Tokenizer(folder)

    return make
