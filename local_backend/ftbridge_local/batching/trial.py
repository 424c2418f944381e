"""Whether a model computes in a batch what it computes alone: it is tried, as its configuration does not say so.

Some models carry a state from token to token, which has no columns, and some count positions in a way of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ftbridge_local.batching.batch import Batch, Question, Row
from ftbridge_local.models.load import Model

_PREFIX = (5, 9, 2)
_PROMPTS = ((*_PREFIX, 7, 1, 8, 3, 6, 4, 11), (*_PREFIX, 10, 4), (*_PREFIX, 12, 6, 1, 3, 8, 7, 10, 4, 2))
_UNSUPPORTED = (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError, ValueError)


@torch.inference_mode()
def token_bytes(model: Model) -> int | None:
    """The size of the keys and values of one token; `None` for a model that is to be asked in its own way."""
    first, second, late = (Question(index, prompt, 4) for index, prompt in enumerate(_PROMPTS))
    try:
        batch = Batch(model, _PREFIX)
        batch.join([first, second])
        batch.step()
        batch.join([late])
        logits = batch.step()
    except _UNSUPPORTED:
        return None
    same = all(_as_alone(model, row, together) for row, together in zip(batch.rows, logits, strict=True))
    return batch.token_bytes if same else None


def _as_alone(model: Model, row: Row, together: Tensor) -> bool:
    """Whether the row's last token is as probable as the model itself finds it, with all tokens before it at once."""
    ids = torch.tensor([[*row.question.prompt, *row.answer[:-1]]], device=model.device)
    alone = model(input_ids=ids, use_cache=False).logits[0, -1].float()
    most_apart = 1e-3 if model.dtype == torch.float32 else 0.1
    return torch.allclose(together.log_softmax(-1), alone.log_softmax(-1), rtol=0, atol=most_apart)
