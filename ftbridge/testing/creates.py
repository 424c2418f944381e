"""Making a job when things go wrong: one request, whatever comes back, and never two jobs."""

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
from ftbridge.testing.setting import Faults, Setting, need, new_tag

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
"""Faults of the answer alone: the job is made."""
LATER = 3600.0
"""Seconds that nobody waits for."""


class CreateTests(Setting):
    """Skipped unless the fixture `faults` gives a way to make the vendor misbehave."""

    @pytest.mark.parametrize("kind", REFUSED)
    def test_a_create_that_is_refused_is_sent_once(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None, kind: str
    ) -> None:
        faults, tag = need(faults, kind), new_tag()
        before = faults.jobs()
        faults.strike("create", kind, seconds=LATER)
        with pytest.raises(REFUSED[kind]) as problem:
            provider.create(spec, self.model, files, tag=tag)
        self.check_error(problem.value, provider, REFUSED[kind])
        assert faults.jobs() == before
        assert provider.find(tag) == []

    @pytest.mark.parametrize("kind", LOST)
    def test_a_job_whose_answer_is_lost_is_made_once_and_found(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None, kind: str
    ) -> None:
        faults, tag = need(faults, kind), new_tag()
        before = faults.jobs()
        faults.strike("create", kind)
        with pytest.raises(LOST[kind]) as problem:
            provider.create(spec, self.model, files, tag=tag)
        self.check_error(problem.value, provider, LOST[kind])
        assert faults.jobs() == before + 1
        [job] = provider.find(tag)
        assert self.follow(provider, provider.start(job, spec).remote_id).remote.status is Status.SUCCEEDED

    def test_a_slow_answer_is_waited_for(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = need(faults, "slow")
        before = faults.jobs()
        faults.strike("create", "slow", seconds=0.5)
        assert provider.create(spec, self.model, files, tag=new_tag()).remote_id
        assert faults.jobs() == before + 1

    def test_an_answer_that_does_not_come_is_given_up_and_not_asked_for_again(
        self, hasty: Provider | None, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = need(faults, "slow")
        if hasty is None:
            pytest.skip("no fixture `hasty` is given")
        before = faults.jobs()
        faults.strike("create", "slow", seconds=0.8)
        with pytest.raises(NetworkError) as problem:
            hasty.create(spec, self.model, files, tag=new_tag())
        assert problem.value.hint
        time.sleep(1.0)  # by when the vendor has done what it was asked
        assert faults.jobs() <= before + 1

    def test_a_job_that_is_listed_twice_is_one(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults, tag = need(faults, "twice"), new_tag()
        made = provider.create(spec, self.model, files, tag=tag)
        faults.strike("find", "twice")
        assert [job.remote_id for job in provider.find(tag)] == [made.remote_id]
        listed = [job.remote.remote_id for job in provider.jobs()]
        assert len(listed) == len(set(listed))
        many = [made.remote_id, *(f"ftb_nobody{number}" for number in range(5))]
        assert [job.remote_id for job in provider.poll(many)] == [made.remote_id]

    def test_a_listing_that_breaks_off_is_no_proof_that_a_job_is_absent(
        self, provider: Provider, faults: Faults | None
    ) -> None:
        faults = need(faults, "unfinished")
        faults.strike("find", "unfinished")
        with pytest.raises(BadAnswer) as problem:
            provider.find(new_tag())
        assert problem.value.hint
        with pytest.raises(BadAnswer):
            list(provider.jobs())

    def test_a_listing_that_is_refused_says_so(self, provider: Provider, faults: Faults | None) -> None:
        faults = need(faults, "403")
        faults.strike("find", "403")
        with pytest.raises(AccessDenied) as problem:
            provider.find(new_tag())
        self.check_error(problem.value, provider, AccessDenied)

    def test_a_listing_that_lags_shows_the_job_later(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults, tag = need(faults, "lag"), new_tag()
        faults.strike("find", "lag", seconds=LATER)
        made = provider.create(spec, self.model, files, tag=tag)
        assert provider.find(tag) == []
        assert provider.listing_lag_seconds > 0, "so nobody would wait before asking again"
        faults.clear()
        assert [job.remote_id for job in provider.find(tag)] == [made.remote_id]
