"""What may go wrong when a vendor is asked: the right error each time, and patience where it helps."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

import pytest

from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import BadAnswer, JobFailed, RateLimited
from ftbridge.model import Spec, Status
from ftbridge.provider import Files, Provider, Verb
from ftbridge.testing.creates import LATER, REFUSED
from ftbridge.testing.setting import TAG, Faults, Finished, Setting, need, new_tag, offer

PASSING = ("500", "500-after", "cut", "cut-after", "cut-midway")


class Asked(NamedTuple):
    """What a verb may need to be asked."""

    provider: Provider
    job: Finished
    model: str
    folder: Path

    def fresh_file(self) -> Path:
        """A file of rows that nobody has uploaded."""
        file = self.folder / "fresh.jsonl"
        turns = [{"role": "user", "content": new_tag()}, {"role": "assistant", "content": "Yes."}]
        file.write_text(f"{json.dumps({'messages': turns})}\n" * 12, "utf-8")
        return file


ASK: dict[str, Callable[[Asked], Any]] = {
    "upload": lambda asked: asked.provider.upload(asked.fresh_file(), key=new_tag()),
    "find": lambda asked: asked.provider.find(TAG),
    "jobs": lambda asked: list(asked.provider.jobs()),
    "poll": lambda asked: list(asked.provider.poll([asked.job.remote.remote_id])),
    "events": lambda asked: list(asked.provider.events(asked.job.remote.remote_id, "")),
    "checkpoints": lambda asked: asked.provider.checkpoints(asked.job.remote.remote_id),
    "fetch": lambda asked: asked.provider.fetch(asked.job.remote.remote_id, asked.folder / "out"),
    "chat": lambda asked: asked.provider.chat(asked.model, Chat(messages=[User(content="Say one.")])),
    "list_models": lambda asked: asked.provider.list_models(),
}
"""Each verb that may be asked again, since it makes nothing that is paid."""


class FaultTests(Setting):
    """Skipped unless the fixture `faults` gives a way to make the vendor misbehave."""

    @pytest.fixture
    def asked(self, provider: Provider, finished: Finished, served: str, tmp_path: Path) -> Asked:
        return Asked(provider, finished, served, tmp_path)

    @pytest.mark.parametrize("verb", ASK)
    def test_is_asked_again_when_the_vendor_says_so(self, asked: Asked, faults: Faults | None, verb: str) -> None:
        faults = self._at(verb, asked, faults, "429")
        faults.strike(verb, "429", seconds=0.01)
        assert ASK[verb](asked)
        assert faults.left() == 0

    @pytest.mark.parametrize("kind", PASSING)
    @pytest.mark.parametrize("verb", ["upload", "poll"])
    def test_is_asked_again_after_trouble_that_passes(
        self, asked: Asked, faults: Faults | None, verb: str, kind: str
    ) -> None:
        faults = self._at(verb, asked, faults, kind)
        before = faults.jobs()
        faults.strike(verb, kind)
        assert ASK[verb](asked)
        assert faults.left() == 0
        assert faults.jobs() == before

    def test_is_not_waited_for_longer_than_anybody_would(self, asked: Asked, faults: Faults | None) -> None:
        need(faults, "429").strike("poll", "429", seconds=LATER)
        with pytest.raises(RateLimited) as problem:
            ASK["poll"](asked)
        assert problem.value.retry_after == LATER

    @pytest.mark.parametrize("kind", ["html", "invalid-json", "truncate"])
    @pytest.mark.parametrize("verb", [verb for verb in ASK if verb != "fetch"])
    def test_an_answer_that_is_none_is_said(self, asked: Asked, faults: Faults | None, verb: str, kind: str) -> None:
        self._at(verb, asked, faults, kind).strike(verb, kind)
        with pytest.raises(BadAnswer) as problem:
            ASK[verb](asked)
        self.check_error(problem.value, asked.provider, BadAnswer)

    def test_a_page_in_place_of_a_result_leaves_nothing_behind(self, asked: Asked, faults: Faults | None) -> None:
        need(faults, "html").strike("fetch", "html")
        with pytest.raises(BadAnswer):
            ASK["fetch"](asked)
        assert not [file for file in (asked.folder / "out").rglob("*") if file.is_file()]

    def test_a_result_that_breaks_off_is_fetched_whole(self, asked: Asked, faults: Faults | None) -> None:
        faults = need(faults, "cut-midway")
        faults.strike("fetch", "cut-midway")
        asked.provider.fetch(asked.job.remote.remote_id, asked.folder / "broken")
        assert faults.left() == 0
        ASK["fetch"](asked)
        assert _contents(asked.folder / "broken") == _contents(asked.folder / "out") != {}

    @pytest.mark.parametrize("kind", sorted(REFUSED.keys() - {"429", "500", "cut"}))
    def test_a_refusal_is_said_at_once(self, asked: Asked, faults: Faults | None, kind: str) -> None:
        faults = need(faults, kind)
        faults.strike("find", kind)
        with pytest.raises(REFUSED[kind]) as problem:
            ASK["find"](asked)
        self.check_error(problem.value, asked.provider, REFUSED[kind])
        assert ASK["find"](asked)

    def test_an_upload_that_breaks_off_is_sent_again_whole(
        self, provider: Provider, faults: Faults | None, tmp_path: Path
    ) -> None:
        faults = need(faults, "cut-upload")
        big, key = tmp_path / "big.jsonl", new_tag()
        big.write_text(json.dumps({"text": "x" * 3_000_000}) + "\n", "utf-8")
        faults.strike("content", "cut-upload")
        remote_file = provider.upload(big, key=key)
        assert faults.left() == 0
        assert provider.upload(big, key=key) == remote_file
        self.check_upload(remote_file, big.read_bytes(), faults)

    def check_upload(self, remote_file: str, content: bytes, faults: Faults) -> None:
        """Look, where the subclass can, whether the vendor has the file whole."""

    def test_a_status_nobody_knows_is_kept_with_its_word(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = need(faults, "unknown-status")
        offer(provider, "cancel")
        made = self.start_long(provider, spec, files, faults)
        faults.strike("poll", "unknown-status")
        [seen] = provider.poll([made.remote_id])
        assert seen.status is Status.UNKNOWN
        assert seen.raw_status
        faults.clear()
        self.until(provider, made.remote_id, Status.RUNNING)
        provider.cancel(made.remote_id)

    def test_a_job_that_stalls_is_running_and_can_be_cancelled(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        faults = need(faults, "stall")
        offer(provider, "cancel")
        faults.strike("create", "stall", seconds=LATER)
        made = provider.create(self.long(spec), self.model, files, tag=new_tag())
        self.until(provider, made.remote_id, Status.RUNNING)
        for _look in range(5):
            time.sleep(0.1)
            self.until(provider, made.remote_id, Status.RUNNING)
        provider.cancel(made.remote_id)
        assert self.follow(provider, made.remote_id).remote.status is Status.CANCELLED

    @pytest.mark.parametrize(("kind", "end"), [("fail", Status.FAILED), ("cancel", Status.CANCELLED)])
    def test_a_job_that_does_not_end_well_gives_nothing(
        self,
        provider: Provider,
        spec: Spec,
        files: Files,
        faults: Faults | None,
        tmp_path: Path,
        kind: str,
        end: Status,
    ) -> None:
        need(faults, kind).strike("create", kind)
        made = provider.create(spec, self.model, files, tag=new_tag())
        remote = self.follow(provider, made.remote_id).remote
        assert remote.status is end
        assert bool(remote.error) is (end is Status.FAILED)
        assert remote.result is None
        with pytest.raises(JobFailed) as problem:
            provider.fetch(made.remote_id, tmp_path / "out")
        assert problem.value.hint

    def _at(self, verb: str, asked: Asked, faults: Faults | None, kind: str) -> Faults:
        """The faults, where the provider offers the verb."""
        if verb in get_args(Verb):
            offer(asked.provider, cast(Verb, verb))
        return need(faults, kind)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
