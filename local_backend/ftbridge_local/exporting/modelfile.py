"""Ollama's Modelfile of a model, with the model's own chat template as one over `.Messages`.

By Ollama's "Modelfile Reference", https://docs.ollama.com/modelfile, 2026-11, which wants a Go template: the one in a
GGUF file is Jinja.
"""

from __future__ import annotations

import json

from ftbridge.errors import SpecError
from ftbridge_local.exporting.gap import common_beginning
from ftbridge_local.exporting.go_template import go_template
from ftbridge_local.exporting.pattern import InexpressibleError, Pattern, learn
from ftbridge_local.tokenizing.template import TemplateError
from ftbridge_local.tokenizing.tokenizer import Tokenizer

_MAX_CONTEXT = 8192  # tokens: Ollama allocates the memory for all of them at once


def modelfile(tokenizer: Tokenizer) -> str:
    """The Modelfile but for its first line, FROM, which names the weights.

    Raises `SpecError` for a model without a chat template, or with one that no template of Ollama's is equal to.
    """
    try:
        pattern = learn(lambda messages, tools: tokenizer.render(messages, tools, answer_next=True))
        template = go_template(pattern, tokenizer.bos if tokenizer.bos_ids else "")
    except (TemplateError, InexpressibleError) as problem:
        raise SpecError(
            f"the model's chat template cannot be written for Ollama: {problem}",
            hint="Export it as merged or gguf, and serve it with a server that reads the model's own template, "
            "such as vLLM, or llama.cpp's with --jinja.",
        ) from problem
    stops = [json.dumps(stop, ensure_ascii=False) for stop in _stops(tokenizer, pattern)]
    parameters = "".join(f"PARAMETER stop {stop}\n" for stop in stops)
    context = min(tokenizer.context, _MAX_CONTEXT)
    return f'{_notes(pattern)}TEMPLATE """{template}"""\n{parameters}PARAMETER num_ctx {context}\n'


def _stops(tokenizer: Tokenizer, pattern: Pattern) -> list[str]:
    """The tokens that end an answer, and the special one that the template writes after it, which may be another."""
    followers = [gap for place, gap in pattern.gaps["user"].items() if place.left == "assistant"]
    ids = [token for part in common_beginning(followers)[:1] for token in tokenizer.encode(str(part))[0][:1]]
    special = [token for token in ids if not tokenizer.decode([token])]
    return [tokenizer.text_of(token) for token in dict.fromkeys([*tokenizer.end_ids, *special])]


def _notes(pattern: Pattern) -> str:
    """What the model's template does not take, and this one therefore leaves out."""
    kinds = {"a system message": pattern.has_system, "tools": pattern.has_tools}
    missing = [kind for kind, known in kinds.items() if not known]
    return "".join(f"# The model's own template has no form for {kind} that can be written here.\n" for kind in missing)
