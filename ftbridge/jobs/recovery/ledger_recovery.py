"""Importing an account's jobs into the ledger: all of one vendor's, or ftbridge's own after the ledger was lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ftbridge.arguments import one_or_more
from ftbridge.context import Context, account_name
from ftbridge.errors import BrokenPlugin, ConfigError, FtbridgeError, MissingExtra, ProviderRetired, Unsupported
from ftbridge.jobs.recovery.importing import Imported, import_listed, tag_of
from ftbridge.plugins import provider_names
from ftbridge.target import Target, parse_target

_UNAVAILABLE = (BrokenPlugin, ConfigError, MissingExtra, ProviderRetired, Unsupported)


def import_jobs(context: Context, provider: str, *, since: date | None = None, dry_run: bool = False) -> Imported:
    """Import every job that the vendor lists, whoever created it; with `since`, those created since that day.

    `provider` is a name such as openai or mock+openai. Doing it again, or twice at once, adds nothing. With
    `dry_run` nothing is written.
    """
    name = account_name(parse_target(f"{provider}:any"))
    context.provider_named(name)  # raises for an unknown name
    return import_listed(
        context, name, lambda listed: since is None or listed.created_at.date() >= since, dry_run=dry_run
    )


def adopt_listed(context: Context, to: str | Sequence[str] = ()) -> Iterator[Imported]:
    """Import every job that a vendor lists with ftbridge's tag and that is not in the ledger yet.

    `to` names one or more providers, such as openai or mock+openai; without it all installed ones are asked, and
    those that are not available are skipped with the reason. Nothing is changed at the vendors, and doing it again
    adds nothing. What vendors do not know is not restored: idempotency keys, the paths of datasets, and estimates.
    """
    for name in one_or_more(to) or provider_names():
        target = Target(name.removeprefix("mock+"), "", name.startswith("mock+"))
        try:
            yield import_listed(context, account_name(target), lambda listed: tag_of(listed) is not None)
        except _UNAVAILABLE as problem:
            if to:
                raise
            yield Imported(provider=name, skipped=problem.message)
        except FtbridgeError as problem:
            problem.hint = f"{problem.hint} What was imported so far is kept; run the same command again.".strip()
            raise
