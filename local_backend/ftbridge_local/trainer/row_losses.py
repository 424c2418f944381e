"""Which rows are learned, and when: from the losses that training computes anyway, so that it costs nothing.

Of each row eight bytes are kept: its loss when it was last trained, and the epoch since which it has been learned. A
row is learned when each of its trained tokens is the most probable one, or the preferred output is ranked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ftbridge.model import Method

_MOST, _MOST_LISTED = 5, 100  # rows that are named to people, and to programs
_LEARNED = {
    Method.SFT: "each trained token is the most probable one",
    Method.DISTILL: "each trained token is the most probable one",
    Method.DPO: "the preferred output is ranked first",
}


def unseen(count: int) -> Tensor:
    """Nothing is known yet of so many rows: a loss of NaN, and epoch 0, for never."""
    return torch.tensor([[torch.nan, 0.0]]).repeat(count, 1)


def record(rows: Tensor, indices: Sequence[int], values: Sequence[float], *, epoch: int) -> None:
    """Take in a step: the indices of its rows, and the mean loss and the share of what is correct of each in turn."""
    step, at = torch.tensor(values).reshape(-1, 2), torch.tensor(indices)
    since = rows[at, 1]
    since = torch.where(since > 0, since, float(epoch))
    rows[at] = torch.stack([step[:, 0], torch.where(step[:, 1] == 1, since, 0.0)], dim=1)


def facts(rows: Tensor, lines: Sequence[int]) -> dict[str, Any]:
    """The same for programs, as `Event.rows` has it."""
    losses, since = rows[:, 0].tolist(), rows[:, 1].tolist()
    never = [index for index, loss in enumerate(losses) if loss == loss and not since[index]]
    listed = sorted(never, key=lambda index: -losses[index])[:_MOST_LISTED]
    return {
        "learned": sum(map(bool, since)),
        "not_learned": [{"number": lines[index], "loss": round(losses[index], 6)} for index in listed],
    }


def describe(rows: Tensor, lines: Sequence[int], method: Method) -> str:
    """How many rows are learned; which of them last, and which not, those with the highest losses first."""
    losses, since = rows[:, 0].tolist(), rows[:, 1].tolist()
    seen = [index for index, loss in enumerate(losses) if loss == loss]
    by_loss = sorted(seen, key=lambda index: -losses[index])
    never = [index for index in by_loss if not since[index]]
    newest = max(since, default=0)
    last = [index for index in by_loss if since[index] == newest > 1]

    def named(indices: Sequence[int]) -> str:
        first = ", ".join(f"line {lines[index]} (loss {losses[index]:.3f})" for index in indices[:_MOST])
        more = len(indices) - _MOST
        return first + (f" and {more:,} more" if more > 0 else "")

    learned = f"{len(seen) - len(never):,} of {len(rows):,} rows are learned: {_LEARNED[method]}"
    parts = [
        f"last, in epoch {newest:.0f}: {named(last)}" if last else "",
        f"not learned: {named(never)}" if never else "",
    ]
    unreached = f"{len(rows) - len(seen):,} were not reached" if len(seen) < len(rows) else ""
    return "; ".join(part for part in (learned, *parts, unreached) if part)
