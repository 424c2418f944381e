"""Result files of OpenAI's models: CSV, a row for each step."""

from __future__ import annotations

import base64
import binascii


def read_result_file(content: bytes) -> bytes:
    """The CSV of a result file, which has been observed both plain and in base64."""
    if b"," in content[:200]:
        return content
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return content
