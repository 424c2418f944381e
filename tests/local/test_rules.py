"""What the local target says of a dataset and of a model before anything is made."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from huggingface_hub import constants

from ftbridge.dataset.canonical.example import Chat
from ftbridge.dataset.findings import Diagnostics
from ftbridge.errors import MissingExtra, ModelNotFound, NetworkError, SpecError, UsageError
from ftbridge.model import Hyperparameters, Method, Spec
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.provider import LocalProvider


def spec(**settings: Any) -> Spec:
    return Spec(target="local:tiny", data=Path("x.jsonl"), hyperparameters=Hyperparameters(**settings))


def row(prompt: str, answer: str, **fields: str) -> Chat:
    return msgspec.convert(
        {"messages": [{"role": "user", "content": prompt, **fields}, {"role": "assistant", "content": answer}]}, Chat
    )


def found(home: Path, example: Chat, **settings: int) -> Diagnostics:
    diagnostics = Diagnostics()
    assert LocalProvider(home).converter(spec(**settings), "tiny").convert(example, diagnostics) is example
    return diagnostics


@pytest.fixture
def model_folder(home: Path, tmp_path: Path) -> Path:
    """A model whose weights are a file without tensors."""
    folder = tmp_path / "model"
    shutil.copytree(tiny.tokenizer_folder(home), folder)
    (folder / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")
    return folder


def test_a_row_that_fits_is_taken_as_it_stands(home: Path) -> None:
    diagnostics = found(home, row("Where is it?", "Here."))
    assert diagnostics.findings == []
    assert diagnostics.changes == []


def test_a_row_of_whose_answer_nothing_fits_is_an_error_with_both_numbers(home: Path) -> None:
    [finding] = found(home, row("word " * 2000, "Here.")).findings
    assert (finding.level, finding.code) == ("error", "no_trained_token_fits")
    assert "1024 are read" in finding.message
    assert finding.fix


def test_a_row_that_loses_part_of_its_answer_is_a_warning(home: Path) -> None:
    [finding] = found(home, row("Go on.", "word " * 2000)).findings
    assert (finding.level, finding.code) == ("warning", "truncated")


def test_max_seq_length_counts_where_it_is_less_than_the_context(home: Path) -> None:
    [finding] = found(home, row("Where is the red lantern of Ada?", "Here."), max_seq_length=8).findings
    assert "8 are read" in finding.message


def test_names_are_left_out_and_it_is_said(home: Path) -> None:
    assert found(home, row("Where is it?", "Here.", name="ada")).changes == ["names_left_out"]


def test_a_special_token_in_a_text_is_a_warning_where_it_stands(home: Path) -> None:
    [finding] = found(home, row("Where is it?", "Here.<|end|><|user|>Thanks.")).findings
    assert (finding.level, finding.code, finding.path) == (
        "warning",
        "special_token_in_text",
        "$.messages[1].content",
    )
    assert "<|end|>, which is read and trained as a control token" in finding.message
    assert finding.fix


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("config.json", "it has no config.json"),
        ("tokenizer.json", "no tokenizer.json"),
        ("model.safetensors", "no safetensors"),
    ],
)
def test_a_folder_that_lacks_something_says_what(home: Path, model_folder: Path, missing: str, sentence: str) -> None:
    (model_folder / missing).unlink()
    with pytest.raises(ModelNotFound, match=sentence) as problem:
        LocalProvider(home).converter(spec(), str(model_folder))
    assert problem.value.hint


def test_pickled_weights_are_refused(home: Path, model_folder: Path) -> None:
    (model_folder / "model.safetensors").rename(model_folder / "pytorch_model.bin")
    with pytest.raises(ModelNotFound, match="only pickled weights, which can run code"):
        LocalProvider(home).converter(spec(), str(model_folder))


def test_an_adapter_of_pickled_weights_is_refused(home: Path, model_folder: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(model_folder)}))
    (adapter / "adapter_model.bin").write_bytes(b"weights")
    with pytest.raises(ModelNotFound, match="only pickled weights, which can run code"):
        LocalProvider(home).converter(spec(), str(adapter))


@pytest.mark.parametrize("folder", ["/nowhere", "./nowhere", "../nowhere"])
def test_a_folder_that_is_not_there_is_named(home: Path, folder: str) -> None:
    with pytest.raises(ModelNotFound, match=r"there is no folder /.*nowhere"):
        LocalProvider(home).converter(spec(), folder)


def test_a_name_like_tinys_is_told_what_was_meant(home: Path) -> None:
    with pytest.raises(ModelNotFound, match="there is no folder") as problem:
        LocalProvider(home).converter(spec(), "tinny")
    assert problem.value.hint.startswith("Did you mean 'tiny'? ")


def test_a_hub_model_that_is_not_cached_is_not_found_offline(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="acme/small is not in the hub's cache, and HF_HUB_OFFLINE forbids"):
        LocalProvider(home).converter(spec(), "acme/small")


def test_a_hub_out_of_reach_is_one_sentence_about_the_network(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(NetworkError, match="the hub could not be reached: ConnectError") as problem:
        LocalProvider(home).converter(spec(), "acme/small")
    assert problem.value.exit_code == 4
    assert capfd.readouterr() == ("", "")


def test_a_hub_model_is_found_in_the_cache(
    home: Path, model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached, commit = tmp_path / "hub" / "models--acme--small", "0" * 40
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(commit)
    shutil.copytree(model_folder, cached / "snapshots" / commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    rules = LocalProvider(home).converter(spec(), "acme/small")
    assert rules.target == "local:acme/small"


@pytest.mark.parametrize("asked", [{"lora_rank": 8}, {"tuning": "dora"}], ids=str)
def test_an_adapter_that_is_gone_on_with_keeps_its_shape(
    home: Path, model_folder: Path, tmp_path: Path, asked: dict[str, Any]
) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(model_folder)}))
    assert LocalProvider(home).converter(spec(), str(adapter)).target == f"local:{adapter}"
    with pytest.raises(SpecError, match="belongs to a new adapter") as problem:
        LocalProvider(home).converter(spec(**asked), str(adapter))
    assert str(model_folder) in problem.value.hint


def test_settings_of_adapters_are_refused_where_all_weights_are_trained(home: Path) -> None:
    with pytest.raises(SpecError, match="lora_rank is a setting of adapters"):
        LocalProvider(home).converter(spec(tuning="full", lora_rank=8), "tiny")


def test_four_bits_without_bitsandbytes_are_refused_with_what_to_install(home: Path) -> None:
    if find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(MissingExtra, match="needs bitsandbytes"):
        LocalProvider(home).converter(spec(tuning="qlora"), "tiny")


def test_a_job_without_a_result_is_no_base(tmp_path: Path) -> None:
    provider = LocalProvider(tmp_path)
    with pytest.raises(ModelNotFound, match="there is no job ftb_0123456789ab on this machine"):
        provider.converter(spec(), "ftb_0123456789ab")
    (tmp_path / "local" / "jobs" / "ftb_0123456789ab").mkdir(parents=True)
    with pytest.raises(ModelNotFound, match="job ftb_0123456789ab has no result"):
        provider.converter(spec(), "ftb_0123456789ab")


def test_an_earlier_job_may_be_named_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    for job in ("ftb_0123456789ab", "ftb_01ff56789abc"):
        (tmp_path / "local" / "jobs" / job).mkdir(parents=True)
    provider = LocalProvider(tmp_path)
    assert provider.resolve("ftb_0123") == provider.resolve("ftb_0123456789ab") == "ftb_0123456789ab"
    assert provider.resolve("ftb_01") == "ftb_01"  # of which there is none


@pytest.mark.parametrize(("method", "shapes"), [("sft", {"chat", "text"}), ("dpo", {"preference"})])
def test_each_method_has_its_shapes(home: Path, method: str, shapes: set[str]) -> None:
    asked = spec().model_copy(update={"method": Method(method)})
    assert LocalProvider(home).converter(asked, "tiny").shapes == shapes


def test_paths_are_made_absolute_and_names_are_left(
    home: Path, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(model_folder.parent)
    provider = LocalProvider(home)
    assert provider.resolve("./model") == provider.resolve("./elsewhere/../model") == str(model_folder)
    assert provider.resolve(str(model_folder)) == str(model_folder)
    assert provider.resolve("tiny") == "tiny"
    assert provider.resolve("acme/small") == "acme/small"


def test_a_multiplier_is_refused_with_the_option_that_there_is(home: Path) -> None:
    asked = Spec(target="local:tiny", data=Path("x"), hyperparameters=Hyperparameters(learning_rate_multiplier=2.0))
    with pytest.raises(UsageError) as problem:
        LocalProvider(home).check_spec(asked)
    assert "learning_rate" in problem.value.hint


@pytest.mark.parametrize("name", ["early_stopping", "eval_interval"])
def test_what_goes_by_the_validation_file_is_refused_where_there_is_none(home: Path, tmp_path: Path, name: str) -> None:
    provider, asked = LocalProvider(home), spec(**{name: 2})
    with pytest.raises(UsageError, match=f"{name} needs a validation file, and there is none") as problem:
        provider.check_spec(asked)
    assert "Give one" in problem.value.hint
    warnings, kept = provider.check_spec(asked, allow_ignored=True)
    assert f"{name} = 2 is ignored" in warnings[0]
    assert kept.hyperparameters.given() == {}
    held = asked.model_copy(update={"validation": tmp_path / "held.jsonl"})
    assert provider.check_spec(held) == ([], held)


def test_checking_loads_no_torch(home: Path) -> None:
    program = f"""
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from ftbridge.dataset.canonical.example import Chat, User, Assistant
from ftbridge.dataset.findings import Diagnostics
from ftbridge.model import Spec
from ftbridge_local.provider import LocalProvider
provider = LocalProvider(Path({str(home)!r}))
rules = provider.converter(Spec(target="local:tiny", data=Path("x")), "tiny")
rules.convert(Chat(messages=[User(content="Hi."), Assistant(content="Hello!")]), Diagnostics())
print(sorted({{"torch", "transformers", "peft"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_rules_can_be_sent_to_other_processes(home: Path) -> None:
    rules = pickle.loads(pickle.dumps(LocalProvider(home).converter(spec(max_seq_length=8), "tiny")))
    diagnostics = Diagnostics()
    rules.convert(row("a " * 50, "b"), diagnostics)
    assert [finding.level for finding in diagnostics.findings] == ["error"]
