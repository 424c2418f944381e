"""Tiny models of the families that people tune: a config of transformers' own, a tokenizer, a chat template.

Each has a few hundred thousand random parameters, its family's special tokens and chat template, and a tokenizer that
cuts texts as the family's does: bytes by one of the known patterns, or SentencePiece's pieces with byte fallback.
Sources of the forms here, read 2026-11: llama.com, "Llama 4 prompt format"; the model cards of Qwen 3.5, Falcon-7B,
Mixtral-8x7B; Cohere's documentation, "Prompting Command R".
"""

from __future__ import annotations

import json
import shutil
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers as _transformers
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.models.tiny.text import texts
from local.families import CHATML, CHATML_SPECIAL, Family
from local.families_of_tools import ALL, LLAMA31, QWEN3_THINKING
from local.gguf_models import CUTS, cut_as

transformers: Any = _transformers  # half of its functions have no types

LLAMA4 = (
    LLAMA31.replace("start_header_id", "header_start").replace("end_header_id", "header_end").replace("eot_id", "eot")
)

QWEN35 = (
    QWEN3_THINKING.replace(" and (loop.last or thought)", "")
    .replace("<|im_start|>assistant\\n' }}{% endif %}", "<|im_start|>assistant\\n<think>\\n' }}{% endif %}")
    .replace(
        '{"name": "\' + call.function.name + \'", "arguments": \' }}', "<function=' + call.function.name + '>\\n' }}"
    )
    .replace(
        "{{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}\n"
        "            {{- '}\\n</tool_call>' }}",
        "{%- for key, value in call.function.arguments | items %}\n"
        "                {{- '<parameter=' + key + '>\\n' + (value if value is string else value | tojson) }}\n"
        "                {{- '\\n</parameter>\\n' }}\n"
        "            {%- endfor %}\n"
        "            {{- '</function>\\n</tool_call>' }}",
    )
)

FALCON = """\
{%- for m in messages %}
    {{- '\\n' if not loop.first }}
    {{- {'system': 'System: ', 'user': 'User: ', 'assistant': 'Falcon: '}[m.role] + m.content }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '\\nFalcon:' }}{% endif %}
"""

MIXTRAL = """\
{{- bos_token }}
{%- for m in messages %}
    {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
    {%- if m.role == 'user' %}{{ '[INST] ' + m.content + ' [/INST]' }}
    {%- else %}{{ ' ' + m.content + eos_token }}{% endif %}
{%- endfor %}
"""

COMMAND_R = """\
{{- bos_token }}
{%- for m in messages %}
    {%- set name = {'system': '<|SYSTEM_TOKEN|>', 'user': '<|USER_TOKEN|>', 'assistant': '<|CHATBOT_TOKEN|>'}[m.role] %}
    {{- '<|START_OF_TURN_TOKEN|>' + name + m.content.strip() + '<|END_OF_TURN_TOKEN|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' }}{% endif %}
"""

_HEADERS4 = ["<|begin_of_text|>", "<|header_start|>", "<|header_end|>", "<|eot|>"]
_COHERE = [
    "<BOS_TOKEN>",
    *(f"<|{name}_TOKEN|>" for name in ("START_OF_TURN", "END_OF_TURN", "SYSTEM", "USER", "CHATBOT")),
]
OWN: dict[str, Family] = {
    "llama4": Family(LLAMA4, _HEADERS4, "<|eot|>", "<|begin_of_text|>"),
    "qwen3.5": Family(QWEN35, CHATML_SPECIAL, "<|im_end|>"),
    "falcon": Family(FALCON, ["<|endoftext|>"], "<|endoftext|>"),
    "mixtral": Family(MIXTRAL, ["<s>", "</s>"], "</s>", "<s>"),
    "command-r": Family(COMMAND_R, _COHERE, "<|END_OF_TURN_TOKEN|>", "<BOS_TOKEN>"),
    "gpt-2": Family(CHATML, CHATML_SPECIAL, "<|im_end|>"),
}
TEMPLATES = {**ALL, **OWN}

_SHAPE: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 512,
}
_EXPERTS = {"num_experts_per_tok": 2, "moe_intermediate_size": 48}


class Member(NamedTuple):
    """A family's form, the config of its architecture, how its tokenizer cuts texts, and its eos where that differs."""

    form: str
    config: dict[str, Any]
    cut: str
    eos: str | None = None

    @property
    def family(self) -> Family:
        """The chat template and the special tokens."""
        return TEMPLATES[self.form]


MEMBERS: dict[str, Member] = {
    "Llama 2": Member("llama2", {"model_type": "llama", "num_key_value_heads": 4}, "pieces"),
    "Llama 3": Member("llama3", {"model_type": "llama"}, "llama-bpe"),
    "Llama 3.1": Member("llama3.1", {"model_type": "llama"}, "llama-bpe"),
    "Llama 3.2": Member("llama3.1", {"model_type": "llama", "tie_word_embeddings": True}, "llama-bpe"),
    "Llama 4": Member(
        "llama4",
        {
            "model_type": "llama4_text",
            "num_local_experts": 4,
            "intermediate_size_mlp": 96,
            "interleave_moe_layer_step": 1,
        },
        "llama-bpe",
    ),
    "Qwen 2.5": Member("qwen2.5", {"model_type": "qwen2"}, "qwen2", eos="<|endoftext|>"),
    "Qwen 3": Member("qwen3-thinking", {"model_type": "qwen3", "tie_word_embeddings": True}, "qwen2"),
    "Qwen 3.5": Member(
        "qwen3.5",
        {
            "model_type": "qwen3_5_text",
            "layer_types": ["linear_attention", "full_attention"],
            "linear_num_key_heads": 2,
            "linear_num_value_heads": 4,
            "linear_key_head_dim": 16,
            "linear_value_head_dim": 16,
        },
        "qwen2",
    ),
    "Qwen 3 MoE": Member("qwen3-thinking", {"model_type": "qwen3_moe", "num_experts": 4, **_EXPERTS}, "qwen2"),
    "Mistral v3": Member("mistral-v3", {"model_type": "mistral", "sliding_window": 512}, "pieces"),
    "Mistral tekken": Member("mistral-tekken", {"model_type": "mistral", "sliding_window": 512}, "tekken"),
    "Mixtral": Member("mixtral", {"model_type": "mixtral", "num_local_experts": 4, "num_experts_per_tok": 2}, "pieces"),
    "Gemma 2": Member("gemma", {"model_type": "gemma2", "tie_word_embeddings": True}, "gemma", eos="<eos>"),
    "Gemma 3": Member("gemma", {"model_type": "gemma3_text", "tie_word_embeddings": True}, "gemma", eos="<eos>"),
    "Gemma 4": Member(
        "gemma4",
        {
            "model_type": "gemma4_text",
            "tie_word_embeddings": True,
            "hidden_size_per_layer_input": 16,
            "vocab_size_per_layer_input": 1100,
            "num_kv_shared_layers": 0,
            "global_head_dim": 16,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        "gemma",
        eos="<eos>",
    ),
    "Phi 3": Member("phi3", {"model_type": "phi3", "pad_token_id": 0}, "pieces"),
    "Phi 4": Member("phi", {"model_type": "phi3", "pad_token_id": 0}, "gpt-2", eos="<|endoftext|>"),
    "DeepSeek V3": Member(
        "deepseek-v3",
        {
            "model_type": "deepseek_v3",
            "head_dim": 8,
            "num_key_value_heads": 4,
            "n_routed_experts": 4,
            "n_group": 1,
            "topk_group": 1,
            "q_lora_rank": 32,
            "kv_lora_rank": 16,
            "qk_nope_head_dim": 16,
            "qk_rope_head_dim": 8,
            "v_head_dim": 16,
            "first_k_dense_replace": 1,
            **_EXPERTS,
        },
        "llama-bpe",
    ),
    "R1 distill": Member("deepseek-r1", {"model_type": "qwen2"}, "qwen2"),
    "SmolLM": Member("smollm2", {"model_type": "llama", "tie_word_embeddings": True}, "smollm"),
    "GLM": Member(
        "glm4.5",
        {
            "model_type": "glm4_moe",
            "n_routed_experts": 4,
            "n_group": 1,
            "topk_group": 1,
            "first_k_dense_replace": 1,
            **_EXPERTS,
        },
        "llama-bpe",
    ),
    "Falcon": Member(
        "falcon",
        {"model_type": "falcon", "num_kv_heads": 2, "new_decoder_architecture": True, "head_dim": None},
        "gpt-2",
    ),
    "Command R": Member("command-r", {"model_type": "cohere", "use_qk_norm": False, "logit_scale": 1.0}, "gpt-2"),
    "gpt-oss": Member("gpt-oss", {"model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2}, "gpt-2"),
}


def make_member(folder: Path, member: Member, home: Path) -> Path:
    """The member's folder: weights, config, tokenizer and template."""
    shutil.copytree(tiny.tokenizer_folder(home), folder)
    (folder / "generation_config.json").unlink()
    if member.cut in ("pieces", "gemma"):
        _pieces(prefixed=member.cut == "pieces").save(str(folder / "tokenizer.json"))
    else:
        cut_as(folder, CUTS[member.cut])
    family, eos = member.family, member.eos or member.family.end
    backend = Backend.from_file(str(folder / "tokenizer.json"))
    backend.add_special_tokens([*family.special, eos])
    if family.begin:
        opening = [(family.begin, backend.token_to_id(family.begin))]
        backend.post_processor = processors.TemplateProcessing(single=f"{family.begin} $A", special_tokens=opening)
    backend.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": eos, "bos_token": family.begin}
    (folder / "tokenizer_config.json").write_text(json.dumps(config | {"clean_up_tokenization_spaces": False}), "utf-8")
    (folder / "chat_template.jinja").write_text(family.template, "utf-8")
    ids = {
        "vocab_size": 1100,
        "pad_token_id": 0,
        "bos_token_id": backend.token_to_id(family.begin) if family.begin else None,
        "eos_token_id": backend.token_to_id(eos),
    }
    transformers.logging.disable_progress_bar()
    torch.manual_seed(5)
    wanted = {"tie_word_embeddings": False} | _SHAPE | ids | member.config
    wanted = {name: value for name, value in wanted.items() if value is not None}
    made = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(**wanted))
    for weight in made.parameters():
        if weight.ndim > 1:
            # of a head with smaller weights no output is sure of a token
            torch.nn.init.normal_(weight, std=0.4 if weight.shape[0] == ids["vocab_size"] else 0.15)
    made.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return folder


def _pieces(*, prefixed: bool) -> Backend:
    """A BPE of SentencePiece's pieces with byte fallback; `prefixed` as Llama 2's, which puts a space before a text."""
    backend = Backend(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    spaces = normalizers.Replace(" ", "▁")
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), spaces]) if prefixed else spaces
    backend.pre_tokenizer = None if prefixed else pre_tokenizers.Split("\n", "isolated")
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence([*steps, *([decoders.Strip(" ", 1, 0)] if prefixed else [])])
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    words = (word for text in islice(texts(tiny.SEED), 1000) for word in text.replace(" ", " \0").split("\0"))
    trainer = trainers.BpeTrainer(
        vocab_size=1024, special_tokens=["<unk>", *tiny.SPECIAL, *bytes_], show_progress=False
    )
    backend.train_from_iterator(words, trainer)
    content = json.loads(backend.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if not token["content"].startswith("<0x")]
    return Backend.from_str(json.dumps(content))
