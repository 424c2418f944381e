"""The rows that `check --show-mask` shows are those that the trainer computes its loss of, token for token."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import torch

from ftbridge.dataset import Diagnostics, RenderedRow, read_examples
from ftbridge.dataset.canonical.example import Example, Preference, Text
from ftbridge_local.rendering import render
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import losses, rows, varlen
from local.families_of_tools import ALL

Make = Callable[..., Tokenizer]

LONG = 60  # tokens, of which some rows have more
SAID = [
    [("user", "Hi."), ("assistant", "Hello!")],
    [("user", "Paint it 🦄."), ("assistant", "žluťoučký 👩‍👩‍👧 \n\tkůň")],
    [("user", "Hi."), ("assistant", "Hello!"), ("user", "Bye."), ("assistant", "See you.")],
    [("user", "שלום"), ("assistant", "one, two, three. " * 20)],
]


def chats(file: Path) -> Path:
    documents = ({"messages": [{"role": role, "content": content} for role, content in turns]} for turns in SAID)
    file.write_text("".join(json.dumps(document) + "\n" for document in documents), "utf-8")
    return file


def shown(example: Example, tokenizer: Tokenizer, max_length: int = 10_000) -> tuple[RenderedRow, ...]:
    diagnostics = Diagnostics()
    made = render(example, diagnostics, tokenizer=tokenizer, max_length=max_length)
    assert not diagnostics.findings
    return made


@pytest.mark.parametrize("family", ALL)
def test_the_tokens_and_labels_of_the_loss_are_those_shown(
    family: str, tokenizer_with: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, computed = ALL[family], list[Any]()
    tokenizer = tokenizer_with(made.template, made.special, made.end, made.begin)

    def record(_model: Any, inputs: list[list[int]], places: torch.Tensor, labels: torch.Tensor) -> Any:
        computed.append((inputs, places.tolist(), labels.tolist()))
        return labels.float(), labels.bool()

    monkeypatch.setattr(varlen, "token_losses", record)
    monkeypatch.setattr(varlen, "is_enabled", lambda _model: True)
    file = chats(tmp_path / "rows.jsonl")
    items, _lines = rows.read(file, tokenizer, LONG, tmp_path, lambda **_: None)
    losses.supervised(SimpleNamespace(device="cpu"), items)  # type: ignore[arg-type]  # the rows of chats
    [(inputs, places, labels)] = computed

    read = [row for _, example in read_examples(file) for row in shown(example, tokenizer, LONG)]
    rendered = [row for row in read if any(token.trained for token in row.tokens)]  # the others are skipped
    trained = [[at for at, token in enumerate(row.tokens) if token.trained] for row in rendered]
    assert labels == [row.tokens[at].id for row, of in zip(rendered, trained, strict=True) for at in of]
    assert inputs == [[token.id for token in row.tokens[: of[-1]]] for row, of in zip(rendered, trained, strict=True)]
    before = [row.tokens[at - 1].id for row, of in zip(rendered, trained, strict=True) for at in of]
    assert [[*chain(*inputs)][place] for place in places] == before


@pytest.mark.parametrize("family", ALL)
def test_the_texts_of_the_tokens_are_the_text_of_the_row(family: str, tokenizer_with: Make, tmp_path: Path) -> None:
    made = ALL[family]
    tokenizer = tokenizer_with(made.template, made.special, made.end, made.begin)
    for _, example in read_examples(chats(tmp_path / "rows.jsonl")):
        for length in (LONG, 10_000):
            [row] = shown(example, tokenizer, length)
            assert "".join(token.text for token in row.tokens) == row.text
            assert tokenizer.decode([token.id for token in row.tokens], special=True).rstrip("\ufffd") == row.text or (
                row.cut_off  # in the middle of a character, perhaps
            )


@pytest.mark.parametrize("family", ALL)
def test_the_end_is_the_token_that_ends_answers(family: str, tokenizer_with: Make, tmp_path: Path) -> None:
    made = ALL[family]
    tokenizer = tokenizer_with(made.template, made.special, made.end, made.begin)
    for _, example in read_examples(chats(tmp_path / "rows.jsonl")):
        [row] = shown(example, tokenizer)
        assert row.end is not None
        assert tokenizer.text_of(row.end) == made.end


def test_a_character_of_several_tokens_is_the_text_of_the_first(tiny_tokenizer: Tokenizer) -> None:
    [row] = shown(Text(text="a🦄b"), tiny_tokenizer)
    at = [token.text for token in row.tokens].index("🦄")
    ids = [token.id for token in row.tokens]
    assert [token.text for token in row.tokens[at:]] == ["🦄", *[""] * (len(ids) - at - 3), "b", "<|end|>"]
    assert tiny_tokenizer.decode(ids[at : len(ids) - 2]) == "🦄"


def test_a_row_that_is_cut_has_no_end(tiny_tokenizer: Tokenizer) -> None:
    [whole], [part] = (shown(Text(text="one two three " * 9), tiny_tokenizer, length) for length in (10_000, 20))
    assert (whole.cut_off, whole.end) == (0, tiny_tokenizer.eos_id)
    assert (part.cut_off, part.end) == (len(whole.tokens) - 20, None)
    assert part.tokens == whole.tokens[:20]
    assert whole.text.startswith(part.text)


def test_a_preference_has_a_row_for_each_output(tiny_tokenizer: Tokenizer) -> None:
    document = {
        "input": {"messages": [{"role": "user", "content": "Hi."}]},
        "preferred_output": [{"role": "assistant", "content": "Hello!"}],
        "non_preferred_output": [{"role": "assistant", "content": "What?"}],
    }
    made = shown(msgspec.convert(document, Preference), tiny_tokenizer)
    trained = ["".join(token.text for token in row.tokens if token.trained) for row in made]
    assert [(row.output, text) for row, text in zip(made, trained, strict=True)] == [
        ("preferred_output", "Hello!<|end|>"),
        ("non_preferred_output", "What?<|end|>"),
    ]
