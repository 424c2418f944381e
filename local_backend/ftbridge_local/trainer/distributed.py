"""What the training loop needs where several processes train one model together, each on its shard of every batch.

All of them hold the same weights. They sum their gradients, and so take the same step; losses are summed likewise. A
single process has nothing to sum, and never loads what the others communicate through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from ftbridge.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Parameter

    from ftbridge_local.job_folder import Request


class _Sized(Protocol):
    @property
    def tokens(self) -> int: ...


_Item = TypeVar("_Item", bound=_Sized)
_REQUESTS: tuple[Request | None, ...] = (None, "pause", "cancel")


@dataclass(frozen=True)
class Distributed:
    """This process's `rank`, from 0, and the number of processes, the `world_size`."""

    rank: int = 0
    world_size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    @property
    def seed(self) -> int:
        """What is added to a seed, so that no two processes use the same dropout."""
        return self.rank << 20

    def shard(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """This process's part of the items; all parts have about as many tokens."""
        if self.world_size == 1:
            return items
        return sorted(items, key=lambda item: item.tokens)[self.rank :: self.world_size]

    def sum(self, *values: float) -> list[float]:
        """Each of the numbers, summed over all processes."""
        if self.world_size == 1:
            return list(values)
        import torch

        from ftbridge_local.models.device import device

        totals: list[float] = _all_reduce(torch.tensor(values, dtype=torch.float64, device=device())).tolist()
        return totals

    def sum_gradients(self, parameters: Sequence[Parameter]) -> None:
        """Replace each parameter's gradient by the sum of its gradients in all processes."""
        if self.world_size == 1:
            return
        import torch

        grads = [torch.zeros_like(part) if part.grad is None else part.grad for part in parameters]
        total = _all_reduce(torch.cat([grad.flatten() for grad in grads]))
        for parameter, grad in zip(parameters, torch.split(total, [grad.numel() for grad in grads]), strict=True):
            parameter.grad = grad.view_as(parameter).to(parameter.dtype)

    def broadcast(self, request: Request | None) -> Request | None:
        """The request that the first process has read: all stop after the same step, or none."""
        if self.world_size == 1:
            return request
        [number] = self.sum(_REQUESTS.index(request) if self.first else 0)
        return _REQUESTS[int(number)]


SINGLE = Distributed()


def check_devices(wanted: int) -> None:
    """Raises `SpecError` where this machine does not have so many."""
    from ftbridge_local.models.device import devices

    available, kind = devices()
    if wanted > available:
        raise SpecError(
            f"devices = {wanted} is more than this machine has: {available} {kind}",
            hint=f"Use --devices {available}, or leave it out.",
        )


def _all_reduce(values: Tensor) -> Tensor:
    from torch.distributed import all_reduce

    try:
        all_reduce(values)
    except RuntimeError as lost:
        # another process is gone: this one ends too, which does not fail the job, and the launcher restarts all
        raise SystemExit(f"another process could not be reached: {lost}") from lost
    return values
