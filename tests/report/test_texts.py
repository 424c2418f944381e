"""Texts of rows in a report: bounded, harmless, and compared word by word."""

from __future__ import annotations

from ftbridge.report.texts import LONGEST, Part, bounded, compared, safe


def test_words_that_an_answer_lacks_are_marked_in_the_expected_one_and_those_it_adds_in_the_answer() -> None:
    expected, answer = compared("It leaves today by post.", "It leaves tomorrow by post.")
    assert expected.parts == (Part("It leaves "), Part("today", "missing"), Part(" by post."))
    assert answer.parts == (Part("It leaves "), Part("tomorrow", "extra"), Part(" by post."))


def test_blanks_after_a_word_are_not_marked() -> None:
    _expected, answer = compared("the parcel is late", "the parcel is very late")
    assert answer.parts == (Part("the parcel is "), Part("very", "extra"), Part(" "), Part("late"))


def test_texts_with_nothing_in_common_are_not_marked() -> None:
    assert compared("billing", "delivery") == (bounded("billing"), bounded("delivery"))
    assert compared("", "delivery") == (bounded(""), bounded("delivery"))


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    expected, answer = compared("x " * 500_000, "x " * 500_000 + "y")
    assert sum(len(part.text) for part in expected.parts) == LONGEST
    assert (expected.cut, answer.cut) == (1_000_000 - LONGEST, 1_000_001 - LONGEST)


def test_what_controls_a_screen_is_shown_as_its_escape_and_what_languages_need_stays() -> None:
    assert safe("\x1b[2J\u202egnp.exe\ud800\x00") == "\\x1b[2J\\u202egnp.exe\\ud800\\x00"
    kept = "deux\u00a0points\nمی\u200cخواهم\t👩\u200d🔧"
    assert safe(kept) == kept
