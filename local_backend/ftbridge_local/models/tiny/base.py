"""`local:tiny`: a base model of two million parameters, trained on this machine from a seed.

It is an ordinary Hugging Face folder, so that everything that works with it works with any other model. It has the
architecture of Llama and a byte-level BPE tokenizer, and was trained on the generated text of `tiny.text` alone: enough
to know letters, words and brackets, without which LoRA has nothing to build upon (on a random base it hardly learns).
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from ftbridge.files import make_folder, open_private, replacing, write
from ftbridge_local.models.tiny.text import texts

VERSION = 2  # part of the folder's name: to be raised with every change to what is built here
NAME, FOLDER = "tiny", f"tiny-{VERSION}"
SEED = 20_261_122
VOCABULARY, CONTEXT = 1024, 1024
STEPS, BATCH, LENGTH = 60, 16, 128
MUON_RATE, ADAM_RATE, EMBEDDING_SPREAD = 1e-2, 1e-3, 0.1
WEIGHTS = "model.safetensors"
BUILDING = f"building the base model {NAME}, once for all jobs: half a minute where two cores are free"
PAD, END = "<|pad|>", "<|end|>"
SPECIAL = [PAD, END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"]

TEMPLATE = """\
{%- if tools %}<|system|>{{ tools | tojson }}<|end|>{% endif %}
{%- for message in messages %}
    {{- '<|system|>' if message.role == 'developer' else '<|' ~ message.role ~ '|>' }}
    {{- message.content if message.content is not none }}
    {{- message.tool_calls | tojson if message.tool_calls }}
    {{- '<|end|>' }}
{%- endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}
"""

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "dtype": "float32",
    "vocab_size": VOCABULARY,
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": True,
    "pad_token_id": SPECIAL.index(PAD),
    "eos_token_id": SPECIAL.index(END),
    "bos_token_id": None,
}


_logger = logging.getLogger("ftbridge.local")


def tokenizer_folder(home: Path) -> Path:
    """The base's folder, with tokenizer and config, and possibly no weights yet. Needs no torch."""
    folder = home / "local" / "bases" / FOLDER
    if not (folder / "config.json").exists():
        make_folder(folder)
        with _one_builder(folder):
            _write_tokenizer(folder)
    return folder


def built(home: Path) -> bool:
    """Whether the base exists with its weights."""
    return (home / "local" / "bases" / FOLDER / WEIGHTS).exists()


def complete_folder(home: Path) -> Path:
    """The base's folder with its weights, which are written last; trained now if they do not exist."""
    folder = tokenizer_folder(home)
    weights = folder / WEIGHTS
    if not weights.exists():
        _logger.info("%s", BUILDING, extra={"reason": BUILDING})
        with _one_builder(folder):
            if not weights.exists():
                _train(folder, weights)
    return folder


@contextmanager
def _one_builder(folder: Path) -> Iterator[None]:
    with open_private(folder / ".lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write_tokenizer(folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(islice(texts(SEED), 3000), trainer)
    write(folder / "tokenizer.json", tokenizer.to_str(pretty=True).encode())
    write(folder / "chat_template.jinja", TEMPLATE.encode())
    files = {
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": PAD,
            "model_max_length": CONTEXT,
            "clean_up_tokenization_spaces": False,
        },
        "generation_config.json": {"eos_token_id": SPECIAL.index(END), "pad_token_id": SPECIAL.index(PAD)},
        "config.json": CONFIG,  # last: where it exists the tokenizer is complete
    }
    for name, content in files.items():
        write(folder / name, json.dumps(content, indent=2).encode())


def _train(folder: Path, weights: Path) -> None:
    """Full training on windows of the generated text: Muon for the matrices, Adam for embeddings and norms."""
    import torch
    from safetensors.torch import save_file

    from ftbridge_local.models.load import untrained
    from ftbridge_local.models.tiny.muon import Muon
    from ftbridge_local.tokenizing.tokenizer import Tokenizer

    tokenizer = Tokenizer(folder)
    stream: list[int] = []
    generated = texts(SEED)
    while len(stream) < STEPS * BATCH * LENGTH:
        stream += [*tokenizer.encode(next(generated))[0], tokenizer.eos_id]
    windows = torch.tensor(stream[: STEPS * BATCH * LENGTH]).view(STEPS, BATCH, LENGTH)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = untrained(folder)
        # Far apart from the start: every step pushes all tokens that are not in it the same way, and those that this
        # text hardly uses would become alike, which tuning that does not train the embeddings could not repair.
        torch.nn.init.normal_(model.get_input_embeddings().weight, std=EMBEDDING_SPREAD)
    matrices = [weight for name, weight in model.named_parameters() if weight.ndim == 2 and "embed" not in name]
    others = [weight for name, weight in model.named_parameters() if weight.ndim != 2 or "embed" in name]
    muon = Muon(matrices, MUON_RATE)
    adam = torch.optim.AdamW(others, lr=ADAM_RATE, betas=(0.9, 0.95), weight_decay=0.0)
    schedules = [torch.optim.lr_scheduler.LambdaLR(optimizer, _rate_factor) for optimizer in (muon, adam)]
    for window in windows:
        model(input_ids=window, labels=window).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip((muon, adam), schedules, strict=True):
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()

    tensors = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight"}  # tied
    with replacing(weights) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})


def _rate_factor(step: int) -> float:
    """The factor of the learning rate: rising for a tenth of the steps, falling during the second half."""
    return min((step + 1) / (0.1 * STEPS), 1.0, (STEPS - step) / (0.5 * STEPS))
