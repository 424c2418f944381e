"""The fast way through a model: rows laid end to end, without padding, masks or logits that nobody looks at.

The rows become one long row whose positions start anew with each. Attention is done for one row after the other, so
that none sees another and torch takes its fast path, which knows no mask. Logits are made only where a token is
trained, some at a time and their gradient with them, so that memory does not grow with vocabulary times length.

Not every model can go this way: some keep a state from token to token, some bend their scores or their logits. So each
is measured on two short rows first, and keeps to its own way where the results differ.
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
_LOGITS_AT_ONCE = 2**24  # numbers: 64 MB in float32
_BENT = ("softcap", "s_aux", "position_bias")  # what some models do to the scores, and the fast path cannot


class _BentError(Exception):
    """The model does something to its scores that the fast path does not know: it keeps to its own way."""


def adopt(model: Any) -> bool:
    """Let the model go the fast way from now on, if it gives the same there; it can then do nothing else.

    A model that has no such way, or another result in it, is left as it was.
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
            losses, _right = token_losses(model, rows.tolist(), torch.arange(24, device=model.device), labels)
            same = torch.allclose(losses, own, rtol=0, atol=1e-4 if model.dtype == torch.float32 else 0.1)
        except (_BentError, AttributeError, KeyError, NotImplementedError, TypeError, ValueError):
            same = False
    model.train(was_training)
    if not same:
        model.set_attn_implementation(before)
    return same


@contextmanager
def adopted(model: Any) -> Iterator[None]:
    """Within, the model goes the fast way if it can; afterwards it is as it was."""
    before = model.config._attn_implementation  # noqa: SLF001 - as above
    adopt(model)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def is_adopted(model: Any) -> bool:
    """Whether the model goes the fast way."""
    return bool(model.config._attn_implementation == _NAME)  # noqa: SLF001 - as above


def token_losses(model: Any, rows: Sequence[list[int]], at: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """How well each of `labels` is predicted after the token at its place `at` in the rows laid end to end.

    Returns the losses in nats, and whether the most probable token was the right one; both of the shape of `labels`.
    """
    lengths = [len(row) for row in rows]
    positions = torch.cat([torch.arange(length, device=model.device) for length in lengths])
    ids = torch.tensor([token for row in rows for token in row], device=model.device)
    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    states = whole.get_decoder()(
        input_ids=ids[None], position_ids=positions[None], use_cache=False, row_lengths=lengths
    ).last_hidden_state[0, at]
    head = whole.get_output_embeddings()
    size = max(64, _LOGITS_AT_ONCE // head.weight.shape[0])
    parts = [
        _compare(some, head, wanted)
        for some, wanted in zip(torch.split(states, size), torch.split(labels, size), strict=True)
    ]
    losses, right = zip(*parts, strict=True)
    return torch.cat(losses), torch.cat(right)


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
    **known: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers asks for it: (1, heads, tokens, width) in, (1, tokens, heads, width) out."""
    if any(known.get(name) is not None for name in _BENT) or not getattr(module, "is_causal", True):
        raise _BentError
    made = []
    for some, others, values in zip(
        *(torch.split(part, row_lengths, dim=2) for part in (query, key, value)), strict=True
    ):
        mask = _window(some.shape[2], sliding_window, some.device)
        made.append(
            scaled_dot_product_attention(
                some,
                others,
                values,
                attn_mask=mask,
                is_causal=mask is None,
                scale=scaling,
                dropout_p=dropout,
                enable_gqa=some.shape[1] != others.shape[1],
            )
        )
    return torch.cat(made, dim=2).transpose(1, 2), None


def _window(length: int, window: int | None, device: torch.device) -> Tensor | None:
    """What a row sees that is longer than the window, within which every token looks back; None is: all before."""
    if window is None or length <= window:
        return None
    places = torch.arange(length, device=device)
    distance = places[:, None] - places
    return (distance >= 0) & (distance < window)


def _compare(states: Tensor, head: torch.nn.Linear, labels: Tensor) -> tuple[Tensor, Tensor]:
    made: tuple[Tensor, Tensor]
    if torch.is_grad_enabled() and head.weight.requires_grad:
        made = checkpoint(_plainly, states, head, labels, use_reentrant=False)
    else:
        made = _FrozenHead.apply(states, head.weight, head.bias, labels)  # type: ignore[no-untyped-call]  # torch does not say
    return made


def _plainly(states: Tensor, head: torch.nn.Linear, labels: Tensor) -> tuple[Tensor, Tensor]:
    logits = head(states).float()
    return cross_entropy(logits, labels, reduction="none"), logits.argmax(-1) == labels


class _FrozenHead(torch.autograd.Function):
    """Logits and cross-entropy in one: the gradient is made while the logits are there, and they are let go."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = linear(states, weight, bias).float()
        right = logits.argmax(-1) == labels
        total = logits.logsumexp(-1, keepdim=True)
        losses = total - logits.gather(1, labels[:, None])
        if ctx.needs_input_grad[0]:
            surplus = logits.sub_(total).exp_()  # the probabilities, in the place of the logits
            surplus.scatter_add_(1, labels[:, None], torch.full_like(losses, -1.0))
            ctx.save_for_backward(surplus.to(weight.dtype) @ weight)
        ctx.mark_non_differentiable(right)
        return losses[:, 0], right

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (at_one,) = ctx.saved_tensors
        return grads[0][:, None].to(at_one.dtype) * at_one, None, None, None


AttentionInterface.register(_NAME, _row_by_row)
