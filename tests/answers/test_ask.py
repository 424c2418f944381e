"""Many questions to one model: in order, each asked once, every outcome counted, within the limits of the vendor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ftbridge import Bridge
from ftbridge.answers import Answer, AnswerCounts, Inquiry, Spending, ask, check_estimate, prepare
from ftbridge.dataset.canonical.example import Chat, User
from ftbridge.errors import (
    AuthenticationFailed,
    DataError,
    InvalidRequest,
    NetworkError,
    OverBudget,
    ProviderError,
    RateLimited,
    ServerTrouble,
)
from ftbridge.provider import Capabilities, Provider, Usage, completion
from ftbridge.target import Target

TARGET = Target("openai", "gpt-4.1-mini-2025-04-14")


class Vendor(Provider):
    """Answers "what" with "WHAT", unless `answers` has something else for it: an error is raised once, then removed."""

    name = "openai"
    capabilities = Capabilities(methods=frozenset(), hyperparameters={})

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}
        self.at_once = self.most_at_once = 0
        self._counting = threading.Lock()

    def complete(self, model: str, body: Mapping[str, Any]) -> dict[str, Any]:
        question = body["messages"][-1]["content"]
        with self._counting:
            self.asked.append(question)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            answer = self.answers.get(question)
            if isinstance(answer, list):
                answer = answer.pop(0) if answer else None
        try:
            if isinstance(answer, Exception):
                raise answer
            usage = Usage(prompt_tokens=1_000_000, completion_tokens=0)
            return answer or completion(model, question.upper(), usage=usage)
        finally:
            with self._counting:
                self.at_once -= 1


class Concurrent(Vendor):
    chats_at_once = 4


@pytest.fixture(params=[Vendor, Concurrent])
def vendor(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vendor:
    made: Vendor = request.param(tmp_path)
    monkeypatch.setattr(Bridge, "provider", lambda _bridge, _target: made)
    return made


Asking = Callable[..., Inquiry]


@pytest.fixture
def inquire(bridge: Bridge, vendor: Vendor) -> Asking:
    def make(words: Sequence[str], **more: Any) -> Inquiry:
        chats = [Chat(messages=[User(content=word)]) for word in words]
        return prepare(bridge, TARGET, "ft:mine", chats, tuned=True, **more)

    return make


def refused(kind: type[ProviderError], status: int, **more: Any) -> Exception:
    return kind(f"openai answered {status}", provider="openai", status=status, **more)


def texts(bridge: Bridge, inquiry: Inquiry) -> list[str]:
    return [answer.text for answer in ask(bridge.ledger, inquiry, Spending())]


def test_answers_come_in_order_and_equal_questions_are_asked_once(
    bridge: Bridge, vendor: Vendor, inquire: Asking
) -> None:
    words = [f"w{n}" for n in range(20)]
    assert texts(bridge, inquire([*words, "w3"])) == [*(word.upper() for word in words), "W3"]
    assert sorted(vendor.asked) == sorted(words)
    assert vendor.most_at_once <= vendor.chats_at_once


def test_only_the_same_question_with_the_same_options_is_not_asked_again(
    bridge: Bridge, vendor: Vendor, inquire: Asking
) -> None:
    assert texts(bridge, inquire(["one", "two"])) == ["ONE", "TWO"]
    counts = AnswerCounts.of("tuned", inquiry := inquire(["two", "new"]), [*ask(bridge.ledger, inquiry, Spending())])
    assert (counts.questions, counts.from_ledger) == (2, 1)
    assert sorted(vendor.asked) == ["new", "one", "two"]
    for more in ({"options": {"temperature": 0.5}}, {"sample": 1}, {"fresh": True}):
        before = len(vendor.asked)
        texts(bridge, inquire(["one"], **more))
        assert len(vendor.asked) == before + 1, more


def test_another_adapter_in_the_same_folder_is_asked_anew(bridge: Bridge, vendor: Vendor, tmp_path: Path) -> None:
    adapter, chats = tmp_path / "adapter", [Chat(messages=[User(content="one")])]
    adapter.mkdir()
    for content in (b"first", b"second", b"second"):
        (adapter / "adapter_model.safetensors").write_bytes(content)
        texts(bridge, prepare(bridge, TARGET, str(adapter), chats, tuned=True))
    assert vendor.asked == ["one", "one"]


def test_refusals_cut_answers_and_errors_of_one_question_are_outcomes(
    bridge: Bridge, vendor: Vendor, inquire: Asking
) -> None:
    refusal = completion("ft:mine", "")
    refusal["choices"][0]["message"] |= {"content": None, "refusal": "I cannot help with that."}
    calls = completion("ft:mine", "")
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    calls["choices"][0]["message"]["tool_calls"] = [call]
    vendor.answers = {
        "long": completion("ft:mine", "and so on", finish_reason="length"),
        "bad": refusal,
        "filtered": [refused(InvalidRequest, 400, code="content_filter")] * 2,
        "odd": [refused(InvalidRequest, 400)] * 2,
        "call": calls,
    }
    inquiry = inquire(["fine", "long", "bad", "filtered", "odd", "call", "last"])
    answers = [*ask(bridge.ledger, inquiry, Spending())]
    outcomes = [answer.outcome for answer in answers]
    assert outcomes == ["answered", "truncated", "refused", "refused", "failed", "answered", "answered"]
    assert answers[5].tool_calls == (call,)
    assert answers[2].refusal == "I cannot help with that."
    counts = AnswerCounts.of("tuned", inquiry, answers)
    assert (counts.truncated, counts.refused, counts.failed, counts.first_error) == (1, 2, 1, "openai answered 400")
    again = [*ask(bridge.ledger, inquire(["long", "bad", "filtered", "call"]), Spending())]
    assert [answer.from_ledger for answer in again] == [True] * 4
    assert again[3].tool_calls == (call,)


def test_a_chat_that_a_model_cannot_read_is_its_own_outcome(bridge: Bridge, vendor: Vendor, inquire: Asking) -> None:
    vendor.answers = {"w7": DataError("it fills the context")}
    answers = [*ask(bridge.ledger, inquire([f"w{n}" for n in range(10)]), Spending())]
    assert [answer.error for answer in answers if answer.error] == ["it fills the context"]
    assert [answer.text for answer in answers][8:] == ["W8", "W9"]


@pytest.mark.parametrize("vendor", [Concurrent], indirect=True)
def test_a_rate_limit_is_waited_for_and_fewer_are_asked_at_once(
    bridge: Bridge, vendor: Vendor, inquire: Asking
) -> None:
    vendor.answers = {"w1": [refused(RateLimited, 429, retry_after=0.05)] * 2}
    assert texts(bridge, inquire([f"w{n}" for n in range(12)])) == [f"W{n}" for n in range(12)]
    assert vendor.asked.count("w1") == 3


@pytest.mark.parametrize("vendor", [Concurrent], indirect=True)
def test_one_question_that_fails_for_now_is_counted_and_asked_again_next_time(
    bridge: Bridge, vendor: Vendor, inquire: Asking
) -> None:
    vendor.answers = {"w1": [refused(ServerTrouble, 500)]}
    words = [f"w{n}" for n in range(12)]
    answers = [*ask(bridge.ledger, inquiry := inquire(words), Spending())]
    assert [answer.outcome for answer in answers].count("missing") == 1
    counts = AnswerCounts.of("tuned", inquiry, answers)
    assert (counts.failed, counts.others, counts.first_error) == (0, {"missing": 1}, "openai answered 500")
    assert texts(bridge, inquire(words))[1] == "W1"
    assert len(vendor.asked) == 13


@pytest.mark.parametrize("vendor", [Concurrent], indirect=True)
@pytest.mark.parametrize(
    "problem", [refused(AuthenticationFailed, 401), refused(ServerTrouble, 503), NetworkError("no answer came")]
)
def test_what_all_questions_would_meet_ends_the_run_and_asking_again_goes_on(
    bridge: Bridge, vendor: Vendor, inquire: Asking, problem: Exception
) -> None:
    words = [f"w{n}" for n in range(40)]
    vendor.answers = dict.fromkeys(words[10:], problem)
    with pytest.raises(type(problem)) as caught:
        texts(bridge, inquire(words))
    assert caught.match("10 answers of this run are stored: the same command asks the rest")
    assert len(vendor.asked) < 25, "the others are not asked"
    vendor.answers, vendor.asked = {}, []
    assert len(texts(bridge, inquire(words))) == 40
    assert len(vendor.asked) == 30


def test_a_cost_above_the_limit_is_refused_before_and_stops_the_run_later(
    bridge: Bridge, vendor: Vendor, inquire: Asking
) -> None:
    inquiry = inquire([f"w{n}" for n in range(40)], options={"max_tokens": 10})
    assert inquiry.estimate_usd is not None
    assert 0 < inquiry.estimate_usd < 0.01
    with pytest.raises(OverBudget, match="nothing was asked"):
        check_estimate([("tuned", inquiry.estimate_usd)], inquiry.estimate_usd / 2)
    with pytest.raises(OverBudget, match="is not known"):
        check_estimate([("tuned", inquire(["no length is given"]).estimate_usd)], 1000.0)
    with pytest.raises(OverBudget, match="have cost"):  # a million tokens each, at $0.80
        [*ask(bridge.ledger, inquiry, Spending(2.0))]
    assert 3 <= len(vendor.asked) <= 3 + vendor.chats_at_once


def test_an_answer_is_stored_the_moment_it_arrives(bridge: Bridge, vendor: Vendor, inquire: Asking) -> None:
    inquiry = inquire(["one", "two", "three"])
    answers = ask(bridge.ledger, inquiry, Spending())
    assert next(answers) == Answer.of(vendor.chat("ft:mine", Chat(messages=[User(content="one")])))
    answers.close()  # type: ignore[attr-defined]  # it is a generator
    assert inquire(["one"]).stored
