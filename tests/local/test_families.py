"""Which tokens are trained by the templates of ten families, to the token: plain chats, several turns, tools."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ftbridge.dataset.canonical.example import Chat
from ftbridge_local.tokenizing import encoding
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.families import FAMILIES, chat

Make = Callable[..., Tokenizer]

LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}}
CALL = {"id": "call12345", "type": "function", "function": {"name": "look", "arguments": '{"at": "the sky"}'}}
SYSTEM, HI = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}
HELLO, BYE = {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": "Bye."}
SEE_YOU = {"role": "assistant", "content": "See you."}
LOOKING = {"role": "assistant", "tool_calls": [CALL]}
SEEN = {"role": "tool", "content": "blue", "tool_call_id": "call12345"}
BLUE = {"role": "assistant", "content": "It is blue."}

GAP = {"mistral-v3": " "}
CALLS = {
    "qwen3": '<tool_call>\n{"name": "look", "arguments": {"at": "the sky"}}\n</tool_call>',
    "qwen2.5": '<tool_call>\n{"name": "look", "arguments": {"at": "the sky"}}\n</tool_call>',
    "llama3": '{"name": "look", "parameters": {"at": "the sky"}}',
    "mistral-v3": '[TOOL_CALLS] [{"name": "look", "arguments": {"at": "the sky"}}]',
    "mistral-tekken": '[TOOL_CALLS][{"name": "look", "arguments": {"at": "the sky"}}]',
    "deepseek": '<｜tool▁call▁begin｜>look<｜tool▁sep｜>{"at": "the sky"}<｜tool▁call▁end｜>',
}
PASSES_TOOLS_OVER = ("deepseek",)
"""Families whose templates write calls, and do not write which tools there are."""
REWRITING = {
    "qwen3": "a thinking template keeps its marks in the last answer only",
    "mistral-v3": "the system message goes before the last question",
    "mistral-tekken": "the system message goes before the last question",
}
"""Of several turns after a system message, these write the first unlike the model that answers it would."""


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tokenizer(family: str, tokenizer_with: Make) -> Tokenizer:
    return FAMILIES[family].tokenizer(tokenizer_with)


def trained(example: Chat, tokenizer: Tokenizer) -> list[str]:
    """The stretches of trained tokens, as text with special tokens."""
    row = encoding.encode(example, tokenizer)
    stretches: list[list[int]] = []
    for place, (token, wanted) in enumerate(zip(row.ids, row.trained, strict=True)):
        if wanted and not row.trained[place - 1]:
            stretches.append([])
        if wanted:
            stretches[-1].append(token)
    return [tokenizer._backend.decode(stretch, skip_special_tokens=False) for stretch in stretches]


def answers(family: str, *texts: str) -> list[str]:
    """What is to be trained of each answer."""
    return [GAP.get(family, "") + text + FAMILIES[family].end for text in texts]


def test_a_question_and_its_answer(family: str, tokenizer: Tokenizer) -> None:
    thought = "<think>\n\n</think>\n\n" if family == "qwen3" else ""
    assert trained(chat(HI, HELLO), tokenizer) == answers(family, thought + "Hello!")


def test_several_turns(family: str, tokenizer: Tokenizer) -> None:
    example = chat(HI, HELLO, BYE, SEE_YOU)
    if family == "qwen3":
        assert trained(example, tokenizer) == answers(family, "<think>\n\n</think>\n\nSee you.")
        assert encoding.encode(example, tokenizer).notes == ("only_last_answer_trained",)
    else:
        assert trained(example, tokenizer) == answers(family, "Hello!", "See you.")
        assert encoding.encode(example, tokenizer).notes == ()


def test_several_turns_after_a_system_message(family: str, tokenizer: Tokenizer) -> None:
    thought = "<think>\n\n</think>\n\n" if family == "qwen3" else ""
    example = chat(SYSTEM, HI, HELLO, BYE, SEE_YOU)
    if family in REWRITING:
        assert trained(example, tokenizer) == answers(family, thought + "See you.")
        assert encoding.encode(example, tokenizer).notes == ("only_last_answer_trained",)
    else:
        assert trained(example, tokenizer) == answers(family, "Hello!", "See you.")


def test_of_several_turns_the_last_can_always_be_trained(family: str, tokenizer: Tokenizer) -> None:
    thought = "<think>\n\n</think>\n\n" if family == "qwen3" else ""
    example = chat(SYSTEM, HI, {**HELLO, "weight": 0}, BYE, SEE_YOU)
    assert trained(example, tokenizer) == answers(family, thought + "See you.")
    assert encoding.encode(example, tokenizer).notes == ()


def test_a_second_chat_of_the_same_roles_is_read_as_the_first(family: str, tokenizer: Tokenizer) -> None:
    """The second one's places are known by the layout of the first."""
    thought = "<think>\n\n</think>\n\n" if family == "qwen3" else ""
    encoding.encode(chat(SYSTEM, HI, HELLO), tokenizer)
    assert tokenizer.layouts
    other = chat({**SYSTEM, "content": "Be long."}, BYE, {**HELLO, "content": "Good-bye, \n\nand good luck."})
    row = encoding.encode(other, tokenizer)
    assert trained(other, tokenizer) == answers(family, thought + "Good-bye, \n\nand good luck.")
    tokenizer.layouts.clear()
    assert encoding.encode(other, tokenizer) == row


def test_a_call_of_a_tool_and_the_answer_after_it(family: str, tokenizer: Tokenizer) -> None:
    example = chat(HI, LOOKING, SEEN, BLUE, tools=[LOOK])
    if family in PASSES_TOOLS_OVER:
        example = chat(HI, LOOKING, SEEN, BLUE)
    if family in CALLS:
        gap = GAP.get(family, "")
        end = FAMILIES[family].end
        thought = "<think>\n\n</think>\n\n" if family == "qwen3" else ""
        assert trained(example, tokenizer) == [CALLS[family] + end, gap + thought + "It is blue." + end]
    else:
        with pytest.raises(UntrainableError) as problem:
            trained(example, tokenizer)
        assert problem.value.code in ("template_refuses", "template_leaves_out")
        assert problem.value.fix


@pytest.mark.parametrize("family", PASSES_TOOLS_OVER)
def test_tools_that_a_template_passes_over_are_refused(family: str, tokenizer: Tokenizer) -> None:
    with pytest.raises(UntrainableError, match="does not support tools") as problem:
        trained(chat(HI, LOOKING, SEEN, BLUE, tools=[LOOK]), tokenizer)
    assert problem.value.path == "$.tools[0]"


def test_a_call_that_ends_the_chat(family: str, tokenizer: Tokenizer) -> None:
    if family not in CALLS:
        pytest.skip("this family's template has no calls")
    thought = "<think>\n\n</think>\n\n" if family == "qwen3" else ""
    example = chat(HI, LOOKING) if family in PASSES_TOOLS_OVER else chat(HI, LOOKING, tools=[LOOK])
    assert trained(example, tokenizer) == [thought + CALLS[family] + FAMILIES[family].end]
