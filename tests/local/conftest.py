"""Small datasets, tokenizers with templates of all kinds, and one finished job that many tests look at."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend

from ftbridge.model import Status
from ftbridge.provider import RemoteJob
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.lab import Data, Lab

COLOURS = ["red", "green", "blue", "white", "black", "yellow"]


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
    jobs = [job.name for job in (made.provider.home / "local" / "jobs").glob("*")]
    for remote in made.provider.poll(jobs):
        if not remote.status.final:
            made.provider.cancel(remote.remote_id)


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
def tokenizer_with(tmp_path: Path) -> Callable[..., Tokenizer]:
    """A tokenizer with the chat template given, and of ChatML's special tokens unless others are."""

    def make(
        template: str,
        special: Sequence[str] = ("<|im_start|>", "<|im_end|>"),
        eos: str = "<|im_end|>",
        bos: str | None = None,
    ) -> Tokenizer:
        folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "templated"
        shutil.copytree(tiny.tokenizer_folder(tmp_path), folder)
        backend = Backend.from_file(str(folder / "tokenizer.json"))
        backend.add_special_tokens(list(special))
        backend.save(str(folder / "tokenizer.json"))
        config = {"eos_token": eos, "bos_token": bos, "chat_template": template}
        (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
        (folder / "chat_template.jinja").unlink()
        (folder / "generation_config.json").unlink()
        return Tokenizer(folder)

    return make
