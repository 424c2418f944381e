"""What a stranger put into a model's folder never runs: pickles are refused wherever they lie, and named."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from ftbridge.errors import ModelNotFound
from ftbridge_local.models.find import find
from ftbridge_local.models.strangers import check_index

PICKLES = [
    "adapter_model.bin",
    "pytorch_model.bin",
    "pytorch_model-00001-of-00002.bin",
    "PYTORCH_MODEL.BIN",
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "model.ckpt",
    "data.pkl",
    "data.pickle",
    "preprocessor.joblib",
]


class Evil:
    """An object that leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).touch()
    return folder


@pytest.fixture
def adapter(model: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(model)}), "utf-8")
    (folder / "adapter_model.safetensors").touch()
    return folder


@pytest.mark.parametrize("weights", [False, True], ids=["to check data", "to train"])
@pytest.mark.parametrize("kind", ["model", "adapter"])
@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_beside_safetensors_is_refused_and_named(
    home: Path, tmp_path: Path, request: pytest.FixtureRequest, name: str, kind: str, weights: bool
) -> None:
    folder: Path = request.getfixturevalue(kind)
    (folder / name).write_bytes(pickle.dumps(Evil(tmp_path / "mark")))
    with pytest.raises(ModelNotFound, match=rf"holds {name}, a pickle, which can run code") as problem:
        find(str(folder), home, weights=weights)
    assert "Move it" in problem.value.hint
    assert not (tmp_path / "mark").exists()


def test_a_pickle_in_the_base_of_an_adapter_is_refused(home: Path, model: Path, adapter: Path) -> None:
    (model / "optimizer.pt").touch()
    with pytest.raises(ModelNotFound, match=r"optimizer\.pt"):
        find(str(adapter), home, weights=False)


def test_safetensors_of_another_name_do_not_let_a_pickle_be_loaded(home: Path, adapter: Path) -> None:
    (adapter / "adapter_model.safetensors").rename(adapter / "other.safetensors")
    with pytest.raises(ModelNotFound, match=r"has no adapter_model\.safetensors"):
        find(str(adapter), home, weights=True)


def test_what_ftbridge_wrote_itself_may_be_named(home: Path, adapter: Path) -> None:
    own = home / "local" / "jobs" / "ftb_1" / "checkpoints" / "step-000001"
    shutil.copytree(adapter, own)
    (own / "state.pt").touch()
    assert find(str(own), home, weights=False).adapter == own


@pytest.mark.parametrize(
    "name",
    [
        "pytorch_model.bin",
        "../other/model.safetensors",
        "/tmp/model.safetensors",
        "a/b.safetensors",
        "model.safetensors.pt",
    ],
)
def test_an_index_names_safetensors_of_its_folder_only(home: Path, model: Path, name: str) -> None:
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}), "utf-8")
    with pytest.raises(ModelNotFound, match="which is not a safetensors file of its folder"):
        find(str(model), home, weights=True)


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"weight_map": 1}', '{"weight_map": []}', "\xff"])
def test_an_index_that_is_none_is_refused(model: Path, index: str) -> None:
    (model / "model.safetensors.index.json").write_text(index, "latin-1")
    with pytest.raises(ModelNotFound, match="is not a list of files"):
        check_index("acme/small", model)


def test_an_index_of_two_files_is_read(home: Path, model: Path) -> None:
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}), "utf-8")
    assert find(str(model), home, weights=True).base == model
