"""The suite that every provider passes, ours and others'.

A provider's test is a subclass that says how to make one and what to train:

    class TestAcme(ProviderContract):
        model = "acme-small"

        @pytest.fixture(scope="class")
        @classmethod
        def provider(cls, tmp_path_factory):
            return AcmeProvider(tmp_path_factory.mktemp("home"))

and pytest runs everything below against it. Jobs are small, and one finished job serves many tests.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, get_args

import pytest

from ftbridge.dataset import convert
from ftbridge.dataset.example import Chat, User
from ftbridge.errors import FtbridgeError, ProviderError, SpecError, Unsupported
from ftbridge.model import Event, Hyperparameters, Spec, Status
from ftbridge.provider import Files, Provider, RemoteJob

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
ROWS = [
    {"messages": [{"role": "user", "content": f"Say {word}."}, {"role": "assistant", "content": word}]}
    for word in _WORDS
]
_FORWARD = [Status.SUBMITTING, Status.VALIDATING, Status.QUEUED, Status.RUNNING]


class Finished(NamedTuple):
    """A job that was followed to its end: what each look saw, and all its events."""

    remote: RemoteJob
    seen: list[Status]
    events: list[Event]


class ProviderContract:
    """What ftbridge relies on. Subclass it, set `model`, and define the class-scoped fixture `provider`.

    `hyperparameters` are those of the small jobs, `seconds` how long one of them may take.
    """

    model: ClassVar[str]
    hyperparameters: ClassVar[dict[str, Any]] = {"epochs": 1}
    seconds: ClassVar[float] = 120.0

    @pytest.fixture(scope="class")
    @classmethod
    def spec(cls, tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Spec:
        """A small job on twelve rows."""
        data = tmp_path_factory.mktemp("data") / "rows.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in ROWS), "utf-8")
        target = f"{provider.name}:{cls.model}"
        return Spec(target=target, data=data, hyperparameters=Hyperparameters(**cls.hyperparameters))

    @pytest.fixture(scope="class")
    @classmethod
    def files(cls, tmp_path_factory: pytest.TempPathFactory, provider: Provider, spec: Spec) -> Files:
        """The rows, as the provider takes them and uploaded."""
        out = tmp_path_factory.mktemp("converted") / "rows.jsonl"
        conversion = convert(spec.data, provider.rules(spec, cls.model), out)
        assert not conversion.impossible
        return Files(training=provider.upload(out, key=conversion.key))

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls, provider: Provider, spec: Spec, files: Files) -> Finished:
        """One job, followed to its end."""
        made = provider.create(spec, cls.model, files, tag="ftb_contract0001")
        return cls.follow(provider, made.remote_id)

    @classmethod
    def follow(cls, provider: Provider, remote_id: str) -> Finished:
        """Poll until the job is over."""
        seen: list[Status] = []
        deadline = time.monotonic() + cls.seconds
        while time.monotonic() < deadline:
            [remote] = provider.poll([remote_id])
            if not seen or seen[-1] is not remote.status:
                seen.append(remote.status)
            if remote.status.final:
                return Finished(remote, seen, list(provider.events(remote_id, "")))
            time.sleep(0.2)
        raise AssertionError(f"the job was still {seen[-1]} after {cls.seconds} s")

    def test_says_who_it_is_and_what_it_can_do(self, provider: Provider) -> None:
        assert provider.name == provider.name.lower().strip()
        assert provider.capabilities.methods
        known = set(Hyperparameters.model_fields)
        assert set(provider.capabilities.hyperparameters) <= known

    def test_a_model_resolved_twice_is_the_same(self, provider: Provider) -> None:
        once = provider.resolve(self.model)
        assert provider.resolve(once) == once

    def test_refuses_a_hyperparameter_it_does_not_offer_and_names_a_way_out(
        self, provider: Provider, spec: Spec
    ) -> None:
        table = provider.capabilities.hyperparameters
        refused = [name for name in Hyperparameters.model_fields if name not in table or table[name].how == "refused"]
        for name in refused:
            asked = spec.model_copy(
                update={"hyperparameters": Hyperparameters.model_validate({name: _some_value(name)})}
            )
            with pytest.raises(SpecError) as problem:
                provider.check_spec(asked)
            assert name in problem.value.message
            assert problem.value.hint
            said, kept = provider.check_spec(asked, allow_ignored=True)
            assert said
            assert kept.hyperparameters.given() == {}

    def test_verbs_it_does_not_name_are_unsupported(self, provider: Provider) -> None:
        for verb in {"cancel", "pause", "resume", "deploy"} - provider.capabilities.verbs:
            with pytest.raises(Unsupported):
                getattr(provider, verb)("any")

    def test_the_same_file_uploaded_again_is_the_same_file(
        self, provider: Provider, spec: Spec, files: Files, tmp_path: Path
    ) -> None:
        out = tmp_path / "again.jsonl"
        conversion = convert(spec.data, provider.rules(spec, self.model), out)
        assert provider.upload(out, key=conversion.key) == files.training

    def test_a_small_job_succeeds_and_its_status_only_moves_forward(self, finished: Finished) -> None:
        assert finished.remote.status is Status.SUCCEEDED, finished.remote.error
        places = [_FORWARD.index(status) for status in finished.seen[:-1]]
        assert places == sorted(places)

    def test_events_come_oldest_first_each_with_a_cursor_of_its_own(self, finished: Finished) -> None:
        cursors = [event.cursor for event in finished.events]
        assert cursors
        assert "" not in cursors
        assert len(set(cursors)) == len(cursors)
        times = [event.at for event in finished.events]
        assert times == sorted(times)

    def test_events_go_on_after_any_cursor(self, provider: Provider, finished: Finished) -> None:
        for place, event in enumerate(finished.events):
            rest = list(provider.events(finished.remote.remote_id, event.cursor))
            assert rest == finished.events[place + 1 :]

    def test_metrics_tell_step_and_loss(self, finished: Finished) -> None:
        metrics = [event for event in finished.events if event.kind == "metric" and event.train_loss is not None]
        assert metrics
        assert all(event.step and event.train_loss and event.train_loss > 0 for event in metrics)

    def test_polling_changes_nothing(self, provider: Provider, finished: Finished) -> None:
        before, after = (list(provider.poll([finished.remote.remote_id])) for _ in range(2))
        assert before == after

    def test_a_job_nobody_made_is_left_out_of_a_poll_and_not_found(self, provider: Provider) -> None:
        assert list(provider.poll(["ftb_nobody"])) == []
        assert provider.find("ftb_nobody") == []

    def test_the_tag_finds_the_job(self, provider: Provider, finished: Finished) -> None:
        [found] = provider.find("ftb_contract0001")
        assert found.remote_id == finished.remote.remote_id

    def test_the_listing_tells_what_was_asked_for(
        self, provider: Provider, spec: Spec, files: Files, finished: Finished
    ) -> None:
        listed = list(provider.jobs())
        [job] = [job for job in listed if job.tag == "ftb_contract0001"]
        assert job.remote.remote_id == finished.remote.remote_id
        assert job.remote.status is Status.SUCCEEDED
        assert provider.resolve(job.model) == provider.resolve(self.model)
        assert job.method is spec.method
        asked, told = spec.hyperparameters.given(), job.hyperparameters.given()
        assert asked == {name: told.get(name) for name in asked}
        assert job.training_file == files.training
        assert job.finished_at
        assert job.created_at <= job.finished_at
        times = [job.created_at for job in listed]
        assert times == sorted(times, reverse=True)

    def test_the_result_can_be_fetched(self, provider: Provider, finished: Finished, tmp_path: Path) -> None:
        result = provider.fetch(finished.remote.remote_id, tmp_path / "out")
        assert result.model or result.path
        if result.path:
            assert any(result.path.iterdir())

    def test_the_tuned_model_answers(self, provider: Provider, finished: Finished) -> None:
        if "chat" not in provider.capabilities.verbs:
            pytest.skip(f"{provider.name} does not offer chat")
        assert finished.remote.result is not None
        model = finished.remote.result.model
        assert model is not None
        asked = Chat(messages=[User(content="Say one.")])
        if "deploy" in provider.capabilities.verbs:
            with pytest.raises(ProviderError) as problem:
                provider.chat(model, asked, max_tokens=8)
            assert "ftbridge deploy" in problem.value.hint
            made = provider.deploy(model)
            assert provider.deploy(model) == made
        reply = provider.chat(model, asked, max_tokens=8)
        assert isinstance(reply.text, str)
        assert reply.model
        if "deploy" in provider.capabilities.verbs:
            for _time in range(2):
                provider.undeploy(model)
            with pytest.raises(ProviderError):
                provider.chat(model, asked, max_tokens=8)

    def test_a_cancelled_job_ends_as_cancelled(self, provider: Provider, spec: Spec, files: Files) -> None:
        if "cancel" not in provider.capabilities.verbs:
            pytest.skip(f"{provider.name} does not offer cancel")
        made = provider.create(self.long(spec), self.model, files, tag="ftb_contract0002")
        provider.cancel(made.remote_id)
        assert self.follow(provider, made.remote_id).remote.status is Status.CANCELLED

    def test_a_model_nobody_has_is_refused_before_a_job_is_made(self, provider: Provider, spec: Spec) -> None:
        with pytest.raises(FtbridgeError) as problem:
            provider.create(spec, "no-such/model-at-all", Files(training="no-such-file"), tag="ftb_contract0003")
        assert problem.value.hint
        assert provider.find("ftb_contract0003") == []

    def long(self, spec: Spec) -> Spec:
        """The small job made long enough to be interrupted."""
        return spec.model_copy(update={"hyperparameters": spec.hyperparameters.model_copy(update={"epochs": 50})})


def _some_value(name: str) -> Any:
    """A value that the hyperparameter may have."""
    kind = get_args(Hyperparameters.model_fields[name].annotation)[0]
    return next(iter(get_args(kind)), 0.5 if kind is float else 16)
