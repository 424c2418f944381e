"""Asking a model many questions: at once where its vendor lets that, each paid for once, each answer stored."""

from ftbridge.answers.answer import Answer, Outcome
from ftbridge.answers.ask import ask
from ftbridge.answers.counts import AnswerCounts
from ftbridge.answers.inquiry import Inquiry, prepare
from ftbridge.answers.price import Spending, check_estimate

__all__ = ["Answer", "AnswerCounts", "Inquiry", "Outcome", "Spending", "ask", "check_estimate", "prepare"]
