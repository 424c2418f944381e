"""Many greedy answers at once: those of transformers' own `generate`, one by one, with less to compute."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from every_case import EVERY_CASE
from ftbridge_local.batching import greedy, trial
from ftbridge_local.batching.batch import Batch, Question
from ftbridge_local.models.load import transformers
from local.test_losses import FAMILIES, OWN_WAY, build

ENDS = list(range(3, 120, 5))
BATCHED = {**FAMILIES, **{why: OWN_WAY[why] for why in ("bent scores", "bent logits")}}
SOME = ("llama", "mistral", "gpt2", "bent scores")


@pytest.fixture
def few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greedy, "_CPU_ROWS", 4)


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Rows and columns of everything that goes through the model."""
    seen: list[tuple[int, int]] = []
    forward = Batch._forward

    def counted(batch: Batch, ids: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append((ids.shape[0], ids.shape[1]))
        return forward(batch, ids, *rest)

    monkeypatch.setattr(Batch, "_forward", counted)
    return seen


def prompts(count: int = 12, prefix: int = 0) -> list[list[int]]:
    """Of 2 to 30 tokens after the prefix."""
    chance = torch.Generator().manual_seed(1)
    shared = torch.randint(1, 120, (prefix,), generator=chance).tolist()
    lengths = torch.randint(2, 31, (count,), generator=chance).tolist()
    return [shared + torch.randint(1, 120, (length,), generator=chance).tolist() for length in lengths]


def by_generate(made: Any, prompt: list[int], limit: int) -> list[int]:
    made.generation_config = transformers.GenerationConfig()
    output = made.generate(
        torch.tensor([prompt]), max_new_tokens=limit, do_sample=False, eos_token_id=ENDS, pad_token_id=0
    )
    found: list[int] = output[0, len(prompt) :].tolist()
    return found


def answers(made: Any, asked: list[list[int]], limits: list[int], *, token_bytes: int = 1) -> list[list[int]]:
    return greedy.answers(made, asked, limits, ENDS, token_bytes)


@pytest.mark.usefixtures("few_rows")
@pytest.mark.parametrize("prefix", [0, 20], ids=["nothing shared", "a shared prefix"])
@pytest.mark.parametrize("family", BATCHED if EVERY_CASE else SOME)
def test_each_answer_is_the_one_that_generate_gives_alone(family: str, prefix: int) -> None:
    made, asked = build(BATCHED[family]()), prompts(prefix=prefix)
    assert trial.token_bytes(made)
    limits = [3 + index % 8 for index in range(len(asked))]
    wanted = [by_generate(made, prompt, limit) for prompt, limit in zip(asked, limits, strict=True)]
    assert answers(made, asked, limits) == wanted


def test_a_model_that_carries_a_state_is_not_asked_in_batches() -> None:
    assert trial.token_bytes(build(OWN_WAY["a state from token to token"]())) is None


def test_a_model_that_takes_its_positions_from_elsewhere_is_not_asked_in_batches() -> None:
    made = build(FAMILIES["llama"]())
    forward = made.forward
    made.forward = lambda **given: forward(**{**given, "position_ids": None})
    assert trial.token_bytes(made) is None


def test_the_size_of_a_token_is_that_of_its_keys_and_values() -> None:
    layers, heads, size, parts, bytes_each = 2, 2, 8, 2, 4
    assert trial.token_bytes(build(FAMILIES["llama"]())) == layers * heads * size * parts * bytes_each


def test_a_prefix_that_all_prompts_share_is_computed_once(widths: list[tuple[int, int]]) -> None:
    asked = [[*range(1, 41), last] for last in range(50, 60)]
    answers(build(FAMILIES["llama"]()), asked, [1] * len(asked))
    assert widths == [(1, 40), (10, 1)]


def test_rows_that_have_ended_make_room_for_others(few_rows: None, widths: list[tuple[int, int]]) -> None:
    made, limits = build(FAMILIES["llama"]()), [9, 1, 2, 3, 4, 5, 6, 7]
    found = answers(made, [[place + 1] * 20 for place in range(8)], limits)
    assert any(answer[-1] in ENDS and len(answer) < limit for answer, limit in zip(found, limits, strict=True))
    steps = [rows for rows, columns in widths if columns == 1]
    assert max(steps) == 4
    assert sum(steps) == sum(len(answer) - 1 for answer in found), "nothing is computed after an answer has ended"


def test_fewer_rows_are_asked_together_where_they_would_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch, widths: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(greedy, "_LEAST_MEMORY", 60)
    monkeypatch.setattr(greedy, "free_memory", lambda _device: 0)
    made, asked = build(FAMILIES["llama"]()), [[place + 1] * 20 for place in range(8)]
    found = answers(made, asked, [5] * 8, token_bytes=1)
    assert found == [by_generate(made, prompt, 5) for prompt in asked]
    assert max(rows for rows, _columns in widths) == 2, "of 25 tokens each"


def test_memory_is_reserved_for_the_rows_there_are_and_a_few_steps() -> None:
    with torch.inference_mode():
        batch = Batch(build(FAMILIES["llama"]()))
        batch.join([Question(0, [1, 2, 3], 500), Question(1, [4, 5], 500)])
        for _step in range(150):
            batch.step()
            assert batch._cache
            rows, _heads, columns, _size = batch._cache.layers[0].keys.shape
            assert (rows, columns - batch._cache.width < 64) == (2, True)
