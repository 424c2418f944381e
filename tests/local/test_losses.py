"""The loss of rows: the same however they go through the model, and what the formulas say."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor

from ftbridge_local.tokenizing.encoding import Pair, Row
from ftbridge_local.trainer import losses, trainable, varlen

SHAPE: dict[str, Any] = {
    "vocab_size": 120,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
}
FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**SHAPE),
    "qwen2": lambda: transformers.Qwen2Config(**SHAPE),
    "qwen3": lambda: transformers.Qwen3Config(**SHAPE, head_dim=8),
    "mistral": lambda: transformers.MistralConfig(**SHAPE, sliding_window=6),
    "phi3": lambda: transformers.Phi3Config(**SHAPE),
    "gemma": lambda: transformers.GemmaConfig(**SHAPE, head_dim=8),
    "gemma3": lambda: transformers.Gemma3TextConfig(**SHAPE, head_dim=8, sliding_window=6),
    "smollm3": lambda: transformers.SmolLM3Config(**SHAPE),
    "gpt2": lambda: transformers.GPT2Config(vocab_size=120, n_embd=32, n_layer=2, n_head=4, n_positions=64),
}
OWN_WAY: dict[str, Callable[[], Any]] = {
    "a state from token to token": lambda: transformers.MambaConfig(
        vocab_size=120, hidden_size=32, num_hidden_layers=2, state_size=4
    ),
    "bent scores": lambda: transformers.Gemma2Config(**SHAPE, head_dim=8, attn_logit_softcapping=2.0),
    "bent logits": lambda: transformers.CohereConfig(**SHAPE, logit_scale=0.3),
}


def build(config: Any) -> Any:
    torch.manual_seed(0)
    maker: Any = transformers.AutoModelForCausalLM  # half of its functions have no types
    made = maker.from_config(config, attn_implementation="eager").eval()
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return made


def some_rows(count: int = 3) -> list[Row]:
    chance = torch.Generator().manual_seed(1)
    lengths = [5, 21, 12, 9, 30, 7, 16, 11][:count]
    return [
        Row(
            torch.randint(1, 120, (length,), generator=chance).tolist(),
            [place > length // 3 for place in range(length)],
        )
        for length in lengths
    ]


def by_hand(made: Any, rows: list[Row]) -> Tensor:
    """The loss of each trained token, each row alone, by the model's own forward."""
    parts = []
    for row in rows:
        logits = made(input_ids=torch.tensor([row.ids]), use_cache=False).logits[0, :-1]
        every = torch.nn.functional.cross_entropy(logits, torch.tensor(row.ids[1:]), reduction="none")
        parts.append(every[torch.tensor(row.trained[1:])])
    return torch.cat(parts)


@pytest.mark.parametrize("family", FAMILIES)
def test_rows_laid_end_to_end_give_the_loss_that_each_has_alone(family: str) -> None:
    made, rows = build(FAMILIES[family]()), some_rows()
    with torch.no_grad():
        wanted = by_hand(made, rows)
        assert varlen.enable(made)
        found = losses.supervised(made, rows)
    assert found.loss.item() == pytest.approx(wanted.sum().item(), rel=1e-5)
    assert rows[1].tokens > 6, "longer than the windows"


@pytest.mark.parametrize("why", OWN_WAY)
def test_a_model_that_gives_something_else_that_way_keeps_to_its_own(why: str) -> None:
    made, rows = build(OWN_WAY[why]()), some_rows()
    with torch.no_grad():
        wanted = by_hand(made, rows)
        assert not varlen.enable(made)
        found = losses.supervised(made, rows)
    assert not varlen.is_enabled(made)
    assert found.loss.item() == pytest.approx(wanted.sum().item(), rel=1e-4)


def test_no_row_sees_another() -> None:
    made, (first, second, third) = build(FAMILIES["llama"]()), some_rows()
    varlen.enable(made)
    changed = second._replace(ids=[token % 119 + 1 for token in second.ids])
    with torch.no_grad():
        before, after = (
            varlen.token_losses(
                made, [first.ids, middle.ids, third.ids], torch.arange(26, 37), torch.tensor(third.ids[1:])
            )[0]
            for middle in (second, changed)
        )
    assert torch.equal(before, after)


@pytest.mark.parametrize("trained_head", [False, True], ids=["frozen head", "trained head"])
def test_gradients_are_those_of_plain_cross_entropy_in_pieces_too(
    monkeypatch: pytest.MonkeyPatch, trained_head: bool
) -> None:
    monkeypatch.setattr(varlen, "_LOGITS_PER_CHUNK", 1)
    made, rows = build(FAMILIES["llama"]()), some_rows(8)
    made.lm_head.requires_grad_(trained_head)
    watched = [weight for weight in made.parameters() if weight.requires_grad]
    wanted = torch.autograd.grad((by_hand(made, rows) ** 2).sum(), watched)
    varlen.enable(made)
    assert sum(row.weight for row in rows) > 64, "more than one piece"
    at_hand, _correct = losses._token_losses(made, rows)
    found = torch.autograd.grad((at_hand**2).sum(), watched)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_what_is_computed_a_second_time_on_the_way_back_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    made, rows = build(FAMILIES["llama"]()), some_rows()
    varlen.enable(made)
    made.train()
    weight = made.model.layers[0].self_attn.q_proj.weight
    assert not trainable.checkpoint_activations(made, 64)
    [wanted] = torch.autograd.grad(losses.supervised(made, rows).loss, weight)
    monkeypatch.setattr(trainable, "free_memory", lambda _where: 1000)
    calls: list[int] = []
    monkeypatch.setattr(made.model.layers[0].mlp, "forward", counted(made.model.layers[0].mlp.forward, calls))
    assert trainable.checkpoint_activations(made, 64)
    [found] = torch.autograd.grad(losses.supervised(made, rows).loss, weight)
    assert len(calls) == 2
    torch.testing.assert_close(found, wanted)


def counted(function: Callable[..., Any], calls: list[int]) -> Callable[..., Any]:
    def called(*given: Any, **more: Any) -> Any:
        calls.append(1)
        return function(*given, **more)

    return called


def test_a_batch_in_parts_gives_the_gradient_of_the_whole() -> None:
    made, rows = build(FAMILIES["llama"]()), some_rows(8)
    varlen.enable(made)
    weight = made.model.embed_tokens.weight
    count = sum(row.weight for row in rows)
    [wanted] = torch.autograd.grad(losses.supervised(made, rows).loss / count, weight)
    parts = list(losses.microbatches(made, rows, max_tokens=25))
    assert len(parts) > 3
    assert all(sum(row.tokens for row in part) <= 25 or len(part) == 1 for part in parts)
    assert sorted(row for part in parts for row in part) == sorted(rows)
    shares = [torch.autograd.grad(losses.supervised(made, part).loss / count, weight)[0] for part in parts]
    torch.testing.assert_close(sum(shares), wanted)


def test_rows_that_are_padded_together_are_of_similar_length() -> None:
    made = build(FAMILIES["llama"]())
    parts = list(losses.microbatches(made, some_rows(8), max_tokens=1000))
    assert all(part[-1].tokens <= 1.25 * part[0].tokens for part in parts)


def test_preferences_follow_the_published_formula() -> None:
    made = build(FAMILIES["llama"]())
    varlen.enable(made)
    one, two, three, four = some_rows(4)
    pairs = [Pair(one, two, 3.0), Pair(three, four, -7.5)]
    found = losses.preference(made, pairs, beta=0.3)
    wanted, correct = 0.0, 0
    for pair in pairs:
        chosen, rejected = (-losses.supervised(made, [side]).loss.item() for side in pair.rows)
        surplus = 0.3 * ((chosen - rejected) - pair.reference)
        wanted += math.log(1 + math.exp(-surplus))
        correct += surplus > 0
    assert found.loss.item() == pytest.approx(wanted, abs=1e-5)
    assert found.correct.item() == correct
    assert found.each.sum(dim=0).tolist() == pytest.approx([wanted, correct], abs=1e-5)


@pytest.mark.parametrize("padded", [False, True], ids=["end to end", "padded"])
def test_the_losses_of_each_row_are_those_it_has_alone(padded: bool) -> None:
    made, rows = build(FAMILIES["llama"]()), some_rows(5)
    with torch.no_grad():
        wanted = [by_hand(made, [row]).mean().item() for row in rows]
        most_probable = [made(input_ids=torch.tensor([row.ids])).logits[0, :-1].argmax(-1).tolist() for row in rows]
        if not padded:
            assert varlen.enable(made)
        assert losses.supervised(made, rows).each[:, 0].tolist() == pytest.approx(wanted, rel=1e-4)
        assert losses.of_each(made, rows, max_tokens=25) == pytest.approx(wanted, rel=1e-4)
    right = [
        sum(token == best for token, best, of in zip(row.ids[1:], likely, row.trained[1:], strict=True) if of)
        for row, likely in zip(rows, most_probable, strict=True)
    ]
    shares = losses.supervised(made, rows).each[:, 1].tolist()
    assert shares == pytest.approx([count / row.weight for count, row in zip(right, rows, strict=True)])
