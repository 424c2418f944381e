"""A result in the forms that other programs take."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from ftbridge.errors import MissingExtra, SpecError
from ftbridge.provider import RemoteJob
from ftbridge.provider.capabilities import ExportForm
from ftbridge_local.job_documents import ResultInfo
from ftbridge_local.model_card import model_card
from ftbridge_local.models.find import find
from ftbridge_local.models.load import load
from ftbridge_local.models.source import Source
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.lab import Lab


@pytest.fixture
def no_gguf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the package nor llama.cpp's converter is installed."""
    monkeypatch.setattr("ftbridge_local.exporting.export.find_spec", lambda name: None)
    monkeypatch.delenv("LLAMA_CPP", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_merged_model_says_what_base_and_adapter_say(lab: Lab, finished: RemoteJob, tmp_path: Path) -> None:
    assert finished.result is not None
    lab.provider.export("finished", "merged", tmp_path)
    ids = torch.arange(10, 42).view(2, 16)
    untyped: Any = transformers.AutoModelForCausalLM
    merged = untyped.from_pretrained(tmp_path).eval()
    adapted = load(find(str(finished.result.path), lab.provider.home, weights=True))
    with torch.no_grad():
        torch.testing.assert_close(merged(ids).logits, adapted(ids).logits, rtol=1e-4, atol=1e-4)
        with adapted.disable_adapter():
            assert not torch.allclose(merged(ids).logits, adapted(ids).logits, atol=0.1)
    assert Tokenizer(tmp_path).end_ids
    assert find(str(tmp_path), lab.provider.home, weights=True).adapter is None


def test_what_is_fetched_has_a_card_of_its_own(lab: Lab, finished: RemoteJob, tmp_path: Path) -> None:
    lab.provider.fetch("finished", tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    assert "| form | adapter |" in card
    assert "| steps | 24 |" in card
    assert "More Information Needed" not in card  # as peft writes it


def test_a_job_that_trained_all_weights_has_no_adapter(lab: Lab, tmp_path: Path) -> None:
    made = lab.train("whole-model", tuning="full", lora_dropout=None, epochs=1)
    assert "| form | model |" in (made.result / "README.md").read_text("utf-8")
    with pytest.raises(SpecError, match="trained all weights") as problem:
        lab.provider.export("whole-model", "adapter", tmp_path / "out")
    assert "--format merged" in problem.value.hint
    assert not (tmp_path / "out").exists()


def test_a_card_tells_where_the_result_is_from(lab: Lab, finished: RemoteJob, tmp_path: Path) -> None:
    lab.provider.export("finished", "adapter", tmp_path)
    assert (tmp_path / "adapter_model.safetensors").exists()
    card = (tmp_path / "README.md").read_text("utf-8")
    assert hashlib.sha256(lab.data.training.read_bytes()).hexdigest() in card
    [last] = [event.valid_loss for event in lab.events("finished") if event.step == 24 and event.valid_loss]
    assert f"{last:.4f} |" in card
    for fact in ("| base | tiny |", "| epochs | 4 |", f"| torch | {torch.__version__} |", "learning_rate = 0.003"):
        assert fact in card
    assert "| steps | 24 |" in card


def test_a_card_is_about_the_step_that_the_result_is_of(lab: Lab, tmp_path: Path) -> None:
    made = lab.train("turned", epochs=50, learning_rate=0.3, eval_interval=1, early_stopping=2, seed=5)
    kept = made.state().result
    assert kept
    looks = {event.step or 0: event.valid_loss for event in lab.events("turned") if event.valid_loss is not None}
    assert (kept.step, kept.valid_loss) == min(looks.items(), key=lambda look: look[1])
    [tokens] = [event.tokens for event in lab.events("turned") if event.step == kept.step and event.tokens]
    lab.provider.export("turned", "adapter", tmp_path)
    card = (tmp_path / "README.md").read_text("utf-8")
    assert f"| steps | {kept.step}, where the validation loss was lowest; {max(looks)} were done |" in card
    assert f"| validation loss, first and at step {kept.step} | {looks[0]:.4f}, {kept.valid_loss:.4f} |" in card
    assert f"| tokens read | {tokens} |" in card


def test_the_result_tells_its_step_and_loss_wherever_it_is_fetched_to(
    lab: Lab, finished: RemoteJob, tmp_path: Path
) -> None:
    [last] = [event.valid_loss for event in lab.events("finished") if event.step == 24 and event.valid_loss]
    fetched = lab.provider.fetch("finished", tmp_path / "fetched")
    for result in (finished.result, fetched):
        assert result is not None
        assert (result.step, result.valid_loss) == (24, last)


@pytest.mark.parametrize(
    ("form", "library"), [("adapter", "peft"), ("merged", "transformers"), ("gguf", None), ("ollama", None)]
)
def test_the_metadata_of_a_card_are_true_for_its_form(
    lab: Lab, finished: RemoteJob, tmp_path: Path, form: ExportForm, library: str | None
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    lab.provider.export("finished", form, out)
    card = (out / "README.md").read_text("utf-8")
    head = json.loads(card.splitlines()[1])
    assert head.get("library_name") == library
    assert "base_model" not in head  # the tiny base is not on the hub
    assert f"| form | {form} |" in card


@pytest.mark.parametrize(("form", "relation"), [("adapter", "adapter"), ("merged", "finetune")])
def test_a_base_on_the_hub_is_named_for_the_hub(
    lab: Lab, finished: RemoteJob, tmp_path: Path, form: ExportForm, relation: str
) -> None:
    lab.provider.export("finished", form, tmp_path)
    card = model_card(lab.folder("finished"), ResultInfo(), form, Source("org/base", tmp_path, tmp_path), tmp_path)
    head = json.loads(card.splitlines()[1])
    assert (head["base_model"], head["base_model_relation"]) == ("org/base", relation)


def test_for_ollama_there_is_a_modelfile_with_the_models_own_template(
    lab: Lab, finished: RemoteJob, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    lab.provider.export("finished", "ollama", out)
    assert sorted(file.name for file in out.iterdir()) == ["Modelfile", "README.md", "model.gguf"]
    written = (out / "Modelfile").read_text("utf-8")
    assert written.startswith('FROM ./model.gguf\nTEMPLATE """{{- $left')
    assert written.endswith('{{ end }}"""\nPARAMETER stop "<|end|>"\nPARAMETER num_ctx 1024\n')


def test_for_ollama_the_merged_folder_has_to_do_where_gguf_cannot_be_written(
    lab: Lab, finished: RemoteJob, tmp_path: Path, no_gguf: None
) -> None:
    lab.provider.export("finished", "ollama", tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    assert (tmp_path / "Modelfile").read_text("utf-8").startswith("FROM .\n")


def test_for_ollama_a_template_that_cannot_be_written_is_refused_before_anything_else(
    lab: Lab, finished: RemoteJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: Any) -> str:
        raise SpecError("no")

    monkeypatch.setattr("ftbridge_local.exporting.export.modelfile", refuse)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(SpecError):
        lab.provider.export("finished", "ollama", out)
    assert not list(out.iterdir())


def test_gguf_needs_a_package_or_the_converter_and_says_how_to_have_them(
    lab: Lab, finished: RemoteJob, tmp_path: Path, no_gguf: None
) -> None:
    with pytest.raises(MissingExtra, match=r"llama\.cpp's convert_hf_to_gguf\.py") as problem:
        lab.provider.export("finished", "gguf", tmp_path)
    assert "LLAMA_CPP" in problem.value.hint
    assert "ftbridge[gguf]" in problem.value.hint


def test_gguf_is_made_by_the_converter_from_the_merged_model(
    lab: Lab, finished: RemoteJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "convert_hf_to_gguf.py").write_text(
        "import os, pathlib, sys\n"
        "assert 'OPENAI_API_KEY' not in os.environ\n"
        "folder, _, out = sys.argv[1:]\n"
        "names = sorted(file.name for file in pathlib.Path(folder).iterdir())\n"
        "pathlib.Path(out).write_text(' '.join(names))\n"
    )
    monkeypatch.setenv("LLAMA_CPP", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "which-no-converter-needs")
    out = tmp_path / "out"
    out.mkdir()
    lab.provider.export("finished", "gguf", out)
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= set((out / "model.gguf").read_text().split())
    assert sorted(file.name for file in out.iterdir()) == ["README.md", "model.gguf"]


def test_a_form_that_there_is_not_is_refused_with_those_there_are(
    lab: Lab, finished: RemoteJob, tmp_path: Path
) -> None:
    form: Any = "onnx"
    with pytest.raises(SpecError, match="no form onnx") as problem:
        lab.provider.export("finished", form, tmp_path)
    assert "merged" in problem.value.hint
