"""The model whose probabilities another one learns: it has to read and write the same tokens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tokenizers import Tokenizer

from ftbridge.errors import SpecError
from ftbridge.model import Spec
from ftbridge.provider.offline import is_offline
from ftbridge.target import parse_target
from ftbridge_local.models.find import find
from ftbridge_local.models.source import Source


def teacher_of(spec: Spec, student: Source, home: Path, here: Callable[[str], str] = str) -> Source | None:
    """The teacher of a job, by the name that its model has `here`; `None` where the job has none.

    Raises `ModelNotFound`, and `SpecError` where a token of the two is not the same.
    """
    if spec.teacher is None:
        return None
    teacher = find(here(parse_target(spec.teacher).model), home, weights=False, offline=is_offline())
    ours, its = _tokens(student), _tokens(teacher)
    if ours != its:
        differ = len(ours.items() ^ its.items())
        raise SpecError(
            f"the teacher {spec.teacher} has other tokens than {spec.target}: {differ:,} entries of their vocabularies"
            " differ",
            hint=f"`ftbridge distill PROMPTS --teacher {spec.teacher} --out FILE` writes its answers, to train on.",
        )
    return teacher


def _tokens(source: Source) -> dict[str, int]:
    return Tokenizer.from_file(str(source.tokenizer / "tokenizer.json")).get_vocab(with_added_tokens=True)
