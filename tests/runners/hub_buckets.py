"""The two calls by which huggingface_hub carries bytes to and from a bucket, as copies to and from a folder.

In their place the Xet protocol is used, whose server is not public. All else of a bucket is asked of the stub.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi


def replace(patch: pytest.MonkeyPatch, buckets: Path) -> None:
    """Carry files to and from the folder with the buckets."""
    delete = HfApi.batch_bucket_files

    def put(self: HfApi, bucket_id: str, *, add: Any = None, **rest: Any) -> None:
        for content, name in add or ():
            target = buckets / bucket_id / name
            target.parent.mkdir(parents=True, exist_ok=True)
            new = target.with_name(f".{target.name}.new")
            new.write_bytes(content if isinstance(content, bytes) else Path(content).read_bytes())
            new.replace(target)
        if rest:
            delete(self, bucket_id, **rest)

    def get(self: HfApi, bucket_id: str, files: list[tuple[str, Path]], **_rest: Any) -> None:
        for name, target in files:
            if (source := buckets / bucket_id / name).is_file():
                shutil.copyfile(source, target)

    patch.setattr(HfApi, "batch_bucket_files", put)
    patch.setattr(HfApi, "download_bucket_files", get)


if __name__ == "__main__":
    from ftbridge.cli.app import main

    replace(pytest.MonkeyPatch(), Path(os.environ["HUB_BUCKETS"]))
    sys.argv[:] = ["ftbridge", *sys.argv[1:]]
    main()
