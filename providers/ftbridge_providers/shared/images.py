"""Checks of the images in an example."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from ftbridge.dataset.canonical.example import ImagePart, Message, Part, User
from ftbridge.dataset.findings import Diagnostics

_EMBEDDED = re.compile(r"data:image/(jpeg|png|webp);base64,")


class ImageRules(Struct, frozen=True):
    """One vendor's rules: at most `most` images in an example, of `max_bytes` each; `linked` if a URL will do."""

    vendor: str
    linked: bool
    most: int = 10
    max_bytes: int = 10 * 2**20

    def check(self, messages: list[Message], root: str, diagnostics: Diagnostics) -> None:
        """Report every image that the vendor does not take."""
        for count, (path, message, url) in enumerate(images(messages, root), start=1):
            if type(message) is not User:
                refuse_outside_user(self.vendor, path, diagnostics)
            elif count == self.most + 1:
                diagnostics.error(
                    path,
                    "too_many_images",
                    f"{self.vendor} takes at most {self.most} images in an example",
                    "Split the example, or remove images.",
                )
            else:
                self._check_url(url, path, diagnostics)

    def _check_url(self, url: str, path: str, diagnostics: Diagnostics) -> None:
        if self.linked and url.startswith(("https://", "http://")):
            return
        embedded = _EMBEDDED.match(url)
        if embedded is None:
            kinds = "a web address or a data URL" if self.linked else "a data URL"
            refuse_address(self.vendor, f"{kinds} of a JPEG, PNG or WEBP file", path, diagnostics)
        elif (len(url) - embedded.end()) * 3 // 4 - url[-2:].count("=") > self.max_bytes:
            diagnostics.error(
                path,
                "image_too_large",
                f"{self.vendor} takes images of at most {self.max_bytes // 2**20} MB",
                "Scale the image down, or compress it more.",
            )


def has_image(messages: list[Message]) -> bool:
    """Whether any message has an image."""
    for message in messages:
        if type(message.content) is list and any(type(part) is ImagePart for part in message.content):
            return True
    return False


def parts(message: Message) -> list[Part]:
    """The content parts of a message; none where the content is a string or missing."""
    return message.content if type(message.content) is list else []


def images(messages: list[Message], root: str) -> Iterator[tuple[str, Message, str]]:
    """Each image: the JSON path of its URL, its message, and the URL."""
    for index, message in enumerate(messages):
        for part_index, part in enumerate(parts(message)):
            if type(part) is ImagePart:
                yield f"{root}[{index}].content[{part_index}].image_url.url", message, part.image_url.url


def refuse_address(vendor: str, takes: str, path: str, diagnostics: Diagnostics) -> None:
    """Report an image that is given in a way that the vendor does not read."""
    diagnostics.error(
        path,
        "image_not_usable",
        f"{vendor} takes an image as {takes}",
        "Embed the image as data:image/jpeg;base64,… (or png, webp).",
    )


def refuse_outside_user(vendor: str, path: str, diagnostics: Diagnostics) -> None:
    """Report an image in a message that is not the user's."""
    diagnostics.error(
        path,
        "image_not_in_user",
        f"{vendor} takes images in user messages only",
        "Move the image into a user message, or remove it.",
    )


def refuse_for_model(vendor: str, model: str, takes_images: str, path: str, diagnostics: Diagnostics) -> None:
    """Report an image for a model that is not trained on images."""
    diagnostics.error(
        path,
        "model_without_images",
        f"{vendor} does not train {model} on images",
        f"Choose {takes_images}, or remove the images.",
    )
