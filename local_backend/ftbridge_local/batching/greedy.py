"""The most probable answers to many prompts: long prompts first, rows that have ended make room for others."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch

from ftbridge_local.batching.batch import Batch, Question
from ftbridge_local.models.device import free_memory
from ftbridge_local.models.load import Model
from ftbridge_local.trainer.trainable import microbatch_tokens

_CPU_ROWS, _GPU_ROWS = 32, 128  # more of them are hardly faster
_FULL = 0.75  # the share of rows above which none join, so that prompts are computed several at a time
_LENGTH_RATIO = 1.25  # prompts that are padded together are at most so many times as long as the shortest
_LEAST_PREFIX = 16  # tokens; less is not worth an own computation
_LEAST_MEMORY = 2**28  # bytes


def answers(
    model: Model, prompts: Sequence[list[int]], limits: Sequence[int], ends: Sequence[int], token_bytes: int
) -> list[list[int]]:
    """The new tokens after each prompt, up to one of `ends`, which is included, or as many as its limit.

    `token_bytes` is the size of a token's keys and values: rows are fewer where they would take too much memory.
    """
    most = _CPU_ROWS if model.device.type == "cpu" else _GPU_ROWS
    budget = max(_LEAST_MEMORY, free_memory(model.device) // 4) // token_bytes
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]), reverse=True)
    waiting = deque(Question(index, prompts[index], limits[index]) for index in order)
    found: list[list[int]] = [[] for _ in prompts]
    with torch.inference_mode():
        batch = Batch(model, _shared_prefix(prompts))
        while waiting or batch.rows:
            if group := _next_group(waiting, batch, most, budget, microbatch_tokens(model)):
                batch.join(group)
            else:
                batch.step()
            for row in batch.leave(ends):
                found[row.question.number] = row.answer
    return found


def _shared_prefix(prompts: Sequence[list[int]]) -> Sequence[int]:
    """What all prompts begin with, such as a system prompt; each goes on after it."""
    first, last = min(prompts), max(prompts)  # in the order of their tokens, where all others are between these two
    most = min(map(len, prompts)) - 1
    length = next((index for index in range(most) if first[index] != last[index]), most)
    return first[:length] if len(prompts) > 1 and length >= _LEAST_PREFIX else ()


def _next_group(waiting: deque[Question], batch: Batch, most: int, budget: int, max_tokens: int) -> list[Question]:
    """The questions that join now, if any: of similar length, and of at most `max_tokens` tokens or alone."""
    group: list[Question] = []
    if len(batch.rows) > _FULL * most:
        return group
    widest = max(
        (len(some.prompt) + some.limit for some in (*waiting, *(row.question for row in batch.rows))), default=1
    )
    room = max(1, min(most, budget // widest)) - len(batch.rows)
    while waiting and len(group) < room:
        longest = len((group or waiting)[0].prompt)
        if group and (longest * (len(group) + 1) > max_tokens or longest > _LENGTH_RATIO * len(waiting[0].prompt)):
            break
        group.append(waiting.popleft())
    return group
