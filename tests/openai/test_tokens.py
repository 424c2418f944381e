"""Images are counted by OpenAI's published rule of tiles; its examples are the ones checked here."""

from __future__ import annotations

import base64
import struct

import pytest

from ftbridge.dataset import guess
from ftbridge.dataset.example import Chat, ImagePart, ImageUrl, User
from ftbridge_providers.openai.tokens import WithImages, image_tokens


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return "data:image/png;base64," + base64.b64encode(head).decode()


def jpeg(width: int, height: int) -> str:
    head = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0" + struct.pack(">HBHH", 17, 8, height, width)
    return "data:image/jpeg;base64," + base64.b64encode(head).decode()


@pytest.mark.parametrize("embedded", [png, jpeg])
@pytest.mark.parametrize(("width", "height", "tokens"), [(1024, 1024, 765), (2048, 4096, 1105), (512, 512, 255)])
def test_an_image_costs_what_its_tiles_cost(embedded: object, width: int, height: int, tokens: int) -> None:
    assert callable(embedded)
    assert image_tokens(ImageUrl(embedded(width, height), "high")) == tokens


def test_low_detail_has_one_price() -> None:
    assert image_tokens(ImageUrl(png(4096, 8192), "low")) == 85


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "data:image/png;base64,iVBO",
        "data:image/jpeg;base64,/9j/",
        "data:image/png;base64,é",
        png(0, 9),
    ],
)
def test_an_image_of_unknown_size_is_taken_as_1024_by_1024(url: str) -> None:
    assert image_tokens(ImageUrl(url)) == 765


def test_images_add_to_the_texts_and_the_count_says_how() -> None:
    counter = WithImages(guess())
    said = Chat([User("four")])
    shown = Chat([User([ImagePart(ImageUrl(png(512, 512)))])])
    assert counter.count(said) == guess().count(said)
    assert counter.count(shown) == guess().count(shown) + 255
    assert "1024 x 1024" in counter.name
