"""The images of an example and their sizes, by which vendors count tokens."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator

from ftbridge.dataset.canonical.example import Example, ImagePart, ImageUrl
from ftbridge.dataset.canonical.texts import messages_of

ASSUMED = (1024, 1024)
"""Width and height of an image whose size is unknown: one given by URL, or of another file type."""
_HEADER = 2**18  # characters of base64, within which a JPEG has its size


def images_of(example: Example) -> Iterator[ImageUrl]:
    """Every image of the messages."""
    for message in messages_of(example):
        if isinstance(message.content, list):
            yield from (part.image_url for part in message.content if isinstance(part, ImagePart))


def pixels(url: str) -> tuple[int, int]:
    """Width and height of an embedded PNG or JPEG; `ASSUMED` where they are unknown."""
    _, _, data = url.partition(";base64,")
    try:
        head = base64.b64decode(data[:_HEADER])
        if head.startswith(b"\x89PNG"):
            width, height = struct.unpack(">II", head[16:24])
        elif head.startswith(b"\xff\xd8"):
            height, width = _jpeg_frame(head)
        else:
            return ASSUMED
    except (binascii.Error, ValueError, struct.error):
        return ASSUMED
    return (width, height) if width and height else ASSUMED


def _jpeg_frame(head: bytes) -> tuple[int, int]:
    """Height and width from the start-of-frame segment (ITU-T T.81, B.2.2), past the segments before it."""
    offset = 2
    while head[offset : offset + 1] == b"\xff":
        kind, length = struct.unpack(">BH", head[offset + 1 : offset + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[offset + 5 : offset + 9])
            return height, width
        offset += 2 + length
    raise ValueError("no start-of-frame segment")
