"""A GGUF file, loaded by transformers and read as llama.cpp reads it: its tokenizer, template, and end tokens."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import ExitStack, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch
import transformers as _transformers

from ftbridge.errors import MissingExtra, UsageError
from ftbridge.provider.served import ServedFacts
from ftbridge_local.generation import Generator
from ftbridge_local.model_files import reason_of
from ftbridge_local.models.device import device
from ftbridge_local.servers.gguf_tokens import GgufFields, write_tokenizer
from ftbridge_local.servers.loaded import LoadedServer
from ftbridge_local.tokenizing.tokenizer import Tokenizer

transformers: Any = _transformers  # half of its functions have no types

_UNQUANTISED = ("F32", "F16", "BF16")
_FIXES = {
    "template": "Export it again, `ftbridge export JOB --format gguf`, which writes the model's own template; or give"
    " llama.cpp --jinja --chat-template-file FILE.",
    "tokenizer": "Export it again: `ftbridge export JOB --format gguf` writes the tokenizer only where it is exact.",
    "bos_added": "Set tokenizer.ggml.add_bos_token to false in the file, or convert it again.",
    "bos_missing": "Set tokenizer.ggml.add_bos_token to true in the file, or convert it again.",
    "stop_tokens": "Set tokenizer.ggml.eos_token_id in the file to the trained end token, or export it again.",
    "quantisation": "Serve the unquantised file, or quantise to more bits, such as Q8_0, and verify again.",
}


def open_gguf(file: Path, home: Path) -> LoadedServer:
    """The model in a file. Raises `UsageError` where it is none, or of a kind that transformers does not load."""
    try:
        import gguf
    except ImportError:
        raise MissingExtra("gguf needs the package gguf", hint="Run `pip install 'ftbridge[gguf]'`.") from None
    if not file.is_file():
        raise UsageError(f"there is no file {file}", hint="Give the GGUF file that is served.")
    try:
        reader = gguf.GGUFReader(file)
    except (ValueError, OSError, IndexError) as problem:
        raise UsageError(
            f"{file} is no GGUF file: {reason_of(problem)}", hint="Give the file that is served."
        ) from None
    fields = GgufFields({name: field.contents() for name, field in reader.fields.items()})
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(dir=_temporary(home))))
        write_tokenizer(fields, file, folder)
        tokenizer = Tokenizer(folder)
        tokenizer.end_ids = fields.end_ids or tokenizer.end_ids  # llama.cpp does not look for others in the template
        generator = Generator(str(file), tokenizer, _load(file, fields.architecture))
        facts = ServedFacts(
            server="GGUF file",
            model=str(file),
            quantisation=_quantisation(fields, reader.tensors),
            context=None,
            fixes=_FIXES,
        )
        opens = fields.bos_id if fields.adds_bos else None
        return LoadedServer(generator, facts, opened.pop_all(), opens)


def _load(file: Path, architecture: str) -> Any:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        with redirect_stderr(StringIO()):  # its progress bar, which no setting switches off
            model = transformers.AutoModelForCausalLM.from_pretrained(
                file.absolute().parent, gguf_file=file.name, dtype=torch.float32, local_files_only=True
            )
    except Exception as problem:  # it raises what comes first: ValueError, KeyError, errors of torch
        raise UsageError(
            f"transformers does not load this GGUF file of architecture {architecture}: {reason_of(problem)}",
            hint="Serve it, with llama.cpp's llama-server or Ollama, and give --at URL or --ollama NAME.",
        ) from problem
    model.generation_config = transformers.GenerationConfig()
    return model.to(device()).eval()


def _quantisation(fields: GgufFields, tensors: Any) -> str | None:
    """By the field general.file_type, or else by the type that most weights have."""
    import gguf

    sizes: Counter[str] = Counter()
    for tensor in tensors:
        sizes[tensor.tensor_type.name] += int(tensor.n_elements)
    [(most, _count)] = sizes.most_common(1)
    if most in _UNQUANTISED:
        return None
    try:
        named = gguf.LlamaFileType(fields.file_type).name.removeprefix("MOSTLY_")
    except ValueError:
        return most
    return most if named.removeprefix("ALL_") in _UNQUANTISED else named


def _temporary(home: Path) -> Path | None:
    folder = home / "local"
    return folder if folder.is_dir() else None
