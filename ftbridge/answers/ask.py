"""Asking what is not answered yet: each answer is stored the moment it arrives, so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from threading import Lock

from ftbridge.answers.answer import Answer
from ftbridge.answers.inquiry import Inquiry
from ftbridge.answers.pace import Pace
from ftbridge.answers.price import Spending
from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import (
    BadAnswer,
    DataError,
    FtbridgeError,
    InvalidRequest,
    NetworkError,
    NotReached,
    RateLimited,
    ServerTrouble,
)
from ftbridge.ledger import Ledger, store_answer
from ftbridge.wording import counted

_OF_THE_QUESTION = (InvalidRequest, DataError)
_TEMPORARY = (ServerTrouble, BadAnswer, NetworkError)
_IN_A_ROW = 5
"""After so many temporary errors without an answer between them, the vendor is taken to be out of order."""
_ROUNDS = 5
"""How often one question waits for a rate limit, beside the retries of each request."""
_LONGEST_WAIT = 600.0
"""Seconds; a vendor that asks for a longer wait ends the run."""


def ask(ledger: Ledger, inquiry: Inquiry, spending: Spending) -> Iterator[Answer]:
    """The answers in the order of the questions, those stored looked up, all others asked and stored.

    An error that is about one question is its outcome, as is one that several retries of it meet, which is not stored:
    that question is asked again another time. Errors that all questions would meet are raised: a key that is refused,
    a vendor that cannot be reached, `OverBudget` once `spending` is over its limit. What is answered by then is stored,
    and asking again goes on from there.
    """
    asking = _Asking(ledger, inquiry, spending)
    concurrent = inquiry.provider.chats_at_once > 1
    answers = asking.concurrently() if concurrent else asking.in_one_stream()
    given = dict(inquiry.stored)
    try:
        for key in inquiry.hashes:
            if key in given:
                yield given[key]
                continue
            answer = next(answers)
            given[key] = answer.model_copy(update={"from_ledger": True})  # for the same question, later
            yield answer
    except FtbridgeError as problem:
        told = f"{counted(asking.stored, 'answer')} of this run {'is' if asking.stored == 1 else 'are'} stored"
        goes_on = "leave out --fresh, and the rest is asked" if inquiry.fresh else "the same command asks the rest"
        problem.hint = f"{problem.hint} {told}: {goes_on}.".strip()
        raise
    finally:
        answers.close()


class _Asking:
    """One run: the answers to what is not answered yet, in order."""

    def __init__(self, ledger: Ledger, inquiry: Inquiry, spending: Spending) -> None:
        self.stored = 0
        self._ledger, self._inquiry, self._spending = ledger, inquiry, spending
        self._unanswered = inquiry.unanswered
        self._pace = Pace(inquiry.provider.chats_at_once)
        self._counting = Lock()
        self._failed_in_a_row = 0
        self._ended_by: FtbridgeError | None = None

    def concurrently(self) -> Generator[Answer, None, None]:
        """By as many threads as the provider takes; what is under way at the end is waited for, and stored."""
        first, *others = self._unanswered.items()
        yield self._answer(*first)  # alone: a refused key is tried once, and an SDK is imported by one thread
        with ThreadPoolExecutor(self._inquiry.provider.chats_at_once, "ftbridge asks") as threads:
            under_way = [threads.submit(self._answer, key, chat) for key, chat in others]
            try:
                for future in under_way:
                    yield future.result()
            finally:
                self._pace.stop()
                threads.shutdown(cancel_futures=True)

    def in_one_stream(self) -> Generator[Answer, None, None]:
        """By the provider's `replies`, which may batch them; a question that it cannot answer is found singly."""
        left = [*self._unanswered.items()]
        while left:
            try:
                for reply in self._inquiry.provider.replies(
                    self._inquiry.asked.model, [chat for _key, chat in left], **self._inquiry.options
                ):
                    yield self._keep(left.pop(0)[0], Answer.of(reply))
                    self._spending.check()
            except _OF_THE_QUESTION:
                failed = False
                while left and not failed:
                    answer = self._answer(*left.pop(0))
                    failed = answer.error is not None
                    yield answer

    def _answer(self, key: str, chat: Chat) -> Answer:
        """The answer to one question, or its error. Raises what ends the run, in this thread and in all others."""
        try:
            return self._within_limits(key, chat)
        except FtbridgeError as problem:
            self._ended_by = self._ended_by or problem
            self._pace.stop()
            raise

    def _within_limits(self, key: str, chat: Chat) -> Answer:
        limited: RateLimited | None = None
        for _round in range(_ROUNDS):
            with self._pace.slot() as free:
                if not free:
                    raise self._ended_by or CancelledError
                self._spending.check()
                try:
                    reply = self._inquiry.provider.chat(self._inquiry.asked.model, chat, **self._inquiry.options)
                    self._pace.answered()
                    return self._keep(key, Answer.of(reply))
                except RateLimited as problem:
                    limited = problem
                    if (problem.retry_after or 0.0) > _LONGEST_WAIT:
                        raise
                    self._pace.slower(problem.retry_after)
                except InvalidRequest as problem:  # stored too, because some vendors bill what a filter has read
                    return self._keep(key, Answer.failed(problem))
                except DataError as problem:
                    return Answer.failed(problem)
                except NotReached:
                    raise
                except _TEMPORARY as problem:
                    return self._failed_for_now(problem)
        assert limited
        raise limited

    def _failed_for_now(self, problem: FtbridgeError) -> Answer:
        """The error as the question's outcome, which is not stored. Raises it where others fared no better."""
        with self._counting:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= min(_IN_A_ROW, len(self._unanswered)):
                raise problem
        return Answer.failed(problem, temporary=True)

    def _keep(self, key: str, answer: Answer) -> Answer:
        store_answer(self._ledger, self._inquiry.asked, key, answer.model_dump_json())
        with self._counting:
            self.stored += 1
            self._failed_in_a_row = 0
        if answer.usage and self._inquiry.prices:
            self._spending.add(self._inquiry.prices.of(answer.usage))
        return answer
