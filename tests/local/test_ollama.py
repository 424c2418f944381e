"""Ollama's template of a model is equal to the model's own: what Go makes of it is what apply_chat_template renders.

Go's text/template renders it where Go is installed, and an interpreter of ours, written from its documentation, always.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import transformers as _transformers

from ftbridge.errors import SpecError
from ftbridge_local.exporting.go_template import go_template
from ftbridge_local.exporting.modelfile import modelfile
from ftbridge_local.exporting.pattern import learn
from ftbridge_local.models.tiny import base as tiny
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from local.families import CHATML, FAMILIES
from local.go_templates import render

transformers: Any = _transformers  # half of its functions have no types

WITH_TOOLS = {"qwen2.5", "qwen3", "llama3", "mistral-v3", "mistral-tekken"}
DATED = "{{ '<|im_start|>system\\nToday is ' + strftime_now('%d %b %Y') + '.<|im_end|>\\n' }}" + CHATML
THINKING = """\
{%- set asked = namespace(last=-1) %}
{%- for m in messages %}{% if m.role == 'user' %}{% set asked.last = loop.index0 %}{% endif %}{% endfor %}
{%- for tool in tools or [] %}{{ '<tool>' + tool.function | tojson + '</tool>\\n' }}{% endfor %}
{%- for m in messages %}
    {{- '<|im_start|>' + m.role + '\\n' }}
    {%- if m.reasoning_content and loop.index0 > asked.last %}
        {{- '<think>\\n' + m.reasoning_content + '\\n</think>\\n\\n' }}
    {%- endif %}
    {{- m.content }}
    {%- for call in m.tool_calls or [] %}
        {{- '<call>{"name": "' + call.function.name + '", "arguments": ' }}
        {{- call.function.arguments | tojson + '}</call>' }}
    {%- endfor %}
    {{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""
OTHERS = {"dated": DATED, "thinking": THINKING}
TURNS = [
    [{"role": "user", "content": 'Is "it" {{ so }} or {% so %}, »ü«?'}],
    [{"role": "assistant", "content": "Yes.\n\nIt is."}, {"role": "user", "content": "Why?"}],
    [{"role": "assistant", "content": "Because."}, {"role": "user", "content": "Still: why?\nTell me."}],
    [{"role": "assistant", "content": "{}"}, {"role": "user", "content": "Thanks & bye"}],
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "look",
            "description": 'Looks "up" a place.',
            "parameters": {
                "type": "object",
                "properties": {
                    "colour": {"type": "string", "description": "Grün?", "enum": ["red", "green"]},
                    "far": {"type": "boolean"},
                },
                "required": ["colour"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "stop",
            "description": "Stops.",
            "parameters": {"type": "object", "properties": {"now": {"type": "boolean", "description": "At once."}}},
        },
    },
]


def called(content: str = "", **more: Any) -> list[dict[str, Any]]:
    arguments = {"colour": "grün", "far": True, "steps": 3}
    call = {"id": "call00001", "type": "function", "function": {"name": "look", "arguments": arguments}}
    result = {"role": "tool", "content": '{"seen": "a \\"tree\\""}', "tool_call_id": "call00001"}
    return [{"role": "assistant", "content": content, "tool_calls": [call], **more}, result]


def chats(*, tools: bool) -> list[list[dict[str, Any]]]:
    plain = [[message for turn in TURNS[:count] for message in turn] for count in range(1, 5)]
    with_calls = [
        [*TURNS[0], *called()],
        [*TURNS[0], *called(), *called()],
        [*TURNS[0], *called(), *TURNS[1]],
        [*TURNS[0], *TURNS[1], *called(), *TURNS[2], *called()],
    ]
    some = [*plain, *(with_calls if tools else [])]
    return [
        [*system, *chat] for system in ([], [{"role": "system", "content": "Be brief.\nBe kind."}]) for chat in some
    ]


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Renders as Ollama does, with Go's own text/template."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed; the interpreter's tests say the same")
    program = tmp_path_factory.mktemp("go") / "ollama_template"
    source = Path(__file__).with_name("ollama_template.go")
    subprocess.run(["go", "build", "-o", str(program), str(source)], check=True, cwd=program.parent)

    def run(template: str, messages: list[dict[str, Any]], tools: Any, date: str = "2026-11-30") -> str:
        job = json.dumps({"Template": template, "Messages": messages, "Tools": tools, "Date": date})
        done = subprocess.run([str(program)], input=job + "\n", capture_output=True, text=True, check=True)
        text: str = json.loads(done.stdout)
        return text

    return run


@pytest.fixture(params=["interpreter", "go"])
def ollama(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Renders as Ollama does."""
    if request.param == "interpreter":
        return render
    run: Callable[..., str] = request.getfixturevalue("go")
    return run


def template_of(tokenizer: Tokenizer) -> str:
    return modelfile(tokenizer).split('TEMPLATE """', 1)[1].split('"""', 1)[0]


def own(tokenizers: Path, messages: list[dict[str, Any]], tools: Any) -> str:
    [folder] = tokenizers.glob("*/templated")
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    text: str = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)
    return text


@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_every_chat_is_rendered_as_the_models_own_template_does(
    tokenizer_with: Any, tmp_path: Path, ollama: Callable[..., str], family: str
) -> None:
    tokenizer = FAMILIES[family].tokenizer(tokenizer_with) if family in FAMILIES else tokenizer_with(OTHERS[family])
    template = template_of(tokenizer)
    has_tools = family in WITH_TOOLS or family == "thinking"
    assert (".Tools" in template) == has_tools
    today = datetime.now().strftime("%Y-%m-%d")
    for tools in (None, TOOLS)[: 1 + has_tools]:
        for chat in chats(tools=tools is not None):
            assert ollama(template, chat, tools, today) == own(tmp_path, chat, tools)


def test_a_thought_is_written_until_the_user_speaks_again(
    tokenizer_with: Any, tmp_path: Path, ollama: Callable[..., str]
) -> None:
    template = template_of(tokenizer_with(THINKING))
    for after in ([], TURNS[1]):
        chat = [*TURNS[0], *called(reasoning_content="Let me see."), *after]
        theirs = [*TURNS[0], *called(thinking="Let me see."), *after]
        assert ollama(template, theirs, TOOLS) == own(tmp_path, chat, TOOLS)


def test_any_day_is_written_in_the_templates_form(tokenizer_with: Any, ollama: Callable[..., str]) -> None:
    template = template_of(tokenizer_with(DATED))
    assert "Today is 05 Feb 2027.<|im_end|>" in ollama(template, TURNS[0], None, "2027-02-05")


def test_the_token_that_opens_a_text_is_left_to_ollama_where_the_tokenizer_adds_it(
    tokenizer_with: Any, ollama: Callable[..., str]
) -> None:
    tokenizer = FAMILIES["llama3"].tokenizer(tokenizer_with)
    pattern = learn(lambda messages, tools: tokenizer.render(messages, tools, answer_next=True))
    [whole, bare] = [ollama(go_template(pattern, bos), TURNS[0], None) for bos in ("", "<|begin_of_text|>")]
    assert whole == "<|begin_of_text|>" + bare


def test_an_answer_that_is_begun_is_left_open(tokenizer_with: Any, ollama: Callable[..., str]) -> None:
    template = template_of(tokenizer_with(CHATML))
    text = ollama(template, [*TURNS[1][1:], {"role": "assistant", "content": "Beca"}], None)
    assert text == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\nBeca"


@pytest.mark.parametrize("family", FAMILIES)
def test_generation_stops_at_the_token_that_ends_a_turn_in_the_template(tokenizer_with: Any, family: str) -> None:
    found = FAMILIES[family]
    special = [*found.special, "<|endoftext|>"]
    written = modelfile(tokenizer_with(found.template, special=special, eos="<|endoftext|>", bos=found.begin))
    stops = [json.loads(line.split(" ", 2)[2]) for line in written.splitlines() if line.startswith("PARAMETER stop")]
    ends_with_eos = "eos_token" in found.template
    assert stops == list(dict.fromkeys(["<|endoftext|>", tiny.END, *([] if ends_with_eos else [found.end])]))


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "leaves user out"),
        ("{% for m in messages %}{{ m.content + m.content }}{% endfor %}", "repeats a part of a message"),
        ("{% for m in messages | reverse %}{{ m.content }}{% endfor %}", "repeats a part of a message"),
        (CHATML + "{{ messages | length }}", "depends on more than its neighbours"),
    ],
)
def test_a_template_that_ollama_cannot_have_is_refused_with_its_reason(
    tokenizer_with: Any, template: str, why: str
) -> None:
    with pytest.raises(SpecError, match="cannot be written for Ollama: .*" + why) as problem:
        modelfile(tokenizer_with(template))
    assert "--jinja" in problem.value.hint


def test_what_the_template_has_no_form_for_is_named(tokenizer_with: Any) -> None:
    gemma = "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
    written = modelfile(tokenizer_with(gemma))
    assert "no form for a system message" in written
    assert "no form for tools" in written


def test_a_model_without_a_template_is_refused(tokenizer_with: Any) -> None:
    with pytest.raises(SpecError, match="cannot be written for Ollama"):
        modelfile(tokenizer_with(None))
