"""Asking a model many questions: at once where its vendor lets that, each paid for once, each answer stored."""

from ftbridge.answers.answer import Answer, Outcome
from ftbridge.answers.ask import ask
from ftbridge.answers.counts import AnswerCounts
from ftbridge.answers.inquiry import Inquiry, prepare
from ftbridge.answers.judges import ask_judges, each_at_once
from ftbridge.answers.price import Spending, check_estimate
from ftbridge.answers.question import question_hash
from ftbridge.answers.several import Answers, ask_all

__all__ = [
    "Answer",
    "AnswerCounts",
    "Answers",
    "Inquiry",
    "Outcome",
    "Spending",
    "ask",
    "ask_all",
    "ask_judges",
    "check_estimate",
    "each_at_once",
    "prepare",
    "question_hash",
]
