"""What the training loop needs where several processes train one model together, each on its own share of a batch.

All of them hold the same weights. They add up their gradients, and so take the same step each; sums of losses are added
up likewise. A process alone has nothing to add, and never loads what the others talk through.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

    from ftbridge_local.job_folder import Request


class _Sized(Protocol):
    @property
    def tokens(self) -> int: ...


_Item = TypeVar("_Item", bound=_Sized)


@dataclass(frozen=True)
class Ranks:
    """This process's number, from 0, and how many there are."""

    number: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that writes."""
        return self.number == 0

    @property
    def seed(self) -> int:
        """What is added to a seed, so that no two processes drop out the same."""
        return self.number << 20

    def share(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """This process's part of the items; all parts have about as many tokens."""
        if self.count == 1:
            return items
        return sorted(items, key=lambda item: item.tokens)[self.number :: self.count]

    def sum(self, *shares: float) -> list[float]:
        """Each of the numbers, added up over all processes."""
        if self.count == 1:
            return list(shares)
        import torch

        from ftbridge_local.trainer.model import device

        made: list[float] = self._add(torch.tensor(shares, dtype=torch.float64, device=device())).tolist()
        return made

    def sum_gradients(self, parameters: Sequence[Parameter]) -> None:
        """Let each parameter have the sum of the gradients that it has in all processes."""
        if self.count == 1:
            return
        import torch

        grads = [torch.zeros_like(part) if part.grad is None else part.grad for part in parameters]
        whole = self._add(torch.cat([grad.flatten() for grad in grads]))
        for parameter, grad in zip(parameters, torch.split(whole, [grad.numel() for grad in grads]), strict=True):
            parameter.grad = grad.view_as(parameter).to(parameter.dtype)

    def agree(self, asked: Request | None) -> Request | None:
        """What the first process is asked for: all stop after the same step, or none."""
        if self.count == 1:
            return asked
        words: list[Any] = [None, "pause", "cancel"]
        [number] = self.sum(words.index(asked) if self.first else 0)
        said: Request | None = words[int(number)]
        return said

    @staticmethod
    def _add(shares: Tensor) -> Tensor:
        from torch.distributed import all_reduce

        try:
            all_reduce(shares)
        except RuntimeError as lost:
            # another process is gone: this one ends too, which is no failure of the job, and all begin anew
            raise SystemExit(f"another process could not be reached: {lost}") from lost
        return shares


ALONE = Ranks()


def cores() -> int:
    """How many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_this_machine() -> int:
    """How many processes share its cores and memory, by the word that torch's launcher leaves for each of them."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
