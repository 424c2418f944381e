"""Filling a ledger from the vendors' own lists, when its own file is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from pathlib import Path

from ftbridge.bridge.workplace import Workplace, account_name
from ftbridge.errors import ConfigError, FtbridgeError, MissingExtra, ProviderRetired, Unsupported
from ftbridge.ledger import Ledger
from ftbridge.model import Event, Frozen, Job, Method, Spec, Status, now
from ftbridge.provider import Listed, Provider
from ftbridge.registry import provider_names
from ftbridge.target import Target

_CANNOT_BE_ASKED = (ConfigError, MissingExtra, ProviderRetired, Unsupported)


class Found(Frozen):
    """What the list of one vendor gave.

    `adopted` are the jobs that are new in the ledger, `known` counts those that were in it before, and
    `foreign` those that ftbridge did not make. `skipped` says why the vendor could not be asked at all.
    """

    provider: str
    adopted: tuple[Job, ...] = ()
    known: int = 0
    foreign: int = 0
    skipped: str | None = None


def adopt_listed(place: Workplace, to: Sequence[str] = ()) -> Iterator[Found]:
    """Take into the ledger every job that its vendor lists with ftbridge's tag and that is not in it yet.

    `to` names providers, such as openai or mock+openai; without it all that are installed are asked, and
    those that cannot be asked are skipped and say why. Nothing is changed at the vendors, and doing it
    again does nothing more. What vendors do not know does not come back: the user's keys, where the
    dataset lay, and estimates.
    """
    for name in to or provider_names():
        target = Target(name.removeprefix("mock+"), "", name.startswith("mock+"))
        try:
            yield _adopt_all(account_name(target), place.provider(target), place.ledger, place.say)
        except _CANNOT_BE_ASKED as problem:
            if to:
                raise
            yield Found(provider=name, skipped=problem.message)
        except FtbridgeError as problem:
            problem.hint = f"{problem.hint} What was found so far is kept; run the same command again.".strip()
            raise


def _adopt_all(name: str, provider: Provider, ledger: Ledger, say: Callable[[str], None]) -> Found:
    tagged: dict[str, list[Listed]] = {}
    foreign = 0
    for listed in provider.jobs():
        if listed.tag:
            tagged.setdefault(listed.tag, []).append(listed)
        else:
            foreign += 1
    adopted = []
    for tag, (*doubles, oldest) in reversed(tagged.items()):
        for double in doubles:
            say(
                f"{name} has a second job of the one request {tag}: {double.remote.remote_id} is"
                f" {double.remote.status}, beside {oldest.remote.remote_id}; look whether it is billed"
            )
        event = Event(at=now(), kind="message", message=f"found in {name}'s list of jobs and taken into this ledger")
        job = as_job(tag, name, oldest)
        if ledger.adopt(job, event):
            adopted.append(job)
    return Found(provider=name, adopted=tuple(adopted), known=len(tagged) - len(adopted), foreign=foreign)


def as_job(tag: str, name: str, listed: Listed) -> Job:
    """A job of the vendor's listing as the ledger would have it, under `tag` as its id."""
    target = f"{name}:{listed.model or 'unknown'}"
    spec = Spec(
        target=target,
        data=Path(listed.training_file),  # the vendor's name of it; only the vendor knows any
        validation=Path(listed.validation_file) if listed.validation_file else None,
        method=listed.method or Method.SFT,
        hyperparameters=listed.hyperparameters,
        name=listed.name[:64] if listed.name else None,
    )
    return Job(
        id=tag,
        name=spec.name,
        target=target,
        # one that is over is ended by the next look at it, which brings its result, error and events along
        status=Status.QUEUED if listed.remote.status.final else listed.remote.status,
        raw_status=listed.remote.raw_status,
        remote_id=listed.remote.remote_id,
        created_at=listed.created_at.astimezone(UTC),
        spec=spec,
    )
