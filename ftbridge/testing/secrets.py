"""A vendor, or a gateway before it, may repeat the key that it got: a provider returns and raises nothing with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ftbridge.errors import FtbridgeError, NetworkError
from ftbridge.model import Spec, Status
from ftbridge.provider import Files, Provider
from ftbridge.testing.base import Faults, Finished, SuiteBase, new_tag, require_faults
from ftbridge.testing.creates import LATER, REFUSED
from ftbridge.testing.faults import CALLS, Arguments

_BREAKS = re.compile(r"\\+[nrt]|[\r\n\t]")
_ESCAPE = re.compile(r"\\*u00([0-9a-f]{2})|%(?:25)*([0-9a-f]{2})")


def reveals(text: str, secret: str) -> bool:
    """Whether `text` contains the secret, in whatever case, broken into lines, or escaped as in a URL or in JSON."""
    plain = _ESCAPE.sub(lambda code: chr(int(code[1] or code[2], 16)), _BREAKS.sub("", text.lower()))
    return secret.lower() in plain or secret.lower() in _BREAKS.sub("", text.lower())


class SecretTests(SuiteBase):
    """Skipped unless the fixture `faults` gives a vendor that repeats the key ("echo"), and `secret` is the key."""

    @pytest.mark.parametrize("kind", REFUSED)
    def test_a_refusal_that_repeats_the_key_is_masked(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None, kind: str
    ) -> None:
        faults = self._echoing(faults, kind)
        faults.inject("create", kind, seconds=LATER)
        with pytest.raises(REFUSED[kind]) as problem:
            provider.create(spec, self.model, files, tag=new_tag())
        self._check(problem.value)

    @pytest.mark.parametrize("kind", ["400", "401", "403", "404", "422", "html", "invalid-json", "truncate"])
    @pytest.mark.parametrize("verb", ["find", "poll", "events", "fetch", "chat"])
    def test_an_answer_that_repeats_the_key_is_masked(
        self,
        provider: Provider,
        finished: Finished,
        served: str,
        faults: Faults | None,
        tmp_path: Path,
        verb: str,
        kind: str,
    ) -> None:
        faults = self._echoing(faults, kind)
        faults.inject(verb, kind)
        try:
            answer = CALLS[verb](Arguments(provider, finished, served, tmp_path))
        except FtbridgeError as problem:
            self._check(problem)
        else:  # a verb may do without the answer
            assert not reveals(repr(answer), self.secret)

    def test_a_job_and_its_events_that_repeat_the_key_are_masked(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = self._echoing(faults, "fail")
        faults.inject("create", "fail")
        made = provider.create(spec, self.model, files, tag=new_tag())
        job = self.follow(provider, made.remote_id)
        assert job.remote.status is Status.FAILED
        assert not reveals(f"{made!r} {job!r} {list(provider.jobs())!r}", self.secret)

    def _echoing(self, faults: Faults | None, kind: str) -> Faults:
        if not self.secret:
            pytest.skip("no `secret` is given")
        faults = require_faults(faults, kind, "echo")
        faults.inject("create", "echo")
        return faults

    def _check(self, problem: FtbridgeError) -> None:
        shown = f"{problem!r} {problem} {vars(problem)} {problem.describe()} {problem.__cause__!r}"
        assert not reveals(shown, self.secret)
        assert isinstance(problem, NetworkError) or problem.message
