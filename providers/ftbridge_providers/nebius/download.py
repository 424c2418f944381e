"""Downloading the files of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import NetworkError
from ftbridge.files import make_folder, replacing
from ftbridge.foreign.names import first_repeated
from ftbridge.provider.retry import with_retries
from ftbridge.provider.unpack import safe_name
from ftbridge_providers.openai_api.client import require, retry_read, translated_errors, unexpected_answer

if TYPE_CHECKING:
    from openai import OpenAI


def download(client: OpenAI, file_ids: Sequence[str], folder: Path) -> None:
    """Write the files into `folder`, under their own names.

    Raises `BadAnswer` before anything is written where two files have one name, a name points elsewhere, or a
    file would run code when it is loaded. A file whose download is interrupted is downloaded again.
    """
    files = [_file_object(client, file_id) for file_id in file_ids]
    names = [safe_name(file.filename, provider="nebius") for file in files]
    if first_repeated(names):
        raise unexpected_answer("nebius")
    make_folder(folder)
    for file, name in zip(files, names, strict=True):
        with_retries(partial(_write, client, file, folder / name))


def _file_object(client: OpenAI, file_id: str) -> Any:
    return retry_read("nebius", lambda: require("nebius", client.files.retrieve(file_id)))


def _write(client: OpenAI, file: Any, path: Path) -> None:
    import httpx2

    content = client.files.with_streaming_response.content
    with replacing(path) as draft:
        try:
            with translated_errors("nebius"), content(file.id) as answer, draft.open("wb") as out:
                if answer.headers.get("content-type", "").startswith("text/html"):
                    raise unexpected_answer("nebius")
                for chunk in answer.iter_bytes():
                    out.write(chunk)
        except httpx2.HTTPError:
            raise _incomplete() from None
        if draft.stat().st_size != file.bytes:
            raise _incomplete()


def _incomplete() -> NetworkError:
    return NetworkError("a download from nebius ended early", hint="Fetch it again.")
