"""Where two texts, or two lists of tokens, part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from ftbridge.provider.served import Answer, Token
from ftbridge.verification.findings import FirstDifference

_BEFORE, _AFTER = 40, 80  # characters that are shown before and after the place
Encode = Callable[[str], tuple[Token, ...]] | None


def common(first: Sequence[Any], second: Sequence[Any]) -> int:
    """How many items both begin with."""
    pairs = zip(first, second, strict=False)
    return next((index for index, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def difference(
    where: Literal["prompt", "answer", "default answer"],
    trained: str,
    served: str,
    encode: Encode,
    answer: Answer | None = None,
) -> FirstDifference:
    """The first difference of two texts by the trained model's tokens, or by the server's own of its `answer`."""
    ours, theirs = (encode(trained), encode(served)) if encode else ((), ())
    if answer and "".join(token.text for token in answer.tokens) == served and not encode:
        theirs = answer.tokens
    index = common([token.text for token in ours], [token.text for token in theirs]) if encode else None
    at = sum(len(token.text) for token in ours[:index]) if index is not None else common(trained, served)
    return FirstDifference(
        where=where,
        index=index,
        before=trained[max(0, at - _BEFORE) : at],
        trained=ours[index] if index is not None and index < len(ours) else None,
        served=theirs[index] if index is not None and index < len(theirs) else None,
        trained_text=trained[at : at + _AFTER],
        served_text=served[at : at + _AFTER],
    )


def of_ids(trained: tuple[Token, ...], served: Sequence[int]) -> FirstDifference:
    """The first difference of two prompts that have the same text, or whose served text is unknown."""
    index = common([token.id for token in trained], served)
    texts = [token.text for token in trained]
    return FirstDifference(
        where="prompt",
        index=index,
        before="".join(texts[:index])[-_BEFORE:],
        trained=trained[index] if index < len(trained) else None,
        served=Token(text="", id=served[index]) if index < len(served) else None,
        trained_text="".join(texts[index:])[:_AFTER],
        served_text="",
    )


def inserted(trained: str, served: str) -> str | None:
    """What the served text has more than the trained one, if that is all that differs."""
    start = common(trained, served)
    end = common(trained[start:][::-1], served[start:][::-1])
    return served[start : len(served) - end] if start + end == len(trained) else None
