"""`report --out`: one HTML file about one job, or several beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ftbridge.arguments import one_or_more
from ftbridge.context import Context
from ftbridge.dataset.data_file import Data
from ftbridge.errors import InputError, UsageError
from ftbridge.evaluation.evaluate import evaluate
from ftbridge.files import replacing, require_folder_of
from ftbridge.model import Job
from ftbridge.report.gather import gather

_ENDINGS = (".html", ".htm")


def write_report(
    context: Context,
    jobs: Job | str | Sequence[Job | str],
    out: str | Path,
    *,
    data: Data | None = None,
    format: str | None = None,  # noqa: A002 - the word users know
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
) -> Path:
    """Write what was trained on what, and whether it helped, into `out`: one HTML file that loads and runs nothing.

    Several jobs stand beside each other. Each is shown with the newest evaluation that the home keeps of it; with
    `data`, held-out rows, each is first evaluated on them, beside its base; `format` and `map` are as those of
    `Bridge.evaluate`. The file is its owner's alone, because it
    has rows in it. Raises `UsageError` for another extension, `InputError` where the file cannot be written, and what
    `Bridge.evaluate` raises.
    """
    from ftbridge.report.page import render  # which loads Jinja

    file = Path(out)
    if file.suffix not in _ENDINGS:
        raise UsageError(f"{file} is not .html", hint="Name a file that ends so: --out report.html.")
    require_folder_of(file)
    chosen = [context.record(job).job for job in one_or_more(jobs)]
    if data is not None:
        for job in chosen:
            evaluate(context, job, data, baseline=True, format=format, map=map)
    unique = {job.id: job for job in chosen}
    document = render([gather(context, job) for job in unique.values()])
    try:
        with replacing(file) as temporary:
            temporary.write_text(document, "utf-8")
    except OSError as problem:
        raise InputError(f"{file} cannot be written: {problem.strerror}", hint="Name another file.") from None
    return file
