"""Ollama's Modelfile of a model, with the model's own template for each exchange.

By Ollama's "Modelfile Reference", https://docs.ollama.com/modelfile, 2026-11, which wants a Go template: the one in a
GGUF file is Jinja.
"""

from __future__ import annotations

import json
from typing import Any

from ftbridge.errors import SpecError
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_MAX_CONTEXT = 8192  # tokens: Ollama allocates the memory for all of them at once


def modelfile(tokenizer: Tokenizer, weights: str) -> str:
    """The Modelfile for `weights` in the same folder.

    Raises `SpecError` for a template that does not render the parts of a chat one after another.
    """
    system, prompt = ({"role": role, "content": f"\u2402{role}\u2403"} for role in ("system", "user"))
    plain = _around(tokenizer, [prompt])
    try:
        parts = _around(tokenizer, [system, prompt])
    except (TemplateError, SpecError):  # a model that has no system message
        parts = []
    template = "{{ .Prompt }}".join(plain)
    if parts:
        with_system = f"{parts[0]}{{{{ .System }}}}{parts[1]}{{{{ .Prompt }}}}{parts[2]}"
        template = f"{{{{ if .System }}}}{with_system}{{{{ else }}}}{template}{{{{ end }}}}"
    ends = [tokenizer.text_of(token) for token in tokenizer.end_ids]
    stops = "".join(f"PARAMETER stop {json.dumps(end, ensure_ascii=False)}\n" for end in ends)
    context = min(tokenizer.context, _MAX_CONTEXT)
    return (
        f'FROM {weights}\nTEMPLATE """{template}{{{{ .Response }}}}{ends[0]}"""\n{stops}PARAMETER num_ctx {context}\n'
    )


def _around(tokenizer: Tokenizer, messages: list[dict[str, Any]]) -> list[str]:
    """The text before, between and after the contents; without the token that opens the text, which Ollama adds."""
    text = tokenizer.render(messages, answer_next=True).removeprefix(tokenizer.bos)
    parts = []
    for message in messages:
        before, content, text = text.partition(message["content"])
        if not content:
            raise SpecError("the model's chat template cannot be written for Ollama", hint="Export it as merged.")
        parts.append(before)
    return [*parts, text]
