"""The optimizer that trains `tiny` takes the steps that torch's own takes, but for its rounding to bfloat16."""

from __future__ import annotations

import pytest
import torch

from ftbridge_local.models.tiny.muon import Muon, orthogonalized


@pytest.mark.parametrize("shape", [(24, 24), (16, 40), (40, 16)])
def test_it_moves_matrices_as_torch_does(shape: tuple[int, int]) -> None:
    random = torch.Generator().manual_seed(1)
    ours = torch.nn.Parameter(torch.zeros(shape))
    theirs = torch.nn.Parameter(torch.zeros(shape))
    optimizers = (
        Muon([ours], lr=0.1),
        torch.optim.Muon([theirs], lr=0.1, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
    )
    for _ in range(10):
        gradient = torch.randn(shape, generator=random)
        for matrix, optimizer in zip((ours, theirs), optimizers, strict=True):
            matrix.grad = gradient.clone()
            optimizer.step()
    moved = theirs.detach().norm()
    assert moved > 1
    assert (ours - theirs).detach().norm() < 0.02 * moved


def test_matrices_of_one_shape_do_not_touch_each_other() -> None:
    random = torch.Generator().manual_seed(1)
    matrices = torch.randn(3, 16, 40, generator=random)
    together = orthogonalized(matrices)
    for one, computed in zip(matrices, together, strict=True):
        torch.testing.assert_close(orthogonalized(one[None])[0], computed, rtol=1e-4, atol=1e-5)


def test_all_singular_values_come_near_one() -> None:
    random = torch.Generator().manual_seed(1)
    values = torch.linalg.svdvals(orthogonalized(torch.randn(1, 16, 40, generator=random)))
    assert float(values.min()) > 0.6
    assert float(values.max()) < 1.3
