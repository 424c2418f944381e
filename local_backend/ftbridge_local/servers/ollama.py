"""Ollama, by its own API, which tells more than its /v1.

`_debug_render_only`, undocumented, makes /api/chat return the prompt instead of an answer (DebugRenderOnly in its
api/types.go).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from ftbridge.errors import NotFound, ProviderError
from ftbridge.foreign.values import count_of, number_of
from ftbridge.provider.served import Answer, Prompt, ServedFacts, Token
from ftbridge_local.servers.http import JsonApi, incomplete, list_in, object_in

_DEFAULT = "http://127.0.0.1:11434"
_SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repetition_penalty",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
_OPTIONS = {"max_tokens": "num_predict", **{name: name for name in _SAMPLING}}
_DEFAULT_TEMPERATURE = 0.8
"""Where the Modelfile names none; not yet checked against Ollama's documentation."""
_UNQUANTISED = ("F32", "F16", "BF16", "unknown", "")
_PARAMETER = re.compile(r'^(\w+)\s+(?:"((?:\\.|[^"\\])*)"|(\S.*))$', re.MULTILINE)
_ENDED = {"stop": True, "length": False}
_FIXES = {
    "template": "Write TEMPLATE into the Modelfile as `ftbridge export JOB --format ollama` does, and `ollama create`"
    " again; SYSTEM in it adds a system message.",
    "context": "Write PARAMETER num_ctx N into the Modelfile, or send num_ctx in the options.",
    "stop_tokens": 'Write PARAMETER stop "…" with the end token into the Modelfile, and `ollama create` again.',
    "stops_early": "Take that PARAMETER stop out of the Modelfile, and `ollama create` again.",
    "length_limit": "Take PARAMETER num_predict out of the Modelfile, and `ollama create` again.",
    "penalties": "Write PARAMETER repeat_penalty 1 into the Modelfile, and `ollama create` again.",
    "sampling_defaults": "Write PARAMETER temperature 0 into the Modelfile, or send it with each request.",
    "base_model": "Write ADAPTER into the Modelfile, or FROM the exported model, and `ollama create` again.",
}


class OllamaServer:
    """A model of the Ollama at $OLLAMA_HOST, or on this machine."""

    def __init__(self, model: str) -> None:
        self._model = model
        address = _address(os.environ.get("OLLAMA_HOST", ""))
        self._api = JsonApi("Ollama", address, "Start it, `ollama serve`, or set OLLAMA_HOST.")
        try:
            self._shown = self._api.ask("/api/show", {"model": model})
        except NotFound as problem:
            self.close()
            raise NotFound(
                f"Ollama has no model {model}",
                provider="Ollama",
                status=problem.status,
                hint="`ollama list` shows its models; `ollama create NAME -f FOLDER/Modelfile` adds an export.",
            ) from None
        except BaseException:
            self.close()
            raise

    def facts(self) -> ServedFacts:
        """By /api/show."""
        parameters, stops = _parameters(str(self._shown.get("parameters") or ""))
        sampling = {name: parameters[key] for key, name in _SAMPLING.items() if key in parameters}
        details, model = object_in(self._shown, "details"), object_in(self._shown, "model_info")
        level = str(details.get("quantization_level") or "")
        adds_bos = model.get("tokenizer.ggml.add_bos_token")
        return ServedFacts(
            server="Ollama",
            model=self._model,
            quantisation=None if level in _UNQUANTISED else level,
            sampling={"temperature": _DEFAULT_TEMPERATURE, **sampling},
            context=count_of(parameters.get("num_ctx")),
            stops=tuple(stops),
            adds_bos=adds_bos if isinstance(adds_bos, bool) else None,
            system=str(self._shown.get("system") or ""),
            fixes=_FIXES,
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt | None:
        """The text that its template makes, without the opening token."""
        answer = self._chat({**body, "max_tokens": 1}, _debug_render_only=True)
        text = object_in(answer, "_debug_info").get("rendered_template")
        return Prompt(text=text) if isinstance(text, str) else None

    def tokenize(self, text: str) -> None:
        """Its API has no tokenizer."""

    def chat(self, body: Mapping[str, Any]) -> Answer:
        """By /api/chat."""
        answer = self._chat(body)
        message = answer.get("message")
        if not isinstance(message, dict):
            raise incomplete("Ollama", "a message")
        return self._read(answer, str(message.get("content") or ""))

    def proceed(self, prompt: Prompt, max_tokens: int) -> Answer | None:
        """By /api/generate, raw."""
        if prompt.text is None:
            return None
        facts, text = self.facts(), prompt.text
        opening = str(object_in(self._shown, "model_info").get("tokenizer.ggml.bos_token") or "")
        body = {
            "model": self._model,
            "prompt": text.removeprefix(opening) if facts.adds_bos and opening else text,
            "raw": True,
            "stream": False,
            "options": {"temperature": 0.0, "num_predict": max_tokens},
        }
        try:
            answer = self._api.ask("/api/generate", body)
        except ProviderError:
            return None
        return self._read(answer, str(answer.get("response") or ""))

    def close(self) -> None:
        """Close its connections."""
        self._api.close()

    def _chat(self, body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        said = {name: body[name] for name in ("messages", "tools") if name in body}
        options = {theirs: body[ours] for ours, theirs in _OPTIONS.items() if ours in body}
        ask = {"model": self._model, **said, "stream": False, "options": options, "logprobs": True, **more}
        return self._api.ask("/api/chat", ask)

    def _read(self, answer: Mapping[str, Any], text: str) -> Answer:
        return Answer(
            text=text,
            tokens=tuple(
                Token(text=str(one.get("token", "")), logprob=number_of(one.get("logprob")))
                for one in list_in(answer, "logprobs")
                if isinstance(one, dict)
            ),
            ended=_ENDED.get(str(answer.get("done_reason"))),
            prompt_count=count_of(answer.get("prompt_eval_count")) or None,
        )


def _address(host: str) -> str:
    """As Ollama reads OLLAMA_HOST: an address without scheme or port; 0.0.0.0 is where it listens, on this machine."""
    host = host.strip() or _DEFAULT
    host = host if "://" in host else f"http://{host}"
    scheme, _, rest = host.rstrip("/").partition("://")
    name, colon, port = rest.partition(":") if not rest.startswith("[") else (rest, "", "")
    name = "127.0.0.1" if name in ("0.0.0.0", "") else name  # noqa: S104 - nothing is bound to it
    return f"{scheme}://{name}:{port}" if colon else f"{scheme}://{name}" + ("" if scheme == "https" else ":11434")


def _parameters(text: str) -> tuple[dict[str, float], list[str]]:
    """The numbers by name, and the stop sequences, in what /api/show writes: a name and a value on each line."""
    numbers: dict[str, float] = {}
    stops: list[str] = []
    for name, quoted, plain in _PARAMETER.findall(text):
        if name == "stop":
            stops.append(re.sub(r"\\(.)", r"\1", quoted) or plain)
            continue
        if (number := number_of(plain or quoted)) is not None:
            numbers[name] = number
    return numbers, stops
