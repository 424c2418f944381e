"""Creating a job when something fails: one request, whatever the answer, and never two jobs."""

from __future__ import annotations

import time

import pytest

from ftbridge.errors import (
    AccessDenied,
    AuthenticationFailed,
    BadAnswer,
    Conflict,
    FtbridgeError,
    InvalidRequest,
    NetworkError,
    NotFound,
    ProviderRetired,
    QuotaExceeded,
    RateLimited,
    ServerTrouble,
)
from ftbridge.model import Spec, Status
from ftbridge.provider import Files, Provider
from ftbridge.testing.base import Faults, SuiteBase, new_tag, require_faults

REFUSED: dict[str, type[FtbridgeError]] = {
    "401": AuthenticationFailed,
    "402": QuotaExceeded,
    "quota": QuotaExceeded,
    "403": AccessDenied,
    "404": NotFound,
    "409": Conflict,
    "410": ProviderRetired,
    "413": InvalidRequest,
    "422": InvalidRequest,
    "429": RateLimited,
    "500": ServerTrouble,
    "501": ProviderRetired,
    "cut": NetworkError,
    "redirect": BadAnswer,
}
"""Faults after which there is no job."""
LOST: dict[str, type[FtbridgeError]] = {
    "500-after": ServerTrouble,
    "cut-after": NetworkError,
    "cut-midway": NetworkError,
    "html": BadAnswer,
    "invalid-json": BadAnswer,
    "truncate": BadAnswer,
    "301-after": BadAnswer,
    "303-after": BadAnswer,
    "403-after": AccessDenied,
    "404-after": NotFound,
    "408-after": InvalidRequest,
    "409-after": Conflict,
    "425-after": InvalidRequest,
    "429-after": RateLimited,
    "499-after": InvalidRequest,
    "501-after": ProviderRetired,
}
"""Faults of the answer only: the job exists."""
LATER = 3600.0
"""Longer than any wait, in seconds."""


class CreateTests(SuiteBase):
    """Skipped unless the fixture `faults` gives a way to make the vendor misbehave."""

    @pytest.mark.parametrize("kind", REFUSED)
    def test_a_create_that_is_refused_is_sent_once(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None, kind: str
    ) -> None:
        faults, tag = require_faults(faults, kind), new_tag()
        before = faults.jobs()
        faults.inject("create", kind, seconds=LATER)
        with pytest.raises(REFUSED[kind]) as problem:
            provider.create(spec, self.model, files, tag=tag)
        self.check_error(problem.value, provider, REFUSED[kind])
        assert faults.jobs() == before
        assert provider.find(tag) == []

    @pytest.mark.parametrize("kind", LOST)
    def test_a_job_whose_answer_is_lost_is_created_once_and_found(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None, kind: str
    ) -> None:
        faults, tag = require_faults(faults, kind), new_tag()
        before = faults.jobs()
        faults.inject("create", kind)
        with pytest.raises(LOST[kind]) as problem:
            provider.create(spec, self.model, files, tag=tag)
        self.check_error(problem.value, provider, LOST[kind])
        assert faults.jobs() == before + 1
        [job] = provider.find(tag)
        assert self.follow(provider, provider.start(job, spec).remote_id).remote.status is Status.SUCCEEDED

    def test_a_slow_answer_is_waited_for(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = require_faults(faults, "slow")
        before = faults.jobs()
        faults.inject("create", "slow", seconds=0.5)
        assert provider.create(spec, self.model, files, tag=new_tag()).remote_id
        assert faults.jobs() == before + 1

    def test_a_create_that_times_out_is_not_retried(
        self, impatient: Provider | None, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = require_faults(faults, "slow")
        if impatient is None:
            pytest.skip("no fixture `impatient` is given")
        before = faults.jobs()
        faults.inject("create", "slow", seconds=0.8)
        with pytest.raises(NetworkError) as problem:
            impatient.create(spec, self.model, files, tag=new_tag())
        assert problem.value.hint
        time.sleep(1.0)  # by then the vendor has carried out the request
        assert faults.jobs() <= before + 1

    def test_a_job_that_is_listed_twice_is_one_job(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults, tag = require_faults(faults, "twice"), new_tag()
        made = provider.create(spec, self.model, files, tag=tag)
        faults.inject("find", "twice")
        assert [job.remote_id for job in provider.find(tag)] == [made.remote_id]
        listed = [job.remote.remote_id for job in provider.jobs()]
        assert len(listed) == len(set(listed))
        many = [made.remote_id, *(f"ftb_nobody{number}" for number in range(5))]
        assert [job.remote_id for job in provider.poll(many)] == [made.remote_id]

    def test_a_listing_that_breaks_off_does_not_prove_a_job_absent(
        self, provider: Provider, faults: Faults | None
    ) -> None:
        faults = require_faults(faults, "unfinished")
        faults.inject("find", "unfinished")
        with pytest.raises(BadAnswer) as problem:
            provider.find(new_tag())
        assert problem.value.hint
        with pytest.raises(BadAnswer):
            list(provider.jobs())

    def test_a_refused_listing_is_an_error(self, provider: Provider, faults: Faults | None) -> None:
        faults = require_faults(faults, "403")
        faults.inject("find", "403")
        with pytest.raises(AccessDenied) as problem:
            provider.find(new_tag())
        self.check_error(problem.value, provider, AccessDenied)

    def test_a_listing_that_lags_shows_the_job_later(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults, tag = require_faults(faults, "lag"), new_tag()
        faults.inject("find", "lag", seconds=LATER)
        made = provider.create(spec, self.model, files, tag=tag)
        assert provider.find(tag) == []
        assert provider.listing_lag_seconds > 0, "otherwise nothing waits before it looks again"
        faults.clear()
        assert [job.remote_id for job in provider.find(tag)] == [made.remote_id]
