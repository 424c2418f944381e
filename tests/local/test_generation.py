"""Replies and losses of a tuned model and of its base, and fetching."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from ftbridge.dataset import read_examples
from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import DataError, SpecError
from ftbridge.provider import RemoteJob
from ftbridge.provider.completions import chat_body, text_of_chunk
from ftbridge_local.batching import trial
from local.lab import Lab


@pytest.fixture
def tuned(finished: RemoteJob) -> str:
    assert finished.result is not None
    assert finished.result.model is not None
    return finished.result.model


def questions(lab: Lab, count: int) -> list[Chat]:
    rows = [example for _line, example in read_examples(lab.data.training) if isinstance(example, Chat)]
    return [Chat(messages=row.messages[:-1]) for row in rows[:count]]


def test_a_tuned_model_answers_in_the_form_it_was_taught(lab: Lab, tuned: str) -> None:
    reply = lab.provider.chat(tuned, questions(lab, 1)[0], max_tokens=30)
    assert str(reply).startswith('{"colour": "')
    assert reply.model == tuned
    assert reply.usage is not None
    assert reply.usage.completion_tokens <= 30


def test_many_answers_at_once_are_those_one_at_a_time(lab: Lab, tuned: str) -> None:
    asked = questions(lab, 10)
    together = [reply.text for reply in lab.provider.replies(tuned, asked, max_tokens=12)]
    assert together == [lab.provider.chat(tuned, chat, max_tokens=12).text for chat in asked]


def test_a_model_that_cannot_be_batched_answers_the_same(lab: Lab, tuned: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = questions(lab, 5)
    wanted = [lab.provider.chat(tuned, chat, max_tokens=12).text for chat in asked]
    monkeypatch.setattr(trial, "token_bytes", lambda _model: None)
    monkeypatch.setattr(lab.provider, "_generator", None)
    assert [reply.text for reply in lab.provider.replies(tuned, asked, max_tokens=12)] == wanted


def test_a_chat_that_nearly_fills_the_context_leaves_the_others_their_length(lab: Lab, tuned: str) -> None:
    asked = [Chat(messages=[User(content="a " * 1010)]), *questions(lab, 2)]
    alone = [lab.provider.chat(tuned, chat, max_tokens=30) for chat in asked]
    assert alone[0].usage
    assert alone[0].usage.completion_tokens < 30, "all that the context leaves"
    assert list(lab.provider.replies(tuned, asked, max_tokens=30)) == alone


def test_sampling_follows_from_its_seed(lab: Lab) -> None:
    [asked] = questions(lab, 1)
    options = {"max_tokens": 12, "temperature": 1.5}
    answers = [lab.provider.chat("tiny", asked, seed=seed, **options).text for seed in (1, 1, 2)]
    assert answers[0] == answers[1]
    assert answers[0] != answers[2]


def mean_loss(lab: Lab, model: str, rows: list[Chat]) -> float:
    """Over all trained tokens of the rows."""
    each = lab.provider.losses(model, rows)
    return sum(one.loss * one.tokens for one in each) / sum(one.tokens for one in each)


def test_the_tuned_model_is_less_surprised_by_the_answers_than_its_base(lab: Lab, tuned: str) -> None:
    rows = [example for _line, example in read_examples(lab.data.validation) if isinstance(example, Chat)]
    assert mean_loss(lab, tuned, rows) < mean_loss(lab, "tiny", rows) / 2


def test_the_loss_of_the_tuned_model_is_the_last_validation_loss(lab: Lab, tuned: str) -> None:
    rows = [example for _line, example in read_examples(lab.data.validation) if isinstance(example, Chat)]
    assert mean_loss(lab, tuned, rows) == pytest.approx(lab.losses("finished")[24][1])


def test_an_unknown_option_is_named_with_the_known_ones(lab: Lab) -> None:
    with pytest.raises(SpecError, match="no option top_q") as problem:
        lab.provider.chat("tiny", Chat(messages=[User(content="Hi.")]), top_q=1)
    assert "max_tokens" in problem.value.hint


def test_a_chat_that_fills_the_context_is_refused(lab: Lab) -> None:
    with pytest.raises(DataError, match="the model reads 1024"):
        lab.provider.chat("tiny", Chat(messages=[User(content="word " * 2000)]))


def test_chats_without_an_answer_have_no_loss(lab: Lab) -> None:
    with pytest.raises(DataError, match="no chat has an answer"):
        lab.provider.losses("tiny", [msgspec.convert({"messages": [{"role": "user", "content": "Hi."}]}, Chat)])


def test_a_fetched_adapter_is_a_model_of_its_own(lab: Lab, tuned: str, tmp_path: Path) -> None:
    result = lab.provider.fetch("finished", tmp_path / "out")
    assert result.model == str(tmp_path / "out")
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {file.name for file in (tmp_path / "out").iterdir()}
    [asked] = questions(lab, 1)
    fetched = lab.provider.chat(result.model, asked, max_tokens=12)
    assert fetched.text == lab.provider.chat(tuned, asked, max_tokens=12).text


def test_an_upload_is_a_copy_made_once(lab: Lab, tmp_path: Path) -> None:
    kept = Path(lab.provider.upload(lab.data.training, key="abc"))
    assert kept.read_bytes() == lab.data.training.read_bytes()
    before = kept.stat().st_mtime_ns
    assert lab.provider.upload(lab.data.training, key="abc") == str(kept)
    assert kept.stat().st_mtime_ns == before


def test_an_answer_comes_in_pieces_which_are_the_whole_one(lab: Lab, tuned: str) -> None:
    [asked] = questions(lab, 1)
    chunks = list(lab.provider.stream(tuned, chat_body(asked, {"max_tokens": 30})))
    pieces = [piece for piece in map(text_of_chunk, chunks) if piece]
    assert len(pieces) > 5
    assert "".join(pieces) == lab.provider.chat(tuned, asked, max_tokens=30).text


@pytest.mark.parametrize(("most", "reason"), [(3, "length"), (60, "stop")])
def test_an_answer_says_whether_the_model_ended_it(lab: Lab, tuned: str, most: int, reason: str) -> None:
    [asked] = questions(lab, 1)
    assert lab.provider.chat(tuned, asked, max_tokens=most).finish_reason == reason
    whole = lab.provider.complete(tuned, chat_body(asked, {"max_tokens": most}))
    *_, last = lab.provider.stream(tuned, chat_body(asked, {"max_tokens": most}))
    assert whole["choices"][0]["finish_reason"] == reason
    assert last["choices"][0]["finish_reason"] == reason


def test_a_stream_that_nobody_reads_on_ends(lab: Lab, tuned: str) -> None:
    [asked] = questions(lab, 1)
    stream = lab.provider.stream("tiny", chat_body(asked, {"max_tokens": 500}))
    next(stream)
    del stream
    assert lab.provider.chat(tuned, asked, max_tokens=5).text  # which waits until the model is free


def test_several_threads_are_answered_as_one_is(lab: Lab, tuned: str) -> None:
    asked = questions(lab, 4)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda chat: lab.provider.chat(tuned, chat, max_tokens=12, temperature=1.0), asked))
    alone = [lab.provider.chat(tuned, chat, max_tokens=12, temperature=1.0).text for chat in asked]
    assert [answer.text for answer in answers] == alone
