"""What an adapter changes, on small models of random weights: experts, added tokens, whole modules."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
import transformers as _transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from ftbridge_local.exporting import gguf_file
from ftbridge_local.models.find import find
from ftbridge_local.models.load import load
from ftbridge_local.models.source import Source
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.gguf_models import make_model
from local.lab import Lab

transformers: Any = _transformers  # half of its functions have no types

EXPERTS: dict[str, dict[str, Any]] = {
    "mixtral": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48, "head_dim": 16},
    "glm4_moe": {
        "n_routed_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 48,
        "n_group": 1,
        "topk_group": 1,
        "head_dim": 16,
        "first_k_dense_replace": 1,
    },
    "gpt_oss": {"num_local_experts": 4, "num_experts_per_tok": 2, "head_dim": 16},
    "llama4_text": {
        "num_local_experts": 4,
        "head_dim": 16,
        "intermediate_size_mlp": 96,
        "interleave_moe_layer_step": 1,
    },
}
FEW: dict[str, Any] = {"epochs": 2, "batch_size": 6, "lora_dropout": None, "learning_rate": 2e-3}
IDS = torch.arange(10, 42).view(2, 16)


def logits(folder: Path, home: Path) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = load(find(str(folder), home, weights=True))(IDS).logits
    return found


def trained_message(lab: Lab, tag: str) -> str:
    [message] = [event.message for event in lab.events(tag) if event.code == "trained"]
    return message or ""


@pytest.mark.parametrize("kind", EXPERTS)
def test_experts_are_adapted_and_the_merged_model_says_what_base_and_adapter_say(
    lab: Lab, tmp_path: Path, kind: str
) -> None:
    base = make_model(tmp_path / kind, model_type=kind, **EXPERTS[kind])
    made = lab.train(f"experts-{kind}", model=str(base), **FEW)
    losses = [event.valid_loss for event in lab.events(f"experts-{kind}") if event.valid_loss is not None]
    assert losses[-1] < losses[0]
    weights = load_file(made.result / "adapter_model.safetensors")
    changed = [name for name, weight in weights.items() if "experts" in name and "lora_B" in name and weight.any()]
    assert len([name for name in changed if "layers.1" in name and "shared" not in name]) == 2
    assert "experts.down_proj" in trained_message(lab, f"experts-{kind}")
    assert "experts.gate_up_proj" in trained_message(lab, f"experts-{kind}")
    assert "not trained" not in trained_message(lab, f"experts-{kind}")
    assert "router" not in trained_message(lab, f"experts-{kind}")
    out = tmp_path / "merged"
    out.mkdir()
    lab.provider.export(f"experts-{kind}", "merged", out)
    adapted = logits(made.result, lab.provider.home)
    torch.testing.assert_close(logits(out, lab.provider.home), adapted, rtol=1e-3, atol=1e-3)
    assert not torch.allclose(logits(base, lab.provider.home), adapted, atol=0.01)


def test_where_experts_cannot_be_adapted_that_is_told(lab: Lab, tmp_path: Path) -> None:
    base = make_model(tmp_path / "base", model_type="mixtral", **EXPERTS["mixtral"])
    lab.train("dropout", model=str(base), **{**FEW, "epochs": 1, "lora_dropout": 0.1})
    assert "; not trained: mlp.experts.down_proj (adapters at experts need" in trained_message(lab, "dropout")
    assert "no lora_dropout" in trained_message(lab, "dropout")


def test_the_weights_that_are_trained_are_told_of_every_job(lab: Lab, finished: Any) -> None:
    assert trained_message(lab, "finished").startswith(
        "trained: adapters at down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj: 0.2"
    )


def test_alpha_follows_the_rank_unless_it_is_given(lab: Lab) -> None:
    cases: list[tuple[str, dict[str, Any], int]] = [("eight", {}, 16), ("given", {"lora_alpha": 32}, 32)]
    for tag, settings, alpha in cases:
        made = lab.train(tag, epochs=1, lora_rank=8, **settings)
        config = json.loads((made.result / "adapter_config.json").read_text())
        assert (config["r"], config["lora_alpha"]) == (8, alpha)
        [event] = [event for event in lab.events(tag) if event.code == "settings"]
        assert event.hyperparameters
        assert (event.hyperparameters["lora_alpha"], event.hyperparameters["epochs"]) == (alpha, 1)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """An adapter that somebody else trained: two tokens more, embeddings for them, and a template of its own."""
    base = make_model(tmp_path / "base", model_type="llama")
    folder = tmp_path / "foreign"
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(base)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|left|>", "<|right|>"]})
    tokenizer.chat_template = (
        "{% for m in messages %}{{ '<|left|>' + m.role + ':' + m.content + '<|right|><|end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|left|>assistant:' }}{% endif %}"
    )
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    torch.manual_seed(1)
    model.resize_token_embeddings(len(tokenizer))
    config = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], modules_to_save=["embed_tokens", "lm_head"])
    adapted = get_peft_model(model, config)
    for weight in adapted.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.1)
    adapted.save_pretrained(str(folder), save_embedding_layers=True)
    tokenizer.save_pretrained(folder)
    return folder


def test_an_adapters_own_tokenizer_template_and_tokens_last_through_training_merging_and_gguf(
    lab: Lab, foreign: Path, tmp_path: Path
) -> None:
    home = lab.provider.home
    source = find(str(foreign), home, weights=True)
    rendered = Tokenizer(source.tokenizer).render([{"role": "user", "content": "Hi."}], answer_next=True)
    assert rendered == "<|left|>user:Hi.<|right|><|end|><|left|>assistant:"
    assert Tokenizer(source.tokenizer).encode("<|left|><|right|>")[0] == [1024, 1025]
    made = lab.train("adapted-further", model=str(foreign), **FEW)
    assert "and all of embed_tokens, lm_head" in trained_message(lab, "adapted-further")
    losses = [event.valid_loss for event in lab.events("adapted-further") if event.valid_loss is not None]
    assert losses[-1] < losses[0] - 0.5
    before, after = (load_file(folder / "adapter_model.safetensors") for folder in (foreign, made.result))
    assert before.keys() == after.keys()
    embeddings = [name for name in after if "embed_tokens" in name]  # 1024 is the token that opens every message
    assert any(not torch.equal(before[name][1024], after[name][1024]) for name in embeddings)
    assert find(str(made.result), home, weights=True).tokenizer == source.tokenizer
    out = tmp_path / "merged"
    out.mkdir()
    lab.provider.export("adapted-further", "merged", out)
    assert json.loads((out / "config.json").read_text())["vocab_size"] == 1026
    assert Tokenizer(out).render([{"role": "user", "content": "Hi."}], answer_next=True) == rendered
    torch.testing.assert_close(logits(out, home), logits(made.result, home), rtol=1e-4, atol=1e-4)
    gguf_file.write(out, tmp_path / "model.gguf", "adapted-further")
    fields = gguf.GGUFReader(tmp_path / "model.gguf").fields
    assert fields["tokenizer.ggml.tokens"].contents()[1024:] == ["<|left|>", "<|right|>"]
    assert "<|left|>" in fields["tokenizer.chat_template"].contents()


def test_what_servers_of_adapters_need_is_beside_the_adapter(lab: Lab, finished: Any) -> None:
    result = lab.folder("finished").result
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (result / name).read_bytes() == (find("tiny", lab.provider.home, weights=True).base / name).read_bytes()
    source = find(str(result), lab.provider.home, weights=True)
    assert source == Source(source.name, source.base, result)
    card = (result / "README.md").read_text("utf-8")
    assert "vllm serve" in card
    assert "--max-lora-rank 16" in card


def test_tokenizer_model_travels_with_a_merged_model(lab: Lab, tmp_path: Path) -> None:
    base = make_model(tmp_path / "base", model_type="llama")
    (base / "tokenizer.model").write_bytes(b"a SentencePiece model")
    lab.train("with-pieces", model=str(base), **{**FEW, "epochs": 1})
    for form in ("merged", "adapter"):
        out = tmp_path / form
        out.mkdir()
        lab.provider.export("with-pieces", form, out)
        assert (out / "tokenizer.model").read_bytes() == b"a SentencePiece model"
    shutil.rmtree(tmp_path / "merged")
