"""The private bucket in which job folders are kept while they are at Hugging Face, by huggingface_hub.

A file of a bucket is replaced as a whole, so that what is read is never a part of an old and a part of a new one.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.errors import FtbridgeError, NetworkError, NotFound, NotReached, UsageError
from ftbridge.foreign.names import member_parts
from ftbridge.provider.answers import error_from, is_never_sent, network_error
from ftbridge.provider.paging import unfinished
from ftbridge.provider.unreadable import UNREADABLE, reading
from ftbridge_local.hugging_face.account import HubAccount
from ftbridge_local.hugging_face.table import PROVIDER

if TYPE_CHECKING:
    from huggingface_hub import HfApi


class Bucket:
    """The bucket `bucket_id`, NAMESPACE/NAME."""

    def __init__(self, account: HubAccount, bucket_id: str) -> None:
        self.bucket_id = bucket_id
        self._account = account

    def put(self, files: Mapping[str, Path | bytes]) -> None:
        """Write these files, by their paths in the bucket, which is made where there is none."""
        api = self._private
        with _understood():
            api.batch_bucket_files(self.bucket_id, add=[(content, path) for path, content in files.items()])

    def tree(self, folder: str) -> dict[str, int]:
        """The sizes in bytes of the files in a folder, by their paths in it."""
        sizes = {}
        with suppress(NotFound), _understood():
            for item in self._api.list_bucket_tree(self.bucket_id, prefix=folder, recursive=True):
                if item.type == "file" and item.path.startswith(f"{folder}/"):
                    sizes[item.path.removeprefix(f"{folder}/")] = item.size
        return sizes

    def sizes(self, paths: Sequence[str]) -> dict[str, int]:
        """The sizes in bytes of those files that exist, in one request for a thousand."""
        sizes = {}
        with suppress(NotFound), _understood():
            sizes = {info.path: info.size for info in self._api.get_bucket_paths_info(self.bucket_id, paths)}
        return sizes

    def read(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The contents of those files that exist."""
        with tempfile.TemporaryDirectory() as folder:
            files = {path: Path(folder) / str(number) for number, path in enumerate(paths)}
            self._download(files)
            return {path: file.read_bytes() for path, file in files.items() if file.exists()}

    def download(self, folder: str, target: Path) -> None:
        """Write all files of a folder below `target`. Raises `BadAnswer` where one of them is missing then."""
        paths = {path: target.joinpath(*member_parts(path)) for path in self.tree(folder)}
        for file in paths.values():
            file.parent.mkdir(parents=True, exist_ok=True)
        self._download({f"{folder}/{path}": file for path, file in paths.items()})
        if missing := [path for path, file in paths.items() if not file.exists()]:
            raise unfinished(PROVIDER, f"{missing[0]} of {folder} did not come")

    def drop(self, paths: Sequence[str]) -> None:
        """Remove these files."""
        if paths:
            with _understood():
                self._api.batch_bucket_files(self.bucket_id, delete=list(paths))

    def _download(self, files: Mapping[str, Path]) -> None:
        with suppress(NotFound), _understood(), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # one for each file that does not exist
            self._api.download_bucket_files(self.bucket_id, list(files.items()))

    @cached_property
    def _api(self) -> HfApi:
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its client logs each of its own retries
        return HfApi(endpoint=self._account.endpoint, token=self._account.token)

    @cached_property
    def _private(self) -> HfApi:
        """The client, once there is the bucket. Raises `UsageError` where everybody can read it."""
        with _understood():
            self._api.create_bucket(self.bucket_id, private=True, exist_ok=True)
            if not self._api.bucket_info(self.bucket_id).private:
                raise UsageError(
                    f"everybody can read the bucket {self.bucket_id}, so no data is put into it",
                    hint="Make it private at the hub, or set another bucket in [runners.NAME] of ftbridge.toml.",
                )
        return self._api


@contextmanager
def _understood() -> Iterator[None]:
    """Raise what the hub's client raises as errors of ours."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        yield
    except FtbridgeError:
        raise
    except Exception as problem:  # it does not wrap the errors of its HTTP client, nor those of the Xet protocol
        answer = getattr(problem, "response", None)
        status = getattr(answer, "status_code", None)
        if isinstance(status, int) and status >= 300:
            message = getattr(problem, "server_message", None) or str(problem)
            raise error_from(PROVIDER, status, message, headers=getattr(answer, "headers", None)) from problem
        if isinstance(problem, OfflineModeIsEnabled):
            raise NotReached(str(problem).partition(" To ")[0], hint="Unset HF_HUB_OFFLINE.") from problem
        if is_never_sent(problem):
            raise network_error(PROVIDER, problem) from problem
        if isinstance(problem, UNREADABLE):
            with reading(PROVIDER):
                raise
        what = f"files could not be carried to or from the hub: {type(problem).__name__}: {problem}"
        raise NetworkError(what, hint="Check the network, and try again.") from problem
