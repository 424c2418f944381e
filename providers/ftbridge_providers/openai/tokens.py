"""The tokens of images in OpenAI's count: a rule of tiles, which needs the size of the image.

Source: "Images and vision", "Calculating costs", at developers.openai.com/api/docs/guides (2026-06). The smaller
models of these families have other rules, and are not trained on images.
"""

from __future__ import annotations

import base64
import binascii
import math
import struct
from collections.abc import Iterator

from ftbridge.dataset import TokenCounter
from ftbridge.dataset.example import Chat, Example, ImagePart, ImageUrl

TILED = ("gpt-4o-2024", "gpt-4.1-2025")
_BASE, _TILE = 85, 170
_ASSUMED = (1024, 1024)
_HEADER = 2**18  # characters of base64 among which a JPEG tells its size


class WithImages:
    """Counts as `counter` does, and adds the images of a chat: one of unknown size as 1024 by 1024 pixels."""

    def __init__(self, counter: TokenCounter) -> None:
        self.name = f"{counter.name}, and images by OpenAI's tiles (1024 x 1024 where the size is unknown)"
        self.error = counter.error
        self._counter = counter

    def count(self, example: Example) -> int:
        """The tokens of the texts and of the images."""
        return self._counter.count(example) + sum(image_tokens(image) for image in _images(example))


def image_tokens(image: ImageUrl) -> int:
    """85 in low detail; else 170 more for each tile of 512 pixels, once the image fits 2048 and its short side 768."""
    if image.detail == "low":
        return _BASE
    width, height = _size(image.url) or _ASSUMED
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / min(width, height))
    return _BASE + _TILE * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def _images(example: Example) -> Iterator[ImageUrl]:
    for message in example.messages if isinstance(example, Chat) else ():
        if isinstance(message.content, list):
            yield from (part.image_url for part in message.content if isinstance(part, ImagePart))


def _size(url: str) -> tuple[int, int] | None:
    """Width and height in pixels of an embedded PNG or JPEG; None where they cannot be told."""
    _, _, data = url.partition(";base64,")
    try:
        head = base64.b64decode(data[:_HEADER])
        if head.startswith(b"\x89PNG"):
            width, height = struct.unpack(">II", head[16:24])
        elif head.startswith(b"\xff\xd8"):
            height, width = _jpeg_frame(head)
        else:
            return None
    except (binascii.Error, ValueError, struct.error):
        return None
    return (width, height) if width and height else None


def _jpeg_frame(head: bytes) -> tuple[int, int]:
    """Height and width from the start-of-frame segment (ITU-T T.81, B.2.2), past the segments before it."""
    at = 2
    while head[at : at + 1] == b"\xff":
        kind, length = struct.unpack(">BH", head[at + 1 : at + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return height, width
        at += 2 + length
    raise ValueError("no frame")
