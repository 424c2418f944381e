"""Counting by Mistral's own tokenizers, which the package mistral-common carries: nothing is downloaded."""

from __future__ import annotations

from ftbridge.dataset import TextCounter

_SENTENCEPIECE = ("mistral-7b", "mixtral", "mistral-tiny", "mistral-large-2407")


def tekken(model: str) -> TextCounter | None:
    """Tekken, for the models that use it (mistral-common's own table of models, 1.13.1); else, or without it, None.

    What stands around each message is taken as four tokens, which is right to a few in a hundred.
    """
    if any(name in model for name in _SENTENCEPIECE):
        return None
    try:
        from mistral_common.tokens.tokenizers.mistral import MistralTokenizer
    except ImportError:
        return None
    encode = MistralTokenizer.v3(is_tekken=True).instruct_tokenizer.tokenizer.encode
    return TextCounter("tekken", lambda text: len(encode(text, bos=False, eos=False)), error=0.02)
