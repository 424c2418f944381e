"""Downloading an archive of weights, continuing an interrupted download."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import NetworkError
from ftbridge.files import open_private
from ftbridge.provider.answers import error_from
from ftbridge.provider.network import uses_environment
from ftbridge_providers.together.client import NAME, translated_errors

if TYPE_CHECKING:
    from together import Together

_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-\d+|\*)/(?P<total>\d+)")


def download(client: Together, archive: Path, *, ft_id: str, checkpoint: str) -> None:
    """Download what `archive` lacks of its full length.

    Raises `NetworkError` if the connection ends early: what has arrived is kept, and the next call continues
    from there.
    """
    start = archive.stat().st_size if archive.exists() else 0
    with translated_errors(), _response(client, ft_id, checkpoint, f"bytes={start}-") as response:
        if response.status_code not in (200, 206, 416):
            raise error_from(
                NAME, response.status_code, "its storage does not return the weights", headers=response.headers
            )
        span = _RANGE.fullmatch(response.headers.get("content-range", ""))
        total = int(span["total"]) if span else int(response.headers.get("content-length", -1))
        if response.status_code != 416:  # nothing is missing
            continues = response.status_code == 206 and span is not None and span["start"] == str(start)
            with open_private(archive, "ab" if continues else "wb") as out:
                for chunk in (
                    response.iter_bytes()
                ):  # as they arrive: of a chunk of fixed size the incomplete part would be lost
                    out.write(chunk)
    if archive.stat().st_size != total:
        if archive.stat().st_size > total:
            archive.unlink()  # it is not the beginning of the current archive
        raise NetworkError(f"a download from {NAME} ended early", hint="Fetch it again: it continues from there.")


@contextmanager
def _response(client: Together, ft_id: str, checkpoint: Any, span: str) -> Iterator[Any]:
    """The streamed response. If Together redirects to a storage, that is read without the key."""
    import httpx

    import together

    headers = {"range": span, "accept-encoding": "identity"}
    content = client.fine_tuning.with_streaming_response.content
    with ExitStack() as stack:
        try:
            response: Any = stack.enter_context(content(ft_id=ft_id, checkpoint=checkpoint, extra_headers=headers))
        except together.APIStatusError as problem:
            response = problem.response
            location = httpx.URL(response.headers.get("location", ""))
            if response.is_redirect and location.scheme in ("https", client.base_url.scheme):
                through = uses_environment(str(location))
                storage = httpx.stream("GET", location, headers=headers, timeout=client.timeout, trust_env=through)
                response = stack.enter_context(storage)
            elif response.status_code != 416:
                raise
        yield response
