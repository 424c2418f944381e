"""Downloading the files of a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import NetworkError
from ftbridge.files import replacing
from ftbridge.provider.retry import with_retries
from ftbridge.provider.unpack import safe_name
from ftbridge_providers.openai.client import not_understood, sound, understood

if TYPE_CHECKING:
    from openai import OpenAI


def download(client: OpenAI, file_ids: Sequence[str], folder: Path) -> None:
    """The files into `folder`, under their own names.

    Raises `BadAnswer` before anything is written where a name is there twice, points elsewhere, or is of a
    file that would run code when it is loaded. A file whose download breaks off is begun again.
    """
    files = [with_retries(partial(_described, client, file_id)) for file_id in file_ids]
    names = [safe_name(file.filename, provider="nebius") for file in files]
    if len(set(names)) < len(names):
        raise not_understood("nebius")
    folder.mkdir(parents=True, exist_ok=True)
    for file, name in zip(files, names, strict=True):
        with_retries(partial(_write, client, file, folder / name))


def _described(client: OpenAI, file_id: str) -> Any:
    with understood("nebius"):
        return sound("nebius", client.files.retrieve(file_id))


def _write(client: OpenAI, file: Any, place: Path) -> None:
    import httpx2

    content = client.files.with_streaming_response.content
    with replacing(place) as beside:
        try:
            with understood("nebius"), content(file.id) as answer, beside.open("wb") as out:
                if answer.headers.get("content-type", "").startswith("text/html"):
                    raise not_understood("nebius")
                for chunk in answer.iter_bytes():
                    out.write(chunk)
        except httpx2.HTTPError:
            raise _broken_off() from None
        if beside.stat().st_size != file.bytes:
            raise _broken_off()


def _broken_off() -> NetworkError:
    return NetworkError("nebius ended a download before its end", hint="Fetch it again.")
