"""A model's folder as one GGUF file, unquantised, in the precision of the model, by the `gguf` package.

The format is that of ggml-org/ggml, docs/gguf.md, and the names are those of gguf's own tensor map. Llama, Mistral,
Qwen 2 and Qwen 3 models are written, and only where nothing of them is lost; llama.cpp's own converter does the rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy
import torch
import transformers as _transformers
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFWriter, LlamaFileType
from numpy.typing import NDArray
from safetensors import safe_open

from ftbridge_local.exporting.gguf_tokenizer import add_tokenizer, unwritable

transformers: Any = _transformers  # half of its functions have no types

_ARCHITECTURES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "mistral": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
}
_KINDS = {"F32": Kind.F32, "F16": Kind.F16, "BF16": Kind.BF16}
_FILE_TYPES = {
    Kind.F32: LlamaFileType.ALL_F32,
    Kind.F16: LlamaFileType.MOSTLY_F16,
    Kind.BF16: LlamaFileType.MOSTLY_BF16,
}
_ROPE_FREQUENCIES = "rope_freqs.weight"


def check(folder: Path) -> None:
    """Raises `SpecError`, with the reason, for a model that cannot be written exactly. Needs no weights."""
    _head(folder, "any")


def write(folder: Path, file: Path, name: str) -> None:
    """Write the model in `folder`, with its weights in safetensors, as `file`; one tensor at a time is in memory.

    Raises `SpecError` as `check` does.
    """
    config, writer = _head(folder, name)
    weights = [(_name(key, config), tensor) for key, tensor in _weights(folder)]
    kinds = {name: _kind(name, tensor) for name, tensor in weights}
    writer.add_file_type(_FILE_TYPES[kinds["token_embd.weight"]])
    scaled = _rope_frequencies(config)
    if scaled is not None:
        writer.add_tensor_info(_ROPE_FREQUENCIES, scaled.shape, scaled.dtype, scaled.nbytes)
    for name, tensor in weights:
        shape = tensor.get_shape()
        numbers = numpy.dtype(numpy.float32 if kinds[name] is Kind.F32 else numpy.uint16)
        writer.add_tensor_info(name, shape, numbers, math.prod(shape) * numbers.itemsize, raw_dtype=kinds[name])
    writer.write_header_to_file(file)
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    if scaled is not None:
        writer.write_tensor_data(scaled)
    for name, tensor in weights:
        whole = _permute_for_llama_cpp(name, tensor[:], config)
        # numpy has no bfloat16, so numbers of two bytes are written as their bits
        writer.write_tensor_data((whole.float() if kinds[name] is Kind.F32 else whole.view(torch.uint16)).numpy())
    writer.close()


def _head(folder: Path, name: str) -> tuple[Any, GGUFWriter]:
    """The model's config, and a writer that holds everything of the model but its weights."""
    config = transformers.AutoConfig.from_pretrained(folder)
    _check_config(config)
    writer = GGUFWriter(None, gguf.MODEL_ARCH_NAMES[_ARCHITECTURES[config.model_type]])
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    width = _head_width(config)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    add_tokenizer(writer, folder, config.vocab_size)
    return config, writer


def _check_config(config: Any) -> None:
    if config.model_type not in _ARCHITECTURES:
        raise unwritable(f"its architecture is {config.model_type}")
    if config.hidden_act != "silu":
        raise unwritable(f"its activation is {config.hidden_act}")
    window = getattr(config, "sliding_window", None)
    if window is not None and window < config.max_position_embeddings:
        raise unwritable(f"its attention window is {window} tokens")
    rope = config.rope_parameters
    if rope.get("rope_type", "default") not in ("default", "llama3"):
        raise unwritable(f"its positions are scaled as {rope['rope_type']}")
    if rope.get("partial_rotary_factor", 1.0) != 1.0:
        raise unwritable("it rotates only a part of each head")


def _weights(folder: Path) -> Iterator[tuple[str, Any]]:
    """Every tensor by its name; its shape and type are known at once, its numbers are read when they are used."""
    for file in sorted(folder.glob("*.safetensors")):
        weights: Any = safe_open(file, framework="pt")  # it has no types
        for key in weights.keys():  # noqa: SIM118 - it is not a mapping
            yield key, weights.get_slice(key)


def _name(key: str, config: Any) -> str:
    names = gguf.get_tensor_name_map(_ARCHITECTURES[config.model_type], config.num_hidden_layers)
    name = names.get_name(key, try_suffixes=(".weight", ".bias"))
    if name is None:
        raise unwritable(f"it has weights called {key}")
    return name


def _kind(name: str, tensor: Any) -> Kind:
    """The type that a tensor is written in: its own, and float32 for norms and biases, as llama.cpp wants them."""
    stored = tensor.get_dtype()
    if stored not in _KINDS:
        raise unwritable(f"its weights {name} are stored as {stored}")
    return Kind.F32 if len(tensor.get_shape()) == 1 else _KINDS[stored]


def _permute_for_llama_cpp(name: str, tensor: torch.Tensor, config: Any) -> torch.Tensor:
    """Queries and keys of Llama models, which llama.cpp rotates in neighbouring pairs, and transformers by halves."""
    if _ARCHITECTURES[config.model_type] is not gguf.MODEL_ARCH.LLAMA:
        return tensor
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(name.split(".")[-2])
    if heads is None:
        return tensor
    return tensor.view(heads, 2, -1, *tensor.shape[1:]).transpose(1, 2).reshape(tensor.shape)


def _rope_frequencies(config: Any) -> NDArray[numpy.float32] | None:
    """The divisors of each pair's frequency in Llama 3.1 and models like it; None where they are not scaled."""
    if config.rope_parameters.get("rope_type", "default") == "default":
        return None
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaled, _attention = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    width = _head_width(config)
    plain = config.rope_parameters["rope_theta"] ** -(torch.arange(0, width, 2).float() / width)
    factors: NDArray[numpy.float32] = (plain / scaled).float().numpy()
    return factors


def _head_width(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
