"""The verbs: a job from its file to the model that answers."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from ftbridge.dataset import convert
from ftbridge.dataset.canonical.example import Assistant, Chat, User
from ftbridge.errors import FtbridgeError, JobFailed, Unsupported
from ftbridge.model import Spec, Status
from ftbridge.provider import Files, Provider
from ftbridge.provider.completions import chat_body, text_of_chunk
from ftbridge.testing.base import TAG, Faults, Finished, SuiteBase, new_tag, require_events, require_verbs

_FORWARD = [Status.SUBMITTING, Status.VALIDATING, Status.QUEUED, Status.RUNNING]
_QUESTIONS = [Chat(messages=[User(content=f"Say {word}.")]) for word in ("one", "two", "three")]


class JobTests(SuiteBase):
    """What the vendor does without faults."""

    def test_the_same_file_uploaded_again_is_the_same_file(
        self, provider: Provider, spec: Spec, files: Files, tmp_path: Path
    ) -> None:
        out = tmp_path / "again.jsonl"
        conversion = convert(spec.data, provider.converter(spec, self.model), out)
        assert provider.upload(out, key=conversion.key) == files.training

    def test_preloading_creates_no_job(self, provider: Provider, spec: Spec) -> None:
        before = [listed.remote.remote_id for listed in provider.jobs()]
        with provider.preloading(spec, self.model):
            pass
        assert [listed.remote.remote_id for listed in provider.jobs()] == before

    def test_a_small_job_succeeds_and_its_status_only_moves_forward(self, finished: Finished) -> None:
        assert finished.remote.status is Status.SUCCEEDED, finished.remote.error
        assert finished.remote.error is None
        order = [_FORWARD.index(status) for status in finished.seen[:-1]]
        assert order == sorted(order)

    def test_events_come_oldest_first_each_with_a_cursor_of_its_own(
        self, provider: Provider, finished: Finished
    ) -> None:
        require_events(provider)
        cursors = [event.cursor for event in finished.events]
        assert cursors
        assert "" not in cursors
        assert len(set(cursors)) == len(cursors)
        times = [event.at for event in finished.events]
        assert times == sorted(times)

    def test_events_go_on_after_any_cursor(self, provider: Provider, finished: Finished) -> None:
        for index, event in enumerate(finished.events):
            rest = list(provider.events(finished.remote.remote_id, event.cursor))
            assert rest == finished.events[index + 1 :]

    def test_metrics_have_step_and_loss(self, provider: Provider, finished: Finished) -> None:
        require_events(provider)
        metrics = [event for event in finished.events if event.kind == "metric" and event.train_loss is not None]
        assert metrics
        assert all(event.step and event.train_loss and event.train_loss > 0 for event in metrics)

    def test_checkpoints_come_oldest_first_each_with_a_model(self, provider: Provider, finished: Finished) -> None:
        require_verbs(provider, "checkpoints")
        checkpoints = provider.checkpoints(finished.remote.remote_id)
        assert checkpoints
        steps = [checkpoint.step for checkpoint in checkpoints]
        assert steps == sorted(set(steps))
        assert len({checkpoint.model for checkpoint in checkpoints}) == len(checkpoints)

    def test_polling_changes_nothing(self, provider: Provider, finished: Finished) -> None:
        before, after = (list(provider.poll([finished.remote.remote_id])) for _ in range(2))
        assert before == after == [finished.remote]

    def test_one_poll_is_for_many_jobs(self, provider: Provider, finished: Finished) -> None:
        asked = [finished.remote.remote_id, *(f"ftb_nobody{number}" for number in range(5))]
        assert list(provider.poll(asked)) == [finished.remote]

    def test_an_unknown_job_is_left_out_of_a_poll_and_not_found(self, provider: Provider) -> None:
        assert list(provider.poll(["ftb_nobody"])) == []
        assert provider.find("ftb_nobody") == []

    def test_the_tag_finds_the_job_and_a_part_of_it_does_not(self, provider: Provider, finished: Finished) -> None:
        assert [job.remote_id for job in provider.find(TAG)] == [finished.remote.remote_id]
        assert provider.find(TAG[:-1]) == []

    def test_the_result_can_be_fetched(self, provider: Provider, finished: Finished, tmp_path: Path) -> None:
        result = provider.fetch(finished.remote.remote_id, tmp_path / "out")
        assert result.model or result.path
        if result.path:
            assert result.path.is_relative_to(tmp_path / "out")
            assert any(result.path.iterdir())

    def test_the_listing_has_what_was_submitted(
        self, provider: Provider, spec: Spec, files: Files, finished: Finished
    ) -> None:
        listed = list(provider.jobs())
        [job] = [job for job in listed if job.tag == TAG]
        assert job.remote.remote_id == finished.remote.remote_id
        assert job.remote.status is Status.SUCCEEDED
        assert provider.resolve(job.model) == provider.resolve(self.model)
        assert job.method is spec.method
        submitted, listed_back = spec.hyperparameters.given(), job.hyperparameters.given()
        assert submitted == {name: listed_back.get(name) for name in submitted}
        assert job.training_file == files.training
        assert job.finished_at
        assert job.created_at <= job.finished_at
        times = [job.created_at for job in listed]
        assert times == sorted(times, reverse=True)

    def test_the_tuned_model_answers(self, provider: Provider, served: str) -> None:
        require_verbs(provider, "chat")
        reply = provider.chat(served, _QUESTIONS[0], max_tokens=8)
        assert isinstance(reply.text, str)
        assert reply.model
        if reply.usage:
            assert reply.usage.prompt_tokens > 0

    def test_the_pieces_of_a_stream_are_the_whole_answer(self, provider: Provider, served: str) -> None:
        require_verbs(provider, "chat")
        options = {"max_tokens": 8, "temperature": 0.0}
        chunks = list(provider.stream(served, chat_body(_QUESTIONS[0], options)))
        assert all(chunk["object"] == "chat.completion.chunk" for chunk in chunks)
        assert any(choice.get("finish_reason") for chunk in chunks for choice in chunk["choices"])
        assert "".join(map(text_of_chunk, chunks)) == provider.chat(served, _QUESTIONS[0], **options).text

    def test_a_completion_has_openais_shape(self, provider: Provider, served: str) -> None:
        require_verbs(provider, "chat")
        answer = provider.complete(served, chat_body(_QUESTIONS[0], {"max_tokens": 8}))
        [choice] = answer["choices"]
        assert choice["message"]["role"] == "assistant"
        assert choice["finish_reason"]
        assert answer["model"]

    def test_many_chats_are_answered_in_order(self, provider: Provider, served: str) -> None:
        require_verbs(provider, "chat")
        replies = [reply.text for reply in provider.replies(served, _QUESTIONS, max_tokens=8, temperature=0.0)]
        assert replies == [provider.chat(served, chat, max_tokens=8, temperature=0.0).text for chat in _QUESTIONS]

    def test_an_unknown_model_does_not_answer(self, provider: Provider) -> None:
        require_verbs(provider, "chat")
        with pytest.raises(FtbridgeError) as problem:
            provider.chat("no-such/model-at-all", _QUESTIONS[0])
        assert problem.value.hint

    def test_the_loss_of_each_chat_is_a_mean_in_nats(self, provider: Provider, finished: Finished) -> None:
        require_verbs(provider, "losses")
        chats = [Chat(messages=[*chat.messages, Assistant(content="one")]) for chat in _QUESTIONS]
        losses = provider.losses(finished.model, chats)
        assert len(losses) == len(chats)
        assert all(0 < one.loss < 50 and one.tokens > 0 for one in losses)

    def test_a_deployed_model_answers_until_it_is_undeployed(self, provider: Provider, served: str) -> None:
        require_verbs(provider, "deploy", "chat")
        assert provider.deploy(served).model == served
        provider.undeploy(served)
        with pytest.raises(FtbridgeError) as problem:
            provider.chat(served, _QUESTIONS[0])
        assert "deploy" in problem.value.hint
        provider.undeploy(served)
        assert provider.deploy(served).model == served

    def test_a_deployment_is_listed_until_it_is_undeployed(self, provider: Provider, served: str) -> None:
        require_verbs(provider, "deploy")
        made = provider.deploy(served)
        try:
            [listed] = [one for one in provider.deployments() if one.model == served]
        except Unsupported:
            pytest.skip(f"{provider.name} cannot list what it serves")
        assert (listed.name, listed.hourly_usd, listed.raw_status) == (made.name, made.hourly_usd, "")
        provider.undeploy(served)
        assert served not in [one.model for one in provider.deployments()]
        provider.deploy(served)

    def test_a_cancelled_job_ends_as_cancelled(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None
    ) -> None:
        require_verbs(provider, "cancel")
        made = self.start_long(provider, spec, files, faults)
        provider.cancel(made.remote_id)
        assert self.follow(provider, made.remote_id).remote.status is Status.CANCELLED

    def test_a_finished_job_cannot_be_cancelled(self, provider: Provider, finished: Finished) -> None:
        require_verbs(provider, "cancel")
        with suppress(FtbridgeError):  # some vendors refuse, some ignore it
            provider.cancel(finished.remote.remote_id)
        assert list(provider.poll([finished.remote.remote_id])) == [finished.remote]

    def test_a_paused_job_continues(self, provider: Provider, spec: Spec, files: Files, faults: Faults | None) -> None:
        require_verbs(provider, "pause", "resume", "cancel")
        made = self.start_long(provider, spec, files, faults)
        self.until_step(provider, made.remote_id)
        provider.pause(made.remote_id)
        self.until(provider, made.remote_id, Status.PAUSED)
        provider.resume(made.remote_id)
        self.until(provider, made.remote_id, Status.RUNNING)
        provider.cancel(made.remote_id)

    def test_a_running_job_has_no_result(
        self, provider: Provider, spec: Spec, files: Files, faults: Faults | None, tmp_path: Path
    ) -> None:
        require_verbs(provider, "cancel")
        made = self.start_long(provider, spec, files, faults)
        with pytest.raises(JobFailed) as problem:
            provider.fetch(made.remote_id, tmp_path / "out")
        assert problem.value.hint
        assert not (tmp_path / "out").exists()
        provider.cancel(made.remote_id)

    def test_an_unknown_model_is_refused_before_a_job_is_created(
        self, provider: Provider, spec: Spec, files: Files
    ) -> None:
        tag = new_tag()
        with pytest.raises(FtbridgeError) as problem:
            provider.create(spec, "no-such/model-at-all", files, tag=tag)
        assert problem.value.hint
        assert provider.find(tag) == []

    def test_a_provider_that_was_closed_may_be_used_again(self, provider: Provider, finished: Finished) -> None:
        provider.close()
        assert list(provider.poll([finished.remote.remote_id])) == [finished.remote]
