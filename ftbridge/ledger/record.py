"""What the ledger stores of a job beyond its public fields."""

from __future__ import annotations

from datetime import datetime

from ftbridge.ledger.window import Window
from ftbridge.model import Cost, Frozen, Job, Spec, Status


class Prepared(Frozen):
    """The files in the provider's format, by the hash of their content."""

    training: str
    validation: str | None = None


class Intent(Frozen):
    """The intent to have a job created, stored before anything is sent to the vendor.

    `key` is the user's idempotency key, if any, and `request_hash` is equal for equal requests. `owner` is who
    submits it, and `group` what the job belongs to.
    """

    id: str
    target: str
    spec: Spec
    prepared: Prepared
    request_hash: str
    key: str | None = None
    cost: Cost = Cost()
    owner: str | None = None
    group: str | None = None
    created_at: datetime


class Record(Frozen):
    """A job with what is needed to go on with it.

    `posted_at` is when the request that creates the job was about to be sent, `cursor` the provider's mark of the
    last event read, `version` grows with every change, and `progress_at` is when the job last showed something new.
    `account` is where it was requested, `attempts` how often, and `unclear` the window in which a missing answer, or a
    refusal, may still turn out to be a job. `not_understood` names what a newer ftbridge has asked for in its spec.
    """

    job: Job
    prepared: Prepared
    request_hash: str
    posted_at: datetime | None = None
    cursor: str = ""
    version: int = 0
    progress_at: datetime | None = None
    key: str | None = None
    account: str | None = None
    attempts: int = 0
    unclear: Window | None = None
    not_understood: tuple[str, ...] = ()

    @property
    def unconfirmed(self) -> bool:
        """Whether the job ended here, and its absence at the vendor is not proved."""
        return self.job.status.final and self.job.remote_id is None and self.unclear is not None

    @property
    def is_unclear(self) -> bool:
        """Whether it is not known if the vendor has the job: it was requested, and no clear answer came."""
        return self.unconfirmed or (self.job.status is Status.SUBMITTING and self.posted_at is not None)

    @property
    def provider(self) -> str:
        """The provider's name, with mock+ before it where it is mocked."""
        return self.job.target.partition(":")[0]
