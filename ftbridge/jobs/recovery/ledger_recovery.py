"""The account's own jobs in the ledger: all of a vendor's, or, when the ledger was lost, ftbridge's of all vendors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ftbridge.context import Context, account_name
from ftbridge.errors import ConfigError, FtbridgeError, MissingExtra, ProviderRetired, Unsupported
from ftbridge.jobs.recovery.importing import Imported, import_listed, tag_of
from ftbridge.plugins import provider_names
from ftbridge.target import Target, parse_target

_CANNOT_BE_ASKED = (ConfigError, MissingExtra, ProviderRetired, Unsupported)


def import_jobs(context: Context, provider: str, *, since: date | None = None, dry_run: bool = False) -> Imported:
    """Take into the ledger every job that the vendor lists, whoever made it; with `since`, those made since that day.

    `provider` is a name such as openai or mock+openai. Doing it again, or twice at once, adds nothing. With
    `dry_run` nothing is written.
    """
    name = account_name(parse_target(f"{provider}:any"))
    context.provider_named(name)  # a name that nobody has is a mistake, and not an empty account
    return import_listed(
        context, name, lambda listed: since is None or listed.created_at.date() >= since, dry_run=dry_run
    )


def adopt_listed(context: Context, to: Sequence[str] = ()) -> Iterator[Imported]:
    """Take into the ledger every job that its vendor lists with ftbridge's tag and that is not in it yet.

    `to` names providers, such as openai or mock+openai; without it all that are installed are asked, and
    those that cannot be asked are skipped and say why. Nothing is changed at the vendors, and doing it
    again does nothing more. What vendors do not know does not come back: the user's keys, where the
    dataset lay, and estimates.
    """
    for name in to or provider_names():
        target = Target(name.removeprefix("mock+"), "", name.startswith("mock+"))
        try:
            yield import_listed(context, account_name(target), lambda listed: tag_of(listed) is not None)
        except _CANNOT_BE_ASKED as problem:
            if to:
                raise
            yield Imported(provider=name, skipped=problem.message)
        except FtbridgeError as problem:
            problem.hint = f"{problem.hint} What was found so far is kept; run the same command again.".strip()
            raise
