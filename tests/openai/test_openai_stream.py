"""Answers that come in pieces: true server-sent events, and every way in which they may break."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ftbridge import Bridge
from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import BadAnswer, NetworkError, NotFound
from ftbridge.provider.completions import chat_body, text_of_chunk
from ftbridge_providers.openai.adapter import OpenAIProvider
from ftbridge_providers.openai.mock.vendor import OpenAIMock

BASE = "gpt-4.1-mini-2025-04-14"
BODY = chat_body(Chat(messages=[User(content="Hi.")]), {})


def test_each_piece_is_handed_on_as_it_comes(provider: OpenAIProvider, mock: OpenAIMock) -> None:
    pieces = [piece for piece in map(text_of_chunk, provider.stream(BASE, BODY)) if piece]
    assert pieces == ["I ", "have ", "not ", "been ", "tuned ", "on ", "that."]
    assert mock.seen[-1].call.body["stream"] is True


def test_options_go_to_the_vendor_whatever_the_sdk_thinks_of_them(provider: OpenAIProvider, mock: OpenAIMock) -> None:
    provider.complete(BASE, {**BODY, "max_tokens": 5, "a_new_option": [1]})
    sent = mock.seen[-1].call.body
    assert (sent["max_tokens"], sent["a_new_option"]) == (5, [1])


@pytest.mark.parametrize(
    ("fault", "error"),
    [("html", BadAnswer), ("cut-midway", NetworkError), ("truncate", NetworkError), ("404", NotFound)],
)
def test_a_stream_that_breaks_is_an_error_and_no_short_answer(
    provider: OpenAIProvider, mock: OpenAIMock, fault: str, error: type[Exception]
) -> None:
    mock.faults.add(f"chat={fault}")
    with pytest.raises(error):
        list(provider.stream(BASE, BODY))


def test_a_bridge_streams_the_text_that_chat_returns(
    open_bridge: Callable[..., Bridge], rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bridge = open_bridge()
    job = bridge.wait(bridge.submit(rows, to=f"openai:{BASE}"))
    pieces = list(bridge.stream(job, "What is 1 and 1?", system="Be short."))
    assert len(pieces) > 1
    assert "".join(pieces) == bridge.chat(job, "What is 1 and 1?", system="Be short.").text
