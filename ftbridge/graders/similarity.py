"""How similar two texts are, from 0 to 1, by the metrics of a text_similarity grader.

The guide to graders (read 2026-11) names the metrics, and for fuzzy_match the library rapidfuzz; it gives no settings.
Those here are the libraries' own defaults, and for fuzzy_match the function of the guide's python grader, `WRatio`.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from ftbridge.errors import MissingExtra, UsageError

Similarity = Callable[[str, str], float]
"""From an input and its reference to a number from 0 to 1."""
Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""The embeddings of texts, in their order."""


def similarity(metric: str, embed: Embed | None = None) -> Similarity:
    """The function of `metric`, one of `TextSimilarity.evaluation_metric`.

    Raises `MissingExtra` without the libraries, and `UsageError` for cosine without `embed`.
    """
    if metric == "cosine":
        if embed is None:
            raise UsageError(
                "the metric cosine compares embeddings, and no model that gives them is set",
                hint="Use fuzzy_match, bleu, gleu or a rouge metric instead.",
            )
        return _cosine(embed)
    if metric.startswith("rouge"):
        return _rouge(metric)
    return {"fuzzy_match": _fuzzy_match, "bleu": _bleu, "gleu": _gleu, "meteor": _meteor}[metric]()


def library(module: str) -> Any:
    """A module of the extra `evaluate`. Raises `MissingExtra`."""
    try:
        return importlib.import_module(module)
    except ImportError as problem:
        raise MissingExtra(
            f"this metric needs the package {problem.name or module}, which is not installed",
            hint="Install it with: pip install 'ftbridge[evaluate]'",
        ) from None


@cache
def rouge_scorer(*kinds: str) -> Any:
    """A scorer for `rouge1`, `rougeL` and the like, which does not stem words."""
    return library("rouge_score.rouge_scorer").RougeScorer(list(kinds))


def _fuzzy_match() -> Similarity:
    fuzz, utils = library("rapidfuzz.fuzz"), library("rapidfuzz.utils")

    def match(given: str, reference: str) -> float:
        ratio: float = fuzz.WRatio(given, reference, processor=utils.default_process)
        return ratio / 100

    return match


def _bleu() -> Similarity:
    bleu = library("sacrebleu").BLEU(effective_order=True)  # as sacrebleu advises for single sentences

    def score(given: str, reference: str) -> float:
        value: float = bleu.sentence_score(given, [reference]).score
        return min(value / 100, 1.0)  # sacrebleu's logarithms make 100.00000000000004 of equal texts

    return score


def _gleu() -> Similarity:
    sentence_gleu = library("nltk.translate.gleu_score").sentence_gleu
    return lambda given, reference: float(sentence_gleu([reference.split()], given.split()))


def _meteor() -> Similarity:
    nltk, meteor = library("nltk"), library("nltk.translate.meteor_score")
    try:
        wordnet = importlib.import_module("nltk.corpus").wordnet
        wordnet.ensure_loaded()
    except LookupError:
        raise MissingExtra(
            f"the metric meteor needs WordNet, which nltk {nltk.__version__} does not bring along",
            hint="Install it with: python -m nltk.downloader wordnet",
        ) from None
    return lambda given, reference: float(meteor.single_meteor_score(reference.split(), given.split()))


def _rouge(metric: str) -> Similarity:
    kind = metric.replace("_", "").replace("l", "L")
    scorer = rouge_scorer(kind)
    return lambda given, reference: float(scorer.score(reference, given)[kind].fmeasure)


def _cosine(embed: Embed) -> Similarity:
    def score(given: str, reference: str) -> float:
        one, other = embed([given, reference])
        norms = math.hypot(*one) * math.hypot(*other)
        product = math.fsum(a * b for a, b in zip(one, other, strict=True))
        return min(max(product / norms, 0.0), 1.0) if norms else 0.0

    return score
