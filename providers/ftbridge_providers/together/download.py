"""Downloading an archive of weights, going on where an earlier try was cut off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftbridge.errors import NetworkError
from ftbridge.provider.answers import error_from
from ftbridge_providers.together.client import NAME, understood

if TYPE_CHECKING:
    from together import Together

_RANGE = re.compile(r"bytes (?:(?P<start>\d+)-\d+|\*)/(?P<total>\d+)")


def download(client: Together, archive: Path, *, ft_id: str, checkpoint: str) -> None:
    """Bring `archive` to its full length, asking only for what it lacks.

    Raises `NetworkError` where the connection ends early: what came by then is kept, and asking
    again goes on from there.
    """
    have = archive.stat().st_size if archive.exists() else 0
    with understood(), _answer(client, ft_id, checkpoint, f"bytes={have}-") as answer:
        if answer.status_code not in (200, 206, 416):
            raise error_from(NAME, answer.status_code, "its storage does not give the weights", headers=answer.headers)
        span = _RANGE.fullmatch(answer.headers.get("content-range", ""))
        total = int(span["total"]) if span else int(answer.headers.get("content-length", -1))
        if answer.status_code != 416:  # which says that nothing is lacking
            goes_on = answer.status_code == 206 and span is not None and span["start"] == str(have)
            with archive.open("ab" if goes_on else "wb") as out:
                for chunk in answer.iter_bytes():  # as they come: of a chunk of fixed size the begun part is lost
                    out.write(chunk)
    if archive.stat().st_size != total:
        if archive.stat().st_size > total:
            archive.unlink()  # no beginning of what is there now
        raise NetworkError(f"{NAME} ended a download before its end", hint="Fetch it again: it goes on from there.")


@contextmanager
def _answer(client: Together, ft_id: str, checkpoint: Any, span: str) -> Iterator[Any]:
    """The streamed answer. Where Together leads to a storage, that is asked without the key."""
    import httpx

    import together

    headers = {"range": span, "accept-encoding": "identity"}
    content = client.fine_tuning.with_streaming_response.content
    with ExitStack() as stack:
        try:
            answer: Any = stack.enter_context(content(ft_id=ft_id, checkpoint=checkpoint, extra_headers=headers))
        except together.APIStatusError as problem:
            answer = problem.response
            place = httpx.URL(answer.headers.get("location", ""))
            if answer.is_redirect and place.scheme in ("https", client.base_url.scheme):
                answer = stack.enter_context(httpx.stream("GET", place, headers=headers, timeout=client.timeout))
            elif answer.status_code != 416:
                raise
        yield answer
