"""Muon in float32: torch.optim.Muon multiplies in bfloat16, which processors without its instructions only emulate.

There the emulation takes 4.5 times as long as float32 (torch 2.13.0, two cores with AVX2, 2026-11-30).
Source: K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024, and torch.optim.Muon of torch
2.13.0, whose momentum, coefficients and scale of the rate ("match_rms_adamw") are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

MOMENTUM = 0.95
COEFFICIENTS, ITERATIONS, TINIEST_NORM = (3.4445, -4.7750, 2.0315), 5, 1e-7


class Muon(torch.optim.Optimizer):
    """Each step is the orthogonal matrix nearest to the momentum, in the size that Adam's steps have."""

    def __init__(self, matrices: Iterable[torch.nn.Parameter], lr: float) -> None:
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no use for a closure here
        """Move every matrix; those of one shape are computed together."""
        for group in self.param_groups:
            of_shape: dict[torch.Size, list[torch.nn.Parameter]] = {}
            for matrix in group["params"]:
                of_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in of_shape.items():
                updates = orthogonalized(torch.stack([self._momentum(matrix) for matrix in matrices]))
                rate = group["lr"] * 0.2 * max(shape) ** 0.5
                for matrix, update in zip(matrices, updates, strict=True):
                    matrix.add_(update, alpha=-rate)

    def _momentum(self, matrix: torch.nn.Parameter) -> torch.Tensor:
        """Nesterov's: the running mean of the gradients, seen one step ahead."""
        assert matrix.grad is not None
        state = self.state[matrix]
        mean = state.setdefault("mean", torch.zeros_like(matrix))
        mean.lerp_(matrix.grad, 1 - MOMENTUM)
        return matrix.grad.lerp(mean, MOMENTUM)


def orthogonalized(matrices: torch.Tensor) -> torch.Tensor:
    """Matrices [n, rows, columns] with all their singular values near 1, by five Newton-Schulz iterations."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices  # the products of rows are then the smaller ones
    norms: torch.Tensor = torch.linalg.matrix_norm(x, keepdim=True)
    x = x / norms.clamp(min=TINIEST_NORM)
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        products = x @ x.mT
        x = a * x + (b * products + c * products @ products) @ x
    return x.mT if tall else x
