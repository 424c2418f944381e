"""GGUF files, read back by gguf's own reader and by transformers: the same weights, answers and tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
import transformers as _transformers

from ftbridge.errors import SpecError
from ftbridge.provider import RemoteJob
from ftbridge_local.exporting import gguf_file
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.gguf_models import CUTS, MODELS, cut_as, make_model
from local.lab import Lab

transformers: Any = _transformers  # half of its functions have no types


def read(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The file's fields, and its tensors by name."""
    reader = gguf.GGUFReader(file)
    return (
        {name: field.contents() for name, field in reader.fields.items()},
        {str(tensor.name): tensor for tensor in reader.tensors},
    )


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return tmp_path / "out" / "model.gguf"


def write(folder: Path, file: Path) -> dict[str, Any]:
    file.parent.mkdir(exist_ok=True)
    gguf_file.write(folder, file, "a model")
    return read(file)[0]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_answers_the_same_from_its_file(tmp_path: Path, written: Path, name: str) -> None:
    folder = make_model(tmp_path / "model", **MODELS[name])
    fields = write(folder, written)
    models = transformers.AutoModelForCausalLM
    here = models.from_pretrained(folder).eval()
    # of the config transformers reads only a part back from GGUF: no biases, no widths of heads, no scaled positions
    arch, width = fields["general.architecture"], MODELS[name].get("head_dim", 16)
    config = transformers.AutoConfig.for_model(**here.config.to_dict() | {"model_type": arch})
    there = models.from_pretrained(written.parent, gguf_file=written.name, config=config, dtype=torch.float32).eval()
    ids = torch.arange(10, 138).view(4, 32)
    with torch.no_grad():
        torch.testing.assert_close(there(ids).logits, here(ids).logits, rtol=1e-5, atol=1e-5)
    assert arch == ("llama" if name.startswith(("llama", "mistral")) else name)
    assert {key.removeprefix(f"{arch}."): value for key, value in fields.items() if key.startswith(arch)} == {
        "vocab_size": 1024,
        "context_length": 512,
        "embedding_length": 64,
        "block_count": 2,
        "feed_forward_length": 96,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
        "attention.layer_norm_rms_epsilon": pytest.approx(config.rms_norm_eps),
        "attention.key_length": width,
        "attention.value_length": width,
        "rope.dimension_count": width,
        "rope.freq_base": config.rope_parameters["rope_theta"],
    }


def test_scaled_positions_are_written_as_what_divides_the_frequencies(tmp_path: Path, written: Path) -> None:
    folder = make_model(tmp_path / "model", **MODELS["llama3-rope"])
    write(folder, written)
    factors = torch.tensor(read(written)[1]["rope_freqs.weight"].data)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    plain = 500000.0 ** -(torch.arange(0, 16, 2) / 16)
    torch.testing.assert_close(plain / factors, model.model.rotary_emb.inv_freq)
    assert factors.min() == 1.0
    assert factors.max() == pytest.approx(8.0)


@pytest.mark.parametrize(("dtype", "kind"), [("bfloat16", "BF16"), ("float16", "F16"), ("float32", "F32")])
def test_weights_stay_in_the_numbers_they_are_kept_in_to_the_bit(
    tmp_path: Path, written: Path, dtype: str, kind: str
) -> None:
    folder = make_model(tmp_path / "model", dtype, **MODELS["qwen3"])
    write(folder, written)
    _fields, tensors = read(written)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))
    down, norm = tensors["blk.1.ffn_down.weight"], tensors["blk.1.attn_q_norm.weight"]
    assert (down.tensor_type.name, norm.tensor_type.name) == (kind, "F32")
    own = model.model.layers[1].mlp.down_proj.weight.detach()
    assert down.data.tobytes() == own.view(torch.uint8).numpy().tobytes()
    assert norm.data.tolist() == model.model.layers[1].self_attn.q_norm.weight.float().tolist()


def test_the_tokenizer_is_in_the_file(tmp_path: Path, written: Path) -> None:
    folder = make_model(tmp_path / "model", **MODELS["llama"])
    fields = write(folder, written)
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    tokens = fields["tokenizer.ggml.tokens"]
    assert {token: number for number, token in enumerate(tokens)} == content["model"]["vocab"]
    assert fields["tokenizer.ggml.merges"] == [" ".join(pair) for pair in content["model"]["merges"]]
    kinds = fields["tokenizer.ggml.token_type"]
    assert kinds[: len(tiny.SPECIAL)] == [gguf.TokenType.CONTROL] * len(tiny.SPECIAL)
    assert set(kinds[len(tiny.SPECIAL) :]) == {gguf.TokenType.NORMAL}
    assert tokens[fields["tokenizer.ggml.eos_token_id"]] == tiny.END
    assert tokens[fields["tokenizer.ggml.padding_token_id"]] == tiny.PAD
    assert fields["tokenizer.ggml.add_bos_token"] is False
    assert fields["tokenizer.chat_template"] == tiny.TEMPLATE


@pytest.mark.parametrize("name", CUTS)
def test_the_way_a_text_is_cut_has_llama_cpps_name(tmp_path: Path, written: Path, name: str) -> None:
    folder = make_model(tmp_path / "model", **MODELS["llama"])
    cut_as(folder, CUTS[name])
    assert write(folder, written)["tokenizer.ggml.pre"] == name


def test_ids_beyond_the_tokenizer_are_filled_up(tmp_path: Path, written: Path) -> None:
    folder = make_model(tmp_path / "model", **MODELS["llama"] | {"vocab_size": 1030})
    fields = write(folder, written)
    assert fields["tokenizer.ggml.tokens"][1023:] == [
        Tokenizer(folder).text_of(1023),
        *(f"[PAD{n}]" for n in range(1024, 1030)),
    ]
    assert fields["tokenizer.ggml.token_type"][1024:] == [gguf.TokenType.UNUSED] * 6


def test_a_text_that_begins_with_a_token_says_so(tmp_path: Path, written: Path) -> None:
    folder = make_model(tmp_path / "model", **MODELS["llama"])
    file = folder / "tokenizer.json"
    content = json.loads(file.read_text("utf-8"))
    sequence = [{"SpecialToken": {"id": "<|system|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    known = {"<|system|>": {"id": "<|system|>", "ids": [2], "tokens": ["<|system|>"]}}
    content["post_processor"] = {
        "type": "TemplateProcessing",
        "single": sequence,
        "pair": sequence,
        "special_tokens": known,
    }
    file.write_text(json.dumps(content), "utf-8")
    fields = write(folder, written)
    assert (fields["tokenizer.ggml.add_bos_token"], fields["tokenizer.ggml.bos_token_id"]) == (True, 2)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"model_type": "gemma2"}, "its architecture is gemma2"),
        ({"model_type": "mistral", "sliding_window": 64}, "its attention window is 64 tokens"),
        ({"model_type": "llama", "hidden_act": "gelu"}, "its activation is gelu"),
        (
            {"model_type": "qwen2", "rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}},
            "linear",
        ),
    ],
)
def test_a_model_that_gguf_would_not_hold_exactly_is_refused(tmp_path: Path, config: dict[str, Any], why: str) -> None:
    folder = make_model(tmp_path / "model", **config)
    with pytest.raises(SpecError, match=why) as problem:
        gguf_file.check(folder)
    assert "LLAMA_CPP" in problem.value.hint


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"normalizer": {"type": "Lowercase"}}, "its tokenizer normalizes texts"),
        (
            {"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "split": True}},
            "no name for its pre-tokenizer",
        ),
        (CUTS["qwen2"] | {"ignore_merges": True}, "no name for its pre-tokenizer"),
    ],
)
def test_a_tokenizer_that_llama_cpp_has_no_name_for_is_refused(tmp_path: Path, how: dict[str, Any], why: str) -> None:
    folder = make_model(tmp_path / "model", **MODELS["llama"])
    cut_as(folder, how)
    with pytest.raises(SpecError, match=why):
        gguf_file.check(folder)


def test_a_job_becomes_a_file_that_answers_as_its_adapter_does(
    lab: Lab, finished: RemoteJob, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLAMA_CPP", raising=False)
    written.parent.mkdir()
    lab.provider.export("finished", "gguf", written.parent)
    assert sorted(file.name for file in written.parent.iterdir()) == ["README.md", "model.gguf"]
    merged = written.parent.parent / "merged"
    merged.mkdir()
    lab.provider.export("finished", "merged", merged)
    models = transformers.AutoModelForCausalLM
    ids = torch.arange(10, 42).view(2, 16)
    with torch.no_grad():
        here = models.from_pretrained(merged).eval()(ids).logits
        there = models.from_pretrained(written.parent, gguf_file=written.name, dtype=torch.float32).eval()(ids).logits
    torch.testing.assert_close(there, here, rtol=1e-5, atol=1e-5)
    assert read(written)[0]["general.name"] == "finished"
