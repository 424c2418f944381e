"""The images of an example, and how large they are, for vendors that count their tokens by it."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator

from ftbridge.dataset.canonical.example import Example, ImagePart, ImageUrl
from ftbridge.dataset.canonical.texts import messages_of

ASSUMED = (1024, 1024)
"""Pixels of an image whose size is not in the file: one by its web address, or of another kind."""
_HEADER = 2**18  # characters of base64 among which a JPEG tells its size


def images_of(example: Example) -> Iterator[ImageUrl]:
    """Every image that a message shows."""
    for message in messages_of(example):
        if isinstance(message.content, list):
            yield from (part.image_url for part in message.content if isinstance(part, ImagePart))


def pixels(url: str) -> tuple[int, int]:
    """Width and height of an embedded PNG or JPEG; `ASSUMED` where they cannot be told."""
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
    at = 2
    while head[at : at + 1] == b"\xff":
        kind, length = struct.unpack(">BH", head[at + 1 : at + 4])
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return height, width
        at += 2 + length
    raise ValueError("no frame")
