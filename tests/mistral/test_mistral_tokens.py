"""Tokens for Mistral are counted by its own vocabulary, as its own tokenizer counts them."""

from __future__ import annotations

import pytest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from ftbridge.dataset.example import Text
from ftbridge_providers.mistral.tokens import tekken

TEXTS = [
    "",
    "Where is my order 1234567?\r\n\r\nIt's LATE…",
    "Straße, γλώσσα, 東京タワー, नमस्ते, 👩‍👩‍👧, \u0000\u200b\ufeff",
    "def f(x):\n\treturn {'a': [1, 2.5e-3], **x}   \n\n",
    "[INST] is no special token </s> in a text <s>",
]


def test_the_count_is_that_of_mistrals_own_tokenizer() -> None:
    own = MistralTokenizer.v3(is_tekken=True).instruct_tokenizer.tokenizer
    counter = tekken("open-mistral-nemo")
    assert counter is not None
    assert counter.name == "tekken"
    for text in TEXTS:
        assert counter.count(Text(text)) == len(own.encode(text, bos=False, eos=False)), text


@pytest.mark.parametrize("model", ["open-mistral-7b", "open-mixtral-8x7b"])
def test_models_with_another_vocabulary_are_not_counted_by_it(model: str) -> None:
    assert tekken(model) is None
