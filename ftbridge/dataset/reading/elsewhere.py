"""A file that is named by a URL, such as s3://bucket/rows.jsonl: fsspec copies it here before it is read.

A dataset is read more than once, and a copy is what all readings agree on. fsspec knows the schemes and their packages:
s3fs for s3://, gcsfs for gs://, huggingface_hub for hf://, aiohttp for https://.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ftbridge.dataset.reading.on_disk import copy_of
from ftbridge.errors import InputError, MissingExtra
from ftbridge.foreign.redaction import redact
from ftbridge.wording import printable

_URL = re.compile(r"[a-z][a-z0-9+.-]+://.")
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs", "hf": "huggingface_hub"}


def is_url(data: Any) -> bool:
    """Whether it names a file by a URL. A path is none, whatever it is called."""
    return isinstance(data, str) and _URL.match(data) is not None


def endings(url: str) -> str:
    """How the file's name ends, ".jsonl.gz", which says what is in it."""
    return "".join(PurePosixPath(urlsplit(url).path).suffixes[-2:])


def copy_here(url: str, file: Path) -> None:
    """Write the content at the URL to a new file, which is its owner's alone.

    Raises `InputError` where it cannot be read, and `MissingExtra` where a package for its scheme is missing.
    """
    scheme = url.partition("://")[0]
    with _reading(url, scheme):
        import fsspec

        with fsspec.open(url, "rb") as content:
            copy_of(content, file)


@contextmanager
def _reading(url: str, scheme: str) -> Iterator[None]:
    shown = printable(redact(url), 200)
    try:
        yield
    except InputError:
        raise
    except ImportError as problem:
        needed = "'ftbridge[urls]'" if problem.name == "fsspec" else _PACKAGES.get(scheme)
        hint = f"Install it with: pip install {needed}" if needed else "Install the package that it names with pip."
        raise MissingExtra(f"{shown} cannot be read: {printable(str(problem), 200)}", hint=hint) from problem
    except FileNotFoundError:
        raise InputError(f"no such file: {shown}", hint="Check the URL.") from None
    except PermissionError as problem:
        raise InputError(
            f"{shown} may not be read: {printable(redact(str(problem)), 200)}",
            hint=f"Log in: {_PACKAGES.get(scheme, 'fsspec')} finds credentials where its cloud's own tools do.",
        ) from None
    except Exception as problem:  # whatever a cloud's package raises
        raise InputError(
            f"{shown} cannot be read: {printable(redact(f'{type(problem).__name__}: {problem}'), 300)}",
            hint="Check the URL, or copy the file here and name its path.",
        ) from problem
