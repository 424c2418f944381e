"""The images of a row in a column of their own, put where the messages have a placeholder.

`<image>` in a text is LLaVA's and LLaMA-Factory's, `{"type": "image"}` among the parts that of
Hugging Face's transformers and TRL.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from ftbridge.dataset.formats.base import FieldReader, JsonObject, image_part, text_part
from ftbridge.dataset.formats.tools import decoded
from ftbridge.wording import counted

_MARK = "<image>"
_SIGNATURES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}


def place_images(row: FieldReader, messages: list[Any]) -> None:
    """Replace the placeholders in `messages` by the row's images, in order; other numbers of them are an error.

    Where the row has no images `<image>` is a text as any other.
    """
    key = "images" if row.has("images") else "image"
    given = row.take(key)
    if isinstance(given, str) and given.startswith("["):  # a list in the cell of a table
        given = decoded(given)
    images = [] if given is None else given if isinstance(given, list) else [given]
    chats = [one for one in messages if isinstance(one, dict) and (images or isinstance(one.get("content"), list))]
    places = sum(_places(one.get("content")) for one in chats)
    if images and places != len(images):
        found = counted(places, "placeholder")
        row.refuse(
            f"there {'is' if len(images) == 1 else 'are'} {counted(len(images), 'image')} for {found}",
            f"Write {_MARK} in the messages once for each image, where it belongs.",
            key,
        )
        return
    urls = iter([_url(image) for image in images])
    for one in chats:
        one_content = one.get("content")
        if isinstance(one_content, list):
            one["content"] = [_filled(part, urls) for part in one_content]
        elif isinstance(one_content, str) and _MARK in one_content:
            one["content"] = _divided(one_content, urls)


def _places(content: Any) -> int:
    if isinstance(content, str):
        return content.count(_MARK)
    return sum(map(_is_place, content)) if isinstance(content, list) else 0


def _is_place(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "image" and not _own_image(part)


def _filled(part: Any, urls: Iterator[str]) -> Any:
    if _is_place(part):
        url = next(urls, None)
        return part if url is None else image_part(url)
    if isinstance(part, dict) and part.get("type") == "image":
        return image_part(_url(_own_image(part)))
    return part


def _own_image(part: JsonObject) -> Any:
    return next((part[key] for key in ("image", "url", "path") if isinstance(part.get(key), str)), None)


def _divided(text: str, urls: Iterator[str]) -> list[JsonObject]:
    first, *others = text.split(_MARK)
    parts = [text_part(first)] if first else []
    for other in others:
        parts.append(image_part(next(urls)))
        if other:
            parts.append(text_part(other))
    return parts


def _bytes(data: Any) -> bytes | None:
    """The bytes of an image, in JSON as base64."""
    if not isinstance(data, str):
        return data if isinstance(data, bytes) else None
    try:
        return base64.b64decode(data, validate=True)
    except ValueError:
        return None


def _url(image: Any) -> str:
    """The address of an image: a string, or an object of Hugging Face datasets with its bytes or its path."""
    if isinstance(image, dict):
        image = _bytes(image.get("bytes")) or image.get("url") or image.get("path")
    if isinstance(image, bytes):
        kind = next((kind for start, kind in _SIGNATURES.items() if image.startswith(start)), "png")
        return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
    return image if isinstance(image, str) else ""
