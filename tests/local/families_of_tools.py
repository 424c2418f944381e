"""Chat templates of families whose forms differ most: reasoning, calls as texts, prefilled prompts, no end.

Written anew, like those in `families`, from the forms that their makers' documents show. Sources, read 2026-11: model
cards and documents of DeepSeek-V3 and R1, Gemma 4 (ai.google.dev, "Prompt formatting"), GLM-4.5, EXAONE 4.0, Llama 3.1
(llama.com, "Prompt formats"), Llama 2, Phi-3, Qwen 3 ("Key Concepts"), gpt-oss (github.com/openai/harmony,
docs/format.md), Stanford Alpaca's README.
"""

from __future__ import annotations

from local.families import CHATML_SPECIAL, FAMILIES, HEADERS, Family

QWEN3_THINKING = """\
{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<|im_end|>
{% endif %}
{%- set ns = namespace(asked=-1) %}
{%- for m in messages %}{% if m.role == 'user' %}{% set ns.asked = loop.index0 %}{% endif %}{% endfor %}
{%- for m in messages %}
    {%- if m.role == 'assistant' %}
        {%- set content = m.content if m.content is string else '' %}
        {%- set thought = '' %}
        {%- if m.reasoning_content is string %}{% set thought = m.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set thought = content.split('</think>')[0].split('<think>')[-1] %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {{- '<|im_start|>assistant\\n' }}
        {%- if loop.index0 > ns.asked and (loop.last or thought) %}
            {{- '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- content }}
        {%- for call in m.tool_calls %}
            {{- '\\n' if content or not loop.first }}
            {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments if call.function.arguments is string else call.function.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif m.role == 'tool' %}
        {{- '<|im_start|>user\\n' if loop.first or messages[loop.index0 - 1].role != 'tool' }}
        {{- '<tool_response>\\n' + m.content + '\\n</tool_response>' }}
        {{- '<|im_end|>\\n' if loop.last or messages[loop.index0 + 1].role != 'tool' else '\\n' }}
    {%- else %}
        {{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
"""

LLAMA31 = """\
{{- bos_token }}
{%- set now = strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' %}
{%- if messages[0].role == 'system' %}{% set system, rest = messages[0].content | trim, messages[1:] %}
{%- else %}{% set system, rest = '', messages %}{% endif %}
{{- '<|start_header_id|>system<|end_header_id|>\\n\\n' + ('Environment: ipython\\n' if tools is not none else '') }}
{{- 'Today Date: ' + now + '\\n\\n' + system + '<|eot_id|>' }}
{%- if tools is not none %}
    {{- '<|start_header_id|>user<|end_header_id|>\\n\\n' }}
    {%- for tool in tools %}{{ tool | tojson(indent=4) + '\\n\\n' }}{% endfor %}
    {{- rest[0].content | trim + '<|eot_id|>' }}
    {%- set rest = rest[1:] %}
{%- endif %}
{%- for m in rest %}
    {%- if m.tool_calls %}
        {%- if m.tool_calls | length != 1 %}{{ raise_exception('one call at once') }}{% endif %}
        {%- set call = m.tool_calls[0].function %}
        {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
        {{- '{"name": "' + call.name + '", "parameters": ' + call.arguments | tojson + '}<|eot_id|>' }}
    {%- elif m.role == 'tool' %}
        {{- '<|start_header_id|>ipython<|end_header_id|>\\n\\n' }}
        {{- (m.content | tojson if m.content is mapping or m.content is iterable else m.content) + '<|eot_id|>' }}
    {%- else %}
        {{- '<|start_header_id|>' + m.role + '<|end_header_id|>\\n\\n' + m.content | trim + '<|eot_id|>' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
"""

DEEPSEEK_V3 = """\
{%- set ns = namespace(system='', results=false) %}
{%- for m in messages %}{% if m.role == 'system' %}{% set ns.system = ns.system + m.content %}{% endif %}{% endfor %}
{{- bos_token + ns.system }}
{%- for m in messages %}
    {%- if m.role == 'user' %}{{ '<｜User｜>' + m.content }}{% set ns.results = false %}
    {%- elif m.role == 'assistant' and m.content is none %}
        {{- '<｜Assistant｜>' }}
        {%- for call in m.tool_calls %}
            {{- '<｜tool▁call▁begin｜>' + call.type + '<｜tool▁sep｜>' + call.function.name + '\\n```json\\n' }}
            {{- call.function.arguments + '\\n```<｜tool▁call▁end｜>' }}
        {%- endfor %}
        {{- '<｜end▁of▁sentence｜>' }}
    {%- elif m.role == 'assistant' %}
        {{- '' if ns.results else '<｜Assistant｜>' }}
        {{- (m.content.split('</think>')[-1] if '</think>' in m.content else m.content) + '<｜end▁of▁sentence｜>' }}
    {%- elif m.role == 'tool' %}
        {{- '<｜tool▁output▁begin｜>' + m.content + '<｜tool▁output▁end｜>' }}
        {%- set ns.results = true %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt and not ns.results %}{{ '<｜Assistant｜>NEXT' }}{% endif %}
"""

GEMMA4 = """\
{{- bos_token }}
{%- if messages[0].role == 'system' or tools %}
    {{- '<|turn>system\\n' + (messages[0].content | trim if messages[0].role == 'system' else '') }}
    {%- for tool in tools or [] %}
        {{- '<|tool>declaration:' + tool.function.name + '{description:<|"|>' + tool.function.description + '<|"|>' }}
        {%- for name, kind in (tool.function.parameters.properties or {}) | dictsort %}
            {{- ',' + name + ':{type:<|"|>' + kind.type | upper + '<|"|>}' }}
        {%- endfor %}
        {{- '}<tool|>' }}
    {%- endfor %}
    {{- '<turn|>\\n' }}
{%- endif %}
{%- for m in messages if m.role != 'system' %}
    {%- if m.role == 'tool' %}
        {{- '<|tool_response>response:' + m.name | default('tool') + '{value:<|"|>' }}
        {{- m.content + '<|"|>}<tool_response|>' }}
    {%- else %}
        {{- '<|turn>' + ('model' if m.role == 'assistant' else m.role) + '\\n' }}
        {%- for call in m.tool_calls or [] %}
            {{- '<|tool_call>call:' + call.function.name + '{' }}
            {%- for key, value in call.function.arguments | dictsort %}
                {{- (',' if not loop.first else '') + key + ':' }}
                {{- '<|"|>' + value + '<|"|>' if value is string else value }}
            {%- endfor %}
            {{- '}<tool_call|>' }}
        {%- endfor %}
        {{- (m.content or '') | trim + '<turn|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|turn>model\\n<|channel>thought\\n<channel|>' }}{% endif %}
"""

GLM45 = """\
{{- '[gMASK]<sop>' }}
{%- if tools %}
    {{- '<|system|>\\n<tools>' }}
    {%- for tool in tools %}{{ '\\n' + tool | tojson(ensure_ascii=False) }}{% endfor %}
    {{- '\\n</tools>' }}
{%- endif %}
{%- for m in messages %}
    {%- if m.role == 'assistant' %}
        {{- '<|assistant|>\\n' }}
        {%- if m.reasoning_content %}{{ '<think>' + m.reasoning_content.strip() + '</think>\\n' }}
        {%- else %}{{ '<think></think>\\n' }}{% endif %}
        {{- (m.content or '').split('</think>')[-1].strip() }}
        {%- for call in m.tool_calls or [] %}
            {{- '\\n<tool_call>' + call.function.name }}
            {%- for key, value in call.function.arguments.items() %}
                {{- '\\n<arg_key>' + key + '</arg_key>\\n<arg_value>' }}
                {{- (value if value is string else value | tojson(ensure_ascii=False)) + '</arg_value>' }}
            {%- endfor %}
            {{- '\\n</tool_call>' }}
        {%- endfor %}
    {%- elif m.role == 'tool' %}{{ '<|observation|>\\n<tool_response>\\n' + m.content + '\\n</tool_response>' }}
    {%- else %}{{ '<|' + m.role + '|>\\n' + m.content }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}
"""

EXAONE4 = """\
{%- for tool in tools or [] %}
    {{- tool | tojson(ensure_ascii=False, sort_keys=True, separators=(',', ':')) + '\\n' }}
{%- endfor %}
{%- for m in messages %}
    {{- '[|' + m.role + '|]' + (m.content or '') }}
    {%- for call in m.tool_calls or [] %}
        {%- set called = {'name': call.function.name, 'arguments': call.function.arguments} %}
        {{- '<tool_call>' + called | tojson(ensure_ascii=True) }}
        {{- '</tool_call>' }}
    {%- endfor %}
    {{- '[|endofturn|]\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}
"""

LLAMA2 = """\
{%- if messages[0].role == 'system' %}
    {%- set head, rest = '<<SYS>>\\n' + messages[0].content + '\\n<</SYS>>\\n\\n', messages[1:] %}
{%- else %}{% set head, rest = '', messages %}{% endif %}
{%- for m in rest %}
    {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}
    {%- if m.role == 'user' %}{{ bos_token + '[INST] ' + (head if loop.first else '') + m.content | trim + ' [/INST]' }}
    {%- else %}{{ ' ' + m.content | trim + ' ' + eos_token }}{% endif %}
{%- endfor %}
"""

PHI3 = """\
{%- for m in messages %}{{ '<|' + m.role + '|>\\n' + m.content + '<|end|>\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}
"""

HARMONY = """\
{%- if tools %}<|start|>developer<|message|># Tools
namespace functions {
{% for tool in tools %}// {{ tool.function.description }}
type {{ tool.function.name }} = (_: {
{% for name, kind in (tool.function.parameters.properties or {}).items() %}{{ name }}: {{ kind.type }},
{% endfor %}}) => any;
{% endfor %}}<|end|>
{%- endif %}
{%- for m in messages %}
    {%- if m.role == 'assistant' and m.tool_calls %}
        {%- set call = m.tool_calls[0].function %}
        {%- if m.thinking %}{{ '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}{% endif %}
        {{- '<|start|>assistant to=functions.' + call.name + '<|channel|>commentary json<|message|>' }}
        {{- call.arguments | tojson + '<|call|>' }}
    {%- elif m.role == 'assistant' %}
        {%- if m.thinking and loop.last %}
            {{- '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}
        {%- endif %}
        {{- '<|start|>assistant<|channel|>final<|message|>' + m.content + ('<|return|>' if loop.last else '<|end|>') }}
    {%- elif m.role == 'tool' %}
        {{- '<|start|>functions to=assistant<|channel|>commentary<|message|>' + m.content | tojson + '<|end|>' }}
    {%- else %}{{ '<|start|>' + m.role + '<|message|>' + m.content + '<|end|>' }}{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start|>assistant' }}{% endif %}
"""

ALPACA = """\
{%- for m in messages %}
    {{- {'user': '### Instruction:\\n', 'assistant': '### Response:\\n'}.get(m.role, '') + m.content + '\\n\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}
"""

_DEEPSEEK = ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"]

MORE: dict[str, Family] = {
    "qwen3-thinking": Family(QWEN3_THINKING, CHATML_SPECIAL, "<|im_end|>"),
    "llama3.1": Family(LLAMA31, HEADERS, "<|eot_id|>", "<|begin_of_text|>"),
    "deepseek-v3": Family(
        DEEPSEEK_V3.replace("NEXT", ""), _DEEPSEEK, "<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>"
    ),
    "deepseek-r1": Family(
        DEEPSEEK_V3.replace("NEXT", "<think>\\n"), _DEEPSEEK, "<｜end▁of▁sentence｜>", "<｜begin▁of▁sentence｜>"
    ),
    "gemma4": Family(GEMMA4, ["<bos>", "<|turn>", "<turn|>", "<|channel>", "<channel|>"], "<turn|>", "<bos>"),
    "glm4.5": Family(GLM45, ["<|assistant|>", "<|user|>", "<|observation|>", "<|endoftext|>"], "<|endoftext|>"),
    "exaone4": Family(EXAONE4, ["[|endofturn|]"], "[|endofturn|]"),
    "llama2": Family(LLAMA2, ["<s>", "</s>"], "</s>", "<s>"),
    "phi3": Family(PHI3, ["<|end|>", "<|endoftext|>"], "<|endoftext|>"),
    "gpt-oss": Family(
        HARMONY, ["<|start|>", "<|message|>", "<|channel|>", "<|end|>", "<|return|>", "<|call|>"], "<|return|>"
    ),
    "alpaca": Family(ALPACA, ["<|endoftext|>"], "<|endoftext|>"),
}

ALL = {**FAMILIES, **MORE}
