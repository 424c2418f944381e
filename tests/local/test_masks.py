"""Which tokens are trained: exactly those of the answers, by whatever template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ftbridge.dataset.canonical.example import Chat, Preference, Text
from ftbridge_local.tokenizing import encoding
from ftbridge_local.tokenizing.encoding import Row
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import rows

Make = Callable[[str], Tokenizer]

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
MARKED = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ message.content + '<|im_end|>' }}{% endif %}{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
# Only the last answer keeps what was thought before it.
REASONING = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.role == 'assistant' and loop.last %}{{ '<think></think>' }}{% endif %}"
    "{{ message.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
DEAF_TO_SYSTEM = (
    "{% for message in messages if message.role != 'system' %}{{ message.content + '<|im_end|>' }}{% endfor %}"
)
STRICT = "{% if messages[0].role != 'user' %}{{ raise_exception('roles must alternate') }}{% endif %}" + CHATML


def chat(*turns: tuple[str, str], **more: Any) -> Chat:
    messages = [{"role": role, "content": content} for role, content in turns]
    return msgspec.convert({"messages": messages, **more}, Chat)


def trained_text(row: Row, tokenizer: Tokenizer) -> str:
    """The trained tokens' text, with special tokens."""
    kept = [token for token, trained in zip(row.ids, row.trained, strict=True) if trained]
    return "".join(tokenizer._backend.decode([token], skip_special_tokens=False) for token in kept)


TURNS = (("user", "Hi."), ("assistant", "Hello!"), ("user", "Bye."), ("assistant", "See you."))
TWO_TURNS = chat(*TURNS)


def test_the_tiny_template_trains_each_answer_and_the_token_that_ends_it(tiny_tokenizer: Tokenizer) -> None:
    row = encoding.encode(TWO_TURNS, tiny_tokenizer)
    assert trained_text(row, tiny_tokenizer) == "Hello!<|end|>See you.<|end|>"


@pytest.mark.parametrize("template", [CHATML, MARKED], ids=["without generation marks", "with generation marks"])
def test_a_chatml_template_trains_each_answer_and_the_token_that_ends_it(tokenizer_with: Make, template: str) -> None:
    tokenizer = tokenizer_with(template)
    row = encoding.encode(TWO_TURNS, tokenizer)
    assert trained_text(row, tokenizer) == "Hello!<|im_end|>See you.<|im_end|>"


def test_a_prompt_is_what_comes_before_the_trained_tokens(tokenizer_with: Make) -> None:
    tokenizer = tokenizer_with(CHATML)
    question = chat(("user", "Hi."))
    row = encoding.encode(chat(("user", "Hi."), ("assistant", "Hello!")), tokenizer)
    assert encoding.prompt_ids(question, tokenizer) == row.ids[: row.trained.index(True)]


def test_an_answer_of_weight_0_is_read_and_not_trained(tiny_tokenizer: Tokenizer) -> None:
    row = {"messages": msgspec.to_builtins(TWO_TURNS)["messages"]}
    row["messages"][1]["weight"] = 0
    encoded = encoding.encode(msgspec.convert(row, Chat), tiny_tokenizer)
    assert trained_text(encoded, tiny_tokenizer) == "See you.<|end|>"
    assert encoded.ids == encoding.encode(TWO_TURNS, tiny_tokenizer).ids


def test_a_token_that_straddles_the_start_of_an_answer_is_cut_there(tokenizer_with: Make) -> None:
    tokenizer = tokenizer_with("{% for m in messages %}{{ m.content }}{% endfor %}")
    assert " other" in map(tokenizer.decode, ([token] for token in tokenizer.encode("The other side")[0]))
    row = encoding.encode(chat(("user", "The othe"), ("assistant", "r side")), tokenizer)
    assert trained_text(row, tokenizer) == "r side<|im_end|>"


def test_where_a_template_rewrites_earlier_turns_the_last_answer_is_trained(tokenizer_with: Make) -> None:
    tokenizer = tokenizer_with(REASONING)
    row = encoding.encode(TWO_TURNS, tokenizer)
    assert trained_text(row, tokenizer) == "<think></think>See you.<|im_end|>"
    assert row.notes == ("only_last_answer_trained",)


def test_an_answer_that_is_rewritten_and_not_the_last_is_refused_where_it_stands(tokenizer_with: Make) -> None:
    row = {"messages": msgspec.to_builtins(TWO_TURNS)["messages"]}
    row["messages"][3]["weight"] = 0
    with pytest.raises(UntrainableError, match="rewrites earlier turns") as problem:
        encoding.encode(msgspec.convert(row, Chat), tokenizer_with(REASONING))
    assert problem.value.path == "$.messages[1]"
    assert problem.value.fix == "End the example with this answer: leave out the messages after it."
    del row["messages"][2:]
    assert encoding.encode(msgspec.convert(row, Chat), tokenizer_with(REASONING)).trainable


def test_a_template_that_rewrites_earlier_turns_is_taken_where_only_the_last_is_trained(tokenizer_with: Make) -> None:
    tokenizer = tokenizer_with(REASONING)
    row = encoding.encode(chat(("user", "Hi."), ("assistant", "Hello!")), tokenizer)
    assert trained_text(row, tokenizer) == "<think></think>Hello!<|im_end|>"


@pytest.mark.parametrize(
    ("template", "example", "code", "path"),
    [
        (DEAF_TO_SYSTEM, chat(("system", "Be brief."), ("assistant", "Yes.")), "template_leaves_out", "$.messages[0]"),
        (
            STRICT,
            chat(("system", "Be brief."), ("user", "Hi."), ("assistant", "Yes.")),
            "template_refuses",
            "$.messages",
        ),
        (
            CHATML,
            chat(("user", "Hi."), ("assistant", "Yes."), tools=[{"type": "function", "function": {"name": "look"}}]),
            "template_leaves_out",
            "$.tools[0]",
        ),
    ],
    ids=["a role passed over", "an order of roles refused", "tools passed over"],
)
def test_what_a_template_cannot_show_is_an_error_not_a_loss(
    tokenizer_with: Make, template: str, example: Chat, code: str, path: str
) -> None:
    with pytest.raises(UntrainableError) as problem:
        encoding.encode(example, tokenizer_with(template))
    assert (problem.value.code, problem.value.path) == (code, path)
    assert problem.value.fix


def test_an_image_is_refused_where_it_stands(tiny_tokenizer: Tokenizer) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    row = {"messages": [{"role": "user", "content": [image]}, {"role": "assistant", "content": "A cat."}]}
    with pytest.raises(UntrainableError) as problem:
        encoding.encode(msgspec.convert(row, Chat), tiny_tokenizer)
    assert (problem.value.code, problem.value.path) == ("image_not_trained", "$.messages[0].content")


def test_text_parts_are_read_as_one_text(tiny_tokenizer: Tokenizer) -> None:
    parts = [{"type": "text", "text": "Good "}, {"type": "text", "text": "morning."}]
    row = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "Hello!"}]}
    encoded = encoding.encode(msgspec.convert(row, Chat), tiny_tokenizer)
    assert encoded == encoding.encode(chat(("user", "Good morning."), ("assistant", "Hello!")), tiny_tokenizer)


def test_calls_of_tools_are_trained_with_their_arguments_as_json(tiny_tokenizer: Tokenizer) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": "the sky"}'}}
    tool = {"type": "function", "function": {"name": "look", "description": "Looks."}}
    row = {
        "tools": [tool],
        "messages": [{"role": "user", "content": "Look up."}, {"role": "assistant", "tool_calls": [call]}],
    }
    text = trained_text(encoding.encode(msgspec.convert(row, Chat), tiny_tokenizer), tiny_tokenizer)
    assert '"arguments": {"at": "the sky"}' in text
    assert text.endswith("<|end|>")


def test_a_text_is_trained_as_a_whole_and_ends(tiny_tokenizer: Tokenizer) -> None:
    row = encoding.encode(Text(text="Once upon a time."), tiny_tokenizer)
    assert row.ids[-1] == tiny_tokenizer.eos_id
    assert row.trained == [False, *[True] * (len(row.ids) - 1)]


def test_of_a_preference_both_answers_are_trained_and_earlier_ones_are_not(tiny_tokenizer: Tokenizer) -> None:
    asked = {"messages": [*msgspec.to_builtins(TWO_TURNS)["messages"], {"role": "user", "content": "Wait!"}]}
    better, worse = ([{"role": "assistant", "content": said}] for said in ("Yes?", "No."))
    row = {"input": asked, "preferred_output": better, "non_preferred_output": worse}
    pair = encoding.tokenize(msgspec.convert(row, Preference), tiny_tokenizer)
    assert [trained_text(side, tiny_tokenizer) for side in pair.rows] == ["Yes?<|end|>", "No.<|end|>"]
    assert (
        pair.rows[0].ids == encoding.encode(chat(*TURNS, ("user", "Wait!"), ("assistant", "Yes?")), tiny_tokenizer).ids
    )


@pytest.mark.parametrize(
    ("question", "rejected", "path"),
    [
        ("<hide>", "Yes.", "$.input.messages[0]"),
        ("Hi.", "<hide>", "$.non_preferred_output[0]"),
    ],
)
def test_what_a_template_leaves_out_of_a_preference_is_told_by_its_place(
    tokenizer_with: Make, question: str, rejected: str, path: str
) -> None:
    tokenizer = tokenizer_with(CHATML.replace("message.content", "message.content | replace('<hide>', '')"))
    row = {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": "Sure."}],
        "non_preferred_output": [{"role": "assistant", "content": rejected}],
    }
    with pytest.raises(UntrainableError) as problem:
        encoding.tokenize(msgspec.convert(row, Preference), tokenizer)
    assert (problem.value.code, problem.value.path) == ("template_leaves_out", path)


def test_every_epoch_has_every_row_once_in_an_order_that_follows_from_the_seed() -> None:
    plan = list(rows.batches(130, 8, 2, seed=1))
    assert len(plan) == 2 * 17
    first, second = ([index for batch in part for index in batch] for part in (plan[:17], plan[17:]))
    assert sorted(first) == sorted(second) == list(range(130))
    assert first != second
    assert plan == list(rows.batches(130, 8, 2, seed=1))
    assert plan != list(rows.batches(130, 8, 2, seed=2))


def test_a_message_to_be_trained_that_is_no_answer_is_refused(tiny_tokenizer: Tokenizer) -> None:
    row: Any = {
        "messages": [{"role": "user", "content": "Hi.", "weight": 1}, {"role": "assistant", "content": "Hello!"}]
    }
    with pytest.raises(UntrainableError) as problem:
        encoding.encode(msgspec.convert(row, Chat), tiny_tokenizer)
    assert (problem.value.code, problem.value.path) == ("input_not_trained", "$.messages[0].weight")
    row["messages"][0]["weight"] = 0
    assert encoding.encode(msgspec.convert(row, Chat), tiny_tokenizer).trainable
