"""Faults of the vendor's answers: the right error for each, and retries where they help."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import pytest

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import BadAnswer, JobFailed, RateLimited
from ftbridge.foreign.values import MOST_CHARACTERS
from ftbridge.model import Spec, Status
from ftbridge.provider import Files, Provider, Verb
from ftbridge.testing.base import TAG, Faults, Finished, SuiteBase, new_tag, require_faults, require_verbs
from ftbridge.testing.creates import LATER, REFUSED

TEMPORARY = ("500", "500-after", "cut", "cut-after", "cut-midway")


class Arguments(NamedTuple):
    """What a verb may be called with."""

    provider: Provider
    job: Finished
    model: str
    folder: Path

    def fresh_file(self) -> Path:
        """A file of rows that has not been uploaded."""
        file = self.folder / "fresh.jsonl"
        turns = [{"role": "user", "content": new_tag()}, {"role": "assistant", "content": "Yes."}]
        file.write_text(f"{json.dumps({'messages': turns})}\n" * 12, "utf-8")
        return file


CALLS: dict[str, Callable[[Arguments], Any]] = {
    "upload": lambda arguments: arguments.provider.upload(arguments.fresh_file(), key=new_tag()),
    "find": lambda arguments: arguments.provider.find(TAG),
    "jobs": lambda arguments: list(arguments.provider.jobs()),
    "poll": lambda arguments: list(arguments.provider.poll([arguments.job.remote.remote_id])),
    "events": lambda arguments: list(arguments.provider.events(arguments.job.remote.remote_id, "")),
    "checkpoints": lambda arguments: arguments.provider.checkpoints(arguments.job.remote.remote_id),
    "fetch": lambda arguments: arguments.provider.fetch(arguments.job.remote.remote_id, arguments.folder / "out"),
    "chat": lambda arguments: arguments.provider.chat(arguments.model, Chat(messages=[User(content="Say one.")])),
    "list_models": lambda arguments: arguments.provider.list_models(),
}
"""Calls of each verb that may be retried, because it creates nothing that is billed."""


class FaultTests(SuiteBase):
    """Skipped unless the fixture `faults` gives a way to make the vendor misbehave."""

    @pytest.fixture
    def arguments(self, provider: Provider, finished: Finished, served: str, tmp_path: Path) -> Arguments:
        return Arguments(provider, finished, served, tmp_path)

    @pytest.mark.parametrize("verb", CALLS)
    def test_is_retried_after_a_429(self, arguments: Arguments, faults: Faults | None, verb: str) -> None:
        faults = self._at(verb, arguments, faults, "429")
        faults.inject(verb, "429", seconds=0.01)
        assert CALLS[verb](arguments)
        assert faults.remaining() == 0

    @pytest.mark.parametrize("kind", TEMPORARY)
    @pytest.mark.parametrize("verb", ["upload", "poll"])
    def test_is_retried_after_temporary_faults(
        self, arguments: Arguments, faults: Faults | None, verb: str, kind: str
    ) -> None:
        faults = self._at(verb, arguments, faults, kind)
        before = faults.jobs()
        faults.inject(verb, kind)
        assert CALLS[verb](arguments)
        assert faults.remaining() == 0
        assert faults.jobs() == before

    def test_a_long_retry_after_is_not_waited_for(self, arguments: Arguments, faults: Faults | None) -> None:
        require_faults(faults, "429").inject("poll", "429", seconds=LATER)
        with pytest.raises(RateLimited) as problem:
            CALLS["poll"](arguments)
        assert problem.value.retry_after == LATER

    @pytest.mark.parametrize("kind", ["html", "invalid-json", "truncate"])
    @pytest.mark.parametrize("verb", [verb for verb in CALLS if verb != "fetch"])
    def test_an_answer_that_cannot_be_read_is_an_error(
        self, arguments: Arguments, faults: Faults | None, verb: str, kind: str
    ) -> None:
        self._at(verb, arguments, faults, kind).inject(verb, kind)
        with pytest.raises(BadAnswer) as problem:
            CALLS[verb](arguments)
        self.check_error(problem.value, arguments.provider, BadAnswer)

    def test_events_with_anything_in_them_can_be_stored_and_shown(
        self, arguments: Arguments, faults: Faults | None
    ) -> None:
        faults = require_faults(faults, "hostile")
        faults.inject("events", "hostile")
        events = CALLS["events"](arguments)
        assert faults.remaining() == 0
        assert events
        for event in events:
            assert "\\u0000" not in event.model_dump_json()  # which raises for half an emoji
            assert len(event.message or "") <= MOST_CHARACTERS
            assert 1970 <= event.at.astimezone().year < 3000

    def test_a_job_with_anything_in_it_is_polled(self, arguments: Arguments, faults: Faults | None) -> None:
        faults = require_faults(faults, "hostile")
        faults.inject("poll", "hostile")
        [remote] = CALLS["poll"](arguments)
        assert remote.remote_id == arguments.job.remote.remote_id
        assert "\\u0000" not in remote.model_dump_json()

    def test_a_page_instead_of_a_result_leaves_no_file(self, arguments: Arguments, faults: Faults | None) -> None:
        require_faults(faults, "html").inject("fetch", "html")
        with pytest.raises(BadAnswer):
            CALLS["fetch"](arguments)
        assert not [file for file in (arguments.folder / "out").rglob("*") if file.is_file()]

    def test_a_result_that_breaks_off_is_fetched_whole(self, arguments: Arguments, faults: Faults | None) -> None:
        faults = require_faults(faults, "cut-midway")
        faults.inject("fetch", "cut-midway")
        arguments.provider.fetch(arguments.job.remote.remote_id, arguments.folder / "broken")
        assert faults.remaining() == 0
        CALLS["fetch"](arguments)
        assert _contents(arguments.folder / "broken") == _contents(arguments.folder / "out") != {}

    @pytest.mark.parametrize("kind", sorted(REFUSED.keys() - {"429", "500", "cut"}))
    def test_a_refusal_is_not_retried(self, arguments: Arguments, faults: Faults | None, kind: str) -> None:
        faults = require_faults(faults, kind)
        faults.inject("find", kind)
        with pytest.raises(REFUSED[kind]) as problem:
            CALLS["find"](arguments)
        self.check_error(problem.value, arguments.provider, REFUSED[kind])
        assert CALLS["find"](arguments)

    def test_an_upload_that_breaks_off_is_sent_again_whole(
        self, provider: Provider, faults: Faults | None, tmp_path: Path
    ) -> None:
        faults = require_faults(faults, "cut-upload")
        big, key = tmp_path / "big.jsonl", new_tag()
        big.write_text(json.dumps({"text": "x" * 3_000_000}) + "\n", "utf-8")
        faults.inject("content", "cut-upload")
        remote_file = provider.upload(big, key=key)
        assert faults.remaining() == 0
        assert provider.upload(big, key=key) == remote_file
        self.check_upload(remote_file, big.read_bytes(), faults)

    def check_upload(self, remote_file: str, content: bytes, faults: Faults) -> None:
        """Check, where the subclass can, that the vendor has the whole file."""

    def test_an_unknown_status_keeps_the_vendors_word(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = require_faults(faults, "unknown-status")
        require_verbs(provider, "cancel")
        made = self.start_long(provider, spec, files, faults)
        faults.inject("poll", "unknown-status")
        [seen] = provider.poll([made.remote_id])
        assert seen.status is Status.UNKNOWN
        assert seen.raw_status
        faults.clear()
        self.until(provider, made.remote_id, Status.RUNNING)
        provider.cancel(made.remote_id)

    def test_a_stalled_job_is_running_and_can_be_cancelled(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = require_faults(faults, "stall")
        require_verbs(provider, "cancel")
        faults.inject("create", "stall", seconds=LATER)
        made = provider.create(self.long(spec), self.model, files, tag=new_tag())
        self.until(provider, made.remote_id, Status.RUNNING)
        for _poll in range(5):
            time.sleep(0.1)
            self.until(provider, made.remote_id, Status.RUNNING)
        provider.cancel(made.remote_id)
        assert self.follow(provider, made.remote_id).remote.status is Status.CANCELLED

    @pytest.mark.parametrize(("kind", "end"), [("fail", Status.FAILED), ("cancel", Status.CANCELLED)])
    def test_a_job_that_does_not_succeed_has_no_result(
        self,
        provider: Provider,
        spec: Spec,
        files: Files,
        faults: Faults | None,
        tmp_path: Path,
        kind: str,
        end: Status,
    ) -> None:
        require_faults(faults, kind).inject("create", kind)
        made = provider.create(spec, self.model, files, tag=new_tag())
        remote = self.follow(provider, made.remote_id).remote
        assert remote.status is end
        assert bool(remote.error) is (end is Status.FAILED)
        assert remote.result is None
        with pytest.raises(JobFailed) as problem:
            provider.fetch(made.remote_id, tmp_path / "out")
        assert problem.value.hint

    def _at(self, verb: str, arguments: Arguments, faults: Faults | None, kind: str) -> Faults:
        """The faults, where the provider offers the verb."""
        if verb in get_args(Verb):
            require_verbs(arguments.provider, cast(Verb, verb))
        return require_faults(faults, kind)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
