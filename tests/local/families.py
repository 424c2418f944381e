"""Chat templates of ten families of models, written anew from the forms that their makers' documents show.

Each has the special tokens that it uses, and the token that ends an answer. Sources, read 2026-11: llama.com's prompt
formats for Llama 3.1; Qwen's documentation, "Key Concepts" and "Function Calling"; Mistral's cookbook, "Tokenization";
ai.google.dev, "Gemma formatting and system instructions"; the model cards of Phi-4-mini, SmolLM2 and DeepSeek-V3; the
description of ChatML at openai/openai-python, chatml.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from ftbridge.dataset.canonical.example import Chat
from ftbridge_local.tokenizing.tokenizer import Tokenizer


class Family(NamedTuple):
    """A template, its special tokens, the token that ends an answer, and the one that opens the text."""

    template: str
    special: list[str]
    end: str
    begin: str | None = None

    def tokenizer(self, make: Callable[..., Tokenizer]) -> Tokenizer:
        """One with this template, made by the fixture `tokenizer_with`."""
        return make(self.template, special=self.special, eos=self.end, bos=self.begin)


def chat(*messages: dict[str, Any], **more: Any) -> Chat:
    """A chat of these messages."""
    return msgspec.convert({"messages": list(messages), **more}, Chat)


_CHATML_TURN = "{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}"
_CHATML_NEXT = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
CHATML_SPECIAL = ["<|im_start|>", "<|im_end|>"]

CHATML = "{% for m in messages %}" + _CHATML_TURN + "{% endfor %}" + _CHATML_NEXT

SMOLLM = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\nYou are a helpful AI assistant named SmolLM<|im_end|>\n"
    "{% endif %}" + CHATML
)

QWEN_TOOLS = """\
{%- if messages[0].role == 'system' %}{% set intro = messages[0].content %}{% else %}{% set intro = HOUSE %}{% endif %}
{%- if tools %}
    {{- '<|im_start|>system\\n' + intro + '\\n\\n# Tools\\n\\n<tools>' }}
    {%- for tool in tools %}{{ '\\n' + tool | tojson }}{% endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- elif intro %}{{ '<|im_start|>system\\n' + intro + '<|im_end|>\\n' }}{% endif %}
"""
QWEN_TURNS = """\
{%- set last_asked = namespace(at=-1) %}
{%- for m in messages %}{% if m.role == 'user' %}{% set last_asked.at = loop.index0 %}{% endif %}{% endfor %}
{%- for m in messages %}
    {%- if m.role == 'user' or (m.role == 'system' and not loop.first) %}
        {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
    {%- elif m.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- if THINKS and loop.index0 > last_asked.at and loop.last %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}
        {{- m.content if m.content }}
        {%- for call in m.tool_calls or [] %}
            {{- '\\n' if m.content or not loop.first }}
            {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson + '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif m.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + m.content + '\\n</tool_response><|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
"""
QWEN = QWEN_TOOLS + QWEN_TURNS + _CHATML_NEXT

LLAMA3 = """\
{{- bos_token }}
{%- if messages[0].role == 'system' %}{% set system, rest = messages[0].content, messages[1:] %}
{%- else %}{% set system, rest = '', messages %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' }}
{%- if tools %}{{ 'Environment: ipython\\n' }}{% endif %}
{{- 'Cutting Knowledge Date: December 2023\\n\\n' + system | trim + '<|eot_id|>' }}
{%- if tools %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\nGiven the following functions, answer with JSON.\\n\\n' }}
    {%- for tool in tools %}{{ tool | tojson(indent=4) + '\\n\\n' }}{% endfor %}
    {{- rest[0].content | trim + '<|eot_id|>' }}
    {%- set rest = rest[1:] %}
{%- endif %}
{%- for m in rest %}
    {%- if m.role == 'tool' %}
        {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' + m.content | tojson + '<|eot_id|>' }}
    {%- elif m.tool_calls %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n{"name": "' + m.tool_calls[0].function.name }}
        {{- '", "parameters": ' + m.tool_calls[0].function.arguments | tojson + '}<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
"""

MISTRAL = """\
{{- bos_token }}
{%- set system = messages[0].content + '\\n\\n' if messages[0].role == 'system' else '' %}
{%- set rest = messages[1:] if system else messages %}
{%- set asked = namespace(last=-1) %}
{%- for m in rest %}{% if m.role == 'user' %}{% set asked.last = loop.index0 %}{% endif %}{% endfor %}
{%- for m in rest %}
    {%- if m.role == 'user' %}
        {%- if tools and loop.index0 == asked.last %}
            {{- '[AVAILABLE_TOOLS]GAP' + tools | tojson + '[/AVAILABLE_TOOLS]' }}
        {%- endif %}
        {{- '[INST]GAP' + (system if loop.index0 == asked.last else '') + m.content + '[/INST]' }}
    {%- elif m.role == 'tool' %}
        {{- '[TOOL_RESULTS]GAP{"content": ' + m.content + '}[/TOOL_RESULTS]' }}
    {%- elif m.tool_calls %}
        {{- '[TOOL_CALLS]GAP[{"name": "' + m.tool_calls[0].function.name + '", "arguments": ' }}
        {{- m.tool_calls[0].function.arguments | tojson + '}]' + eos_token }}
    {%- else %}{{ 'GAP' + m.content + eos_token }}{% endif %}
{%- endfor %}
"""

GEMMA = """\
{{- bos_token }}
{%- set system = messages[0].content + '\\n\\n' if messages[0].role == 'system' else '' %}
{%- for m in (messages[1:] if system else messages) %}
    {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
    {{- '<start_of_turn>' + ('model' if m.role == 'assistant' else 'user') + '\\n' }}
    {{- (system if loop.first else '') + m.content | trim + '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}
"""

PHI = """\
{%- for m in messages %}
    {%- if m.role == 'system' and tools %}
        {{- '<|system|>' + m.content + '<|tool|>' + tools | tojson + '<|/tool|><|end|>' }}
    {%- else %}{{ '<|' + m.role + '|>' + m.content + '<|end|>' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}
"""

DEEPSEEK = """\
{{- bos_token }}
{%- for m in messages %}
    {%- if m.role == 'system' %}{{ m.content }}
    {%- elif m.role == 'user' %}{{ '<｜User｜>' + m.content }}
    {%- elif m.role == 'tool' %}{{ '<｜tool▁output▁begin｜>' + m.content + '<｜tool▁output▁end｜>' }}
    {%- elif m.tool_calls %}
        {{- '<｜Assistant｜><｜tool▁call▁begin｜>' + m.tool_calls[0].function.name + '<｜tool▁sep｜>' }}
        {{- m.tool_calls[0].function.arguments | tojson + '<｜tool▁call▁end｜>' + eos_token }}
    {%- else %}{{ '<｜Assistant｜>' + m.content.split('</think>')[-1] + eos_token }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif %}
"""

HEADERS = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
_INST = [f"[{slash}{name}]" for name in ("INST", "AVAILABLE_TOOLS", "TOOL_RESULTS") for slash in ("", "/")]

FAMILIES: dict[str, Family] = {
    "chatml": Family(CHATML, CHATML_SPECIAL, "<|im_end|>"),
    "smollm2": Family(SMOLLM, CHATML_SPECIAL, "<|im_end|>"),
    "qwen2.5": Family(
        QWEN.replace("HOUSE", "'You are Qwen.'").replace("THINKS", "false"), CHATML_SPECIAL, "<|im_end|>"
    ),
    "qwen3": Family(QWEN.replace("HOUSE", "''").replace("THINKS", "true"), CHATML_SPECIAL, "<|im_end|>"),
    "llama3": Family(LLAMA3, HEADERS, "<|eot_id|>", "<|begin_of_text|>"),
    "mistral-v3": Family(MISTRAL.replace("GAP", " "), [*_INST, "[TOOL_CALLS]", "<s>", "</s>"], "</s>", "<s>"),
    "mistral-tekken": Family(MISTRAL.replace("GAP", ""), [*_INST, "[TOOL_CALLS]", "<s>", "</s>"], "</s>", "<s>"),
    "gemma": Family(GEMMA, ["<bos>", "<start_of_turn>", "<end_of_turn>"], "<end_of_turn>", "<bos>"),
    "phi": Family(PHI, ["<|tool|>", "<|/tool|>", "<|end|>"], "<|end|>"),
    "deepseek": Family(
        DEEPSEEK,
        ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜tool▁call▁begin｜>"],
        "<｜end▁of▁sentence｜>",
        "<｜begin▁of▁sentence｜>",
    ),
}
