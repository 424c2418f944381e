"""What the ledger keeps of a job beyond what it shows."""

from __future__ import annotations

from datetime import datetime

from ftbridge.model import Cost, Frozen, Job, Spec


class Prepared(Frozen):
    """The files as the provider takes them, by the hash of their content."""

    training: str
    validation: str | None = None


class Intent(Frozen):
    """The wish to have a job made, written down before anything is asked of the vendor.

    `key` is the user's own name for the request, if any, and `request_hash` is equal for
    requests that ask for the same.
    """

    id: str
    target: str
    spec: Spec
    prepared: Prepared
    request_hash: str
    key: str | None = None
    cost: Cost = Cost()
    created_at: datetime


class Record(Frozen):
    """A job with what is needed to go on with it.

    `posted_at` is when the one request that makes the job was about to be sent, `cursor` the
    provider's mark of the last event seen, `version` grows with every change, and `progress_at`
    is when the job last showed something new.
    """

    job: Job
    prepared: Prepared
    request_hash: str
    posted_at: datetime | None = None
    cursor: str = ""
    version: int = 0
    progress_at: datetime | None = None

    @property
    def provider(self) -> str:
        """The provider's name, with mock+ before it where it is mocked."""
        return self.job.target.partition(":")[0]
