"""The likeness of texts, held against scikit-learn's TF-IDF."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from ftbridge.improvement.likeness import Likeness, words_of

TEXTS = [
    "Where is my order?",
    "Where is my parcel?",
    "My card was billed twice for one order.",
    "The printer smells of burning.",
    "The printer smells of burning, and my order is late.",
    "Tschüß, wo bleibt mein Paket?",
]


def test_cosines_are_those_of_scikit_learn() -> None:
    witness = TfidfVectorizer(analyzer="char", ngram_range=(4, 4), preprocessor=lambda text: f" {words_of(text)} ")
    expected = witness.fit_transform(TEXTS)
    vectors = Likeness(TEXTS).vectors
    assert np.allclose((vectors @ vectors.T).toarray(), (expected @ expected.T).toarray(), atol=1e-12)
    ours = (Likeness(TEXTS).of(TEXTS[2:4]) @ vectors.T).toarray()
    assert np.allclose(ours, (witness.transform(TEXTS[2:4]) @ expected.T).toarray(), atol=1e-12)


def test_the_nearest_come_first_and_a_text_is_not_its_own_neighbour() -> None:
    found = Likeness(TEXTS).among(range(len(TEXTS)), 2)
    assert found.indices[0].tolist()[0] == 1
    assert found.indices[3].tolist()[0] == 4
    assert (np.diff(found.cosines, axis=1) <= 0).all()
    assert all(index not in others for index, others in enumerate(found.indices.tolist()))


def test_spelling_of_case_punctuation_and_numbers_does_not_count() -> None:
    found = Likeness(TEXTS).to(["WHERE is my   order"], 1)
    assert (found.indices[0, 0], found.cosines[0, 0]) == (0, pytest.approx(1.0))
    numbered = Likeness(["Where is order 123?", "Where is order 987?"]).vectors
    assert (numbered @ numbered.T).toarray()[0, 1] == pytest.approx(1.0)


@pytest.mark.parametrize("texts", [["a"], ["", ""], ["注文はどこですか", "注文はいつですか"], ["\ud800 half", "a"]])
def test_texts_of_all_kinds_have_neighbours(texts: list[str]) -> None:
    found = Likeness(texts).among(range(len(texts)), 5)
    assert found.cosines.shape == (len(texts), len(texts) - 1)
    assert np.isfinite(found.cosines).all()


def test_languages_without_spaces_are_compared_by_shorter_runs() -> None:
    like = Likeness(["私の注文は今どこにありますか教えてください", "カードが二重に請求されましたので返金してください"])
    found = like.to(["私の注文はどこにあるのか教えてください"], 1)
    assert found.indices[0, 0] == 0
    assert found.cosines[0, 0] > 0.4
