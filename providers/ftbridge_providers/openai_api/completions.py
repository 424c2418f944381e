"""Chat completions through OpenAI's SDK, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ftbridge.errors import NetworkError
from ftbridge.provider.answers import network_error
from ftbridge_providers.openai_api.client import translated_errors, unexpected_answer

if TYPE_CHECKING:
    from openai import OpenAI


def create_completion(client: OpenAI, model: str, body: Mapping[str, Any], **more: Any) -> Any:
    """A chat completion. The options are sent as they are: the SDK would raise a TypeError for an unknown one."""
    options = {name: value for name, value in body.items() if name not in ("messages", "stream")}
    create: Any = client.chat.completions.create
    return create(model=model, messages=body["messages"], extra_body=options, **more)


def stream_chunks(provider: str, chunks: Any) -> Iterator[dict[str, Any]]:
    """The chunks of one of the SDK's streams. Raises `NetworkError` where it breaks off before its end."""
    import httpx2

    started = finished = False
    with translated_errors(provider), chunks:
        try:
            for chunk in chunks:
                started = True
                finished = finished or any(choice.finish_reason for choice in chunk.choices)
                yield chunk.to_dict(mode="json")
        except httpx2.HTTPError as problem:
            raise network_error(provider, problem) from None
    if not started:
        raise unexpected_answer(provider)
    if not finished:
        raise NetworkError(f"{provider}'s answer broke off", hint="Ask again.")
