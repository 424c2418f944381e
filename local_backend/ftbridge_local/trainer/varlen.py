"""Variable-length training without padding: rows are concatenated, and logits computed only where they are needed.

The rows become one long row whose positions start again with each. Attention is computed for one row after the other,
so that no row sees another and torch takes its fast path, which supports no mask. Logits are computed only for trained
tokens, in chunks and together with their gradient, so that memory does not grow with vocabulary times length.

Not every model can be computed this way: some carry a state from token to token, some transform their attention scores
or their logits. So each model is tried on two short rows first, and keeps its own forward where the results differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint
from transformers import AttentionInterface

_NAME = "row_by_row"
_LOGITS_PER_CHUNK = 2**24  # numbers: 64 MB in float32
_UNSUPPORTED = ("softcap", "s_aux", "position_bias")  # transformations of the scores that the fast path does not offer


class _UnsupportedError(Exception):
    """The model transforms its scores in a way that the fast path does not offer: it keeps its own forward."""


def enable(model: Any) -> bool:
    """Let the model compute concatenated rows from now on, if it gives the same results; it then does nothing else.

    A model that cannot, or that gives other results, is left unchanged.
    """
    before = model.config._attn_implementation  # noqa: SLF001 - transformers keeps it nowhere else
    rows = torch.randint(64, (2, 12), generator=torch.Generator().manual_seed(0)).to(model.device)
    labels = rows.flatten().roll(-1)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        own = cross_entropy(
            model(input_ids=rows, use_cache=False).logits.flatten(0, 1).float(), labels, reduction="none"
        )
        try:
            model.set_attn_implementation(_NAME)
            losses, _correct = token_losses(model, rows.tolist(), torch.arange(24, device=model.device), labels)
            same = torch.allclose(losses, own, rtol=0, atol=1e-4 if model.dtype == torch.float32 else 0.1)
        except (_UnsupportedError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError):
            same = False
    model.train(was_training)
    if not same:
        model.set_attn_implementation(before)
    return same


@contextmanager
def enabled(model: Any) -> Iterator[None]:
    """Within it the model computes concatenated rows if it can; afterwards it is as it was."""
    before = model.config._attn_implementation  # noqa: SLF001 - as above
    enable(model)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def is_enabled(model: Any) -> bool:
    """Whether the model computes concatenated rows."""
    return bool(model.config._attn_implementation == _NAME)  # noqa: SLF001 - as above


def token_losses(model: Any, rows: Sequence[list[int]], positions: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """How well each of `labels` is predicted after the token at its position in the concatenated rows.

    Returns the losses in nats, and whether the most probable token was the correct one; both of the shape of `labels`.
    """
    states, head = head_inputs(model, rows, positions)
    size = chunk_size(head)
    chunks = [
        _head_losses(some, head, wanted)
        for some, wanted in zip(torch.split(states, size), torch.split(labels, size), strict=True)
    ]
    losses, correct = zip(*chunks, strict=True)
    return torch.cat(losses), torch.cat(correct)


def head_inputs(model: Any, rows: Sequence[list[int]], positions: Tensor) -> tuple[Tensor, torch.nn.Linear]:
    """The hidden states at these positions in the concatenated rows, and the layer that makes logits of them."""
    lengths = [len(row) for row in rows]
    in_row = torch.cat([torch.arange(length, device=model.device) for length in lengths])
    ids = torch.tensor([token for row in rows for token in row], device=model.device)
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    states = inner.get_decoder()(
        input_ids=ids[None], position_ids=in_row[None], use_cache=False, row_lengths=lengths
    ).last_hidden_state[0, positions]
    return states, inner.get_output_embeddings()


def chunk_size(head: torch.nn.Linear) -> int:
    """For how many tokens logits are computed at once."""
    return max(64, _LOGITS_PER_CHUNK // head.weight.shape[0])


def _row_by_row(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: None,
    *,
    row_lengths: list[int],
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it: (1, heads, tokens, width) in, (1, tokens, heads, width) out."""
    if any(options.get(name) is not None for name in _UNSUPPORTED) or not getattr(module, "is_causal", True):
        raise _UnsupportedError
    outputs = []
    for queries, keys, values in zip(
        *(torch.split(part, row_lengths, dim=2) for part in (query, key, value)), strict=True
    ):
        mask = _window_mask(queries.shape[2], sliding_window, queries.device)
        outputs.append(
            scaled_dot_product_attention(
                queries,
                keys,
                values,
                attn_mask=mask,
                is_causal=mask is None,
                scale=scaling,
                dropout_p=dropout,
                enable_gqa=queries.shape[1] != keys.shape[1],
            )
        )
    return torch.cat(outputs, dim=2).transpose(1, 2), None


def _window_mask(length: int, window: int | None, device: torch.device) -> Tensor | None:
    """Which tokens each token of a row attends to, where the row is longer than the sliding window; else None."""
    if window is None or length <= window:
        return None
    indices = torch.arange(length, device=device)
    distance = indices[:, None] - indices
    return (distance >= 0) & (distance < window)


def _head_losses(states: Tensor, head: torch.nn.Linear, labels: Tensor) -> tuple[Tensor, Tensor]:
    result: tuple[Tensor, Tensor]
    if torch.is_grad_enabled() and head.weight.requires_grad:
        result = checkpoint(_plain_head_losses, states, head, labels, use_reentrant=False)
    else:
        result = _FrozenHead.apply(states, head.weight, head.bias, labels)  # type: ignore[no-untyped-call]  # torch has no type for it
    return result


def _plain_head_losses(states: Tensor, head: torch.nn.Linear, labels: Tensor) -> tuple[Tensor, Tensor]:
    logits = head(states).float()
    return cross_entropy(logits, labels, reduction="none"), logits.argmax(-1) == labels


class _FrozenHead(torch.autograd.Function):
    """Logits and cross-entropy in one: the gradient is computed while the logits exist, and they are freed."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = linear(states, weight, bias).float()
        correct = logits.argmax(-1) == labels
        total = logits.logsumexp(-1, keepdim=True)
        losses = total - logits.gather(1, labels[:, None])
        if ctx.needs_input_grad[0]:
            gradient = logits.sub_(total).exp_()  # the probabilities, in the memory of the logits
            gradient.scatter_add_(1, labels[:, None], torch.full_like(losses, -1.0))
            ctx.save_for_backward(gradient.to(weight.dtype) @ weight)
        ctx.mark_non_differentiable(correct)
        return losses[:, 0], correct

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (per_token,) = ctx.saved_tensors
        return grads[0][:, None].to(per_token.dtype) * per_token, None, None, None


AttentionInterface.register(_NAME, _row_by_row)
