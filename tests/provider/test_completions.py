"""What a service gets for a chat that a row was made of."""

from __future__ import annotations

from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.provider.completions import chat_body


def test_weights_and_reasoning_are_no_part_of_a_request() -> None:
    chat = Chat([User("Hello", weight=0), Assistant("Hi", weight=1, reasoning_content="They greet me."), User("Bye")])
    assert chat_body(chat, {"max_tokens": 5}) == {
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "Bye"},
        ],
        "max_tokens": 5,
    }
