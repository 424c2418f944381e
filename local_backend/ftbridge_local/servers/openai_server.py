"""Servers with OpenAI's API: vLLM, SGLang, llama.cpp's, Ollama's /v1, and any other.

What only some of them have is asked for, and missed without harm: /tokenize with messages, as vLLM has it, and
llama.cpp's /props, /apply-template and /tokenize (tools/server/README.md). No such server has been asked yet: the
tests' own speak as these do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftbridge.errors import InvalidRequest, NotFound, UsageError
from ftbridge.foreign.values import count_of, number_of
from ftbridge.provider.served import Answer, Prompt, ServedFacts, Token
from ftbridge.wording import did_you_mean
from ftbridge_local.servers.http import JsonApi, incomplete, list_in, object_in

_SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repetition_penalty": "repetition_penalty",
    "repeat_penalty": "repetition_penalty",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
}
_ENDED = {"stop": True, "tool_calls": True, "length": False}
_FIXES = {
    "template": "Start the server with the exported chat_template.jinja: --chat-template FILE (llama.cpp: --jinja"
    " --chat-template-file FILE); remove a system message that it adds.",
    "context": "Start it with a longer context: --max-model-len N at vLLM, --context-length N at SGLang, -c N at"
    " llama.cpp.",
    "base_model": "Load the adapter (vLLM: --enable-lora --lora-modules NAME=FOLDER), and ask for it by its name:"
    " --model NAME.",
    "penalties": "Set repetition_penalty to 1: vLLM reads it from the model's generation_config.json unless"
    " --generation-config vllm; llama.cpp has --repeat-penalty 1.",
    "sampling_defaults": "Send temperature 0 with each request, or make it the default: at vLLM"
    " --override-generation-config '{\"temperature\": 0}', at llama.cpp --temp 0.",
}


def open_at(url: str, model: str | None) -> OpenAIServer:
    """The model of that name at a server, or its only one, or its only adapter."""
    root = url.strip().rstrip("/").removesuffix("/chat/completions").removesuffix("/v1")
    api = JsonApi("the server", root, "Start the server, or check the URL.")
    try:
        return OpenAIServer(api, model)
    except BaseException:
        api.close()
        raise


class OpenAIServer:
    """One model of a server."""

    def __init__(self, api: JsonApi, model: str | None) -> None:
        self._api = api
        listed = [one for one in list_in(api.ask("/v1/models"), "data") if isinstance(one, dict)]
        self._entry = _choose(listed, model)
        self._model = str(self._entry.get("id") or model or "")
        self._props = api.ask_if_there("/props") or {}
        self._is_llama_cpp = "default_generation_settings" in self._props
        self._takes_logprobs = True

    def facts(self) -> ServedFacts:
        """By /v1/models and, at llama.cpp, by /props."""
        settings = object_in(self._props, "default_generation_settings")
        parameters = {**settings, **object_in(settings, "params")}
        numbers = {name: number_of(parameters.get(key)) for key, name in _SAMPLING.items()}
        context = count_of(settings.get("n_ctx")) or count_of(self._entry.get("max_model_len"))
        return ServedFacts(
            server="llama.cpp" if self._is_llama_cpp else str(self._entry.get("owned_by") or "server"),
            model=self._model,
            quantisation=_quantisation(str(self._props.get("model_path") or self._model)),
            sampling={name: number for name, number in numbers.items() if number is not None},
            context=context,
            stops=tuple(str(stop) for stop in list_in(parameters, "stop")),
            fixes=_FIXES,
        )

    def prompt(self, body: Mapping[str, Any]) -> Prompt | None:
        """By llama.cpp's /apply-template, or by /tokenize with messages."""
        said = {name: body[name] for name in ("messages", "tools") if name in body}
        if self._is_llama_cpp:
            made = self._api.ask_if_there("/apply-template", said) or {}
            text = made.get("prompt")
            return Prompt(text=text, ids=self._ids(text, opened=True)) if isinstance(text, str) else None
        ask = {"model": self._model, **said, "add_generation_prompt": True}
        ids = _ids_in(self._api.ask_if_there("/tokenize", ask))
        return Prompt(ids=ids, count=len(ids)) if ids is not None else None

    def tokenize(self, text: str) -> tuple[int, ...] | None:
        """By /tokenize."""
        return self._ids(text, opened=False)

    def _ids(self, text: str, *, opened: bool) -> tuple[int, ...] | None:
        if self._is_llama_cpp:
            body = {"content": text, "add_special": opened, "parse_special": True}
        else:
            body = {"model": self._model, "prompt": text, "add_special_tokens": opened}
        return _ids_in(self._api.ask_if_there("/tokenize", body))

    def chat(self, body: Mapping[str, Any]) -> Answer:
        """With logprobs, where the server takes that."""
        if self._takes_logprobs:
            try:
                return self._read(self._complete("/v1/chat/completions", {**body, "logprobs": True}))
            except InvalidRequest:
                self._takes_logprobs = False
        return self._read(self._complete("/v1/chat/completions", body))

    def proceed(self, prompt: Prompt, max_tokens: int) -> Answer | None:
        """By the older completions, with ids where the server takes them."""
        options = {"temperature": 0.0, "max_tokens": max_tokens}
        for given in (prompt.ids and list(prompt.ids), prompt.text):
            if given is None:
                continue
            try:
                answer = self._complete("/v1/completions", {"prompt": given, **options})
            except InvalidRequest:
                continue
            except NotFound:
                return None
            choice = _choice(self._api.name, answer)
            return Answer(text=str(choice.get("text") or ""), ended=_ENDED.get(str(choice.get("finish_reason"))))
        return None

    def close(self) -> None:
        """Close its connections."""
        self._api.close()

    def _complete(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._api.ask(path, {"model": self._model, **body})

    def _read(self, answer: Mapping[str, Any]) -> Answer:
        choice = _choice(self._api.name, answer)
        message = choice.get("message")
        if not isinstance(message, dict):
            raise incomplete(self._api.name, "a message")
        return Answer(
            text=message.get("content") if isinstance(message.get("content"), str) else "",
            tokens=_tokens(list_in(object_in(choice, "logprobs"), "content")),
            ended=_ENDED.get(str(choice.get("finish_reason"))),
            prompt_count=count_of(object_in(answer, "usage").get("prompt_tokens")) or None,
        )


def _choose(listed: list[dict[str, Any]], model: str | None) -> dict[str, Any]:
    names = [str(one.get("id")) for one in listed]
    if model is not None:
        if listed and model not in names:
            hint = f"{did_you_mean(model, names)}It serves: {', '.join(names)}."
            raise UsageError(f"the server has no model {model}", hint=hint)
        return next((one for one in listed if one.get("id") == model), {"id": model})
    adapters = [one for one in listed if one.get("parent")]  # as vLLM lists the adapters of a base
    for those in (listed, adapters):
        if len(those) == 1:
            return those[0]
    what = f"the server has {len(listed)} models" if listed else "the server lists no model"
    raise UsageError(what, hint=f"Say which: --model NAME.{' It serves: ' if names else ''}{', '.join(names)}")


def _choice(name: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise incomplete(name, "any choice")
    return choices[0]


def _tokens(listed: list[Any]) -> tuple[Token, ...]:
    return tuple(
        Token(text=str(one.get("token", "")), id=count_of(one.get("id")), logprob=number_of(one.get("logprob")))
        for one in listed
        if isinstance(one, dict)
    )


def _ids_in(answer: Mapping[str, Any] | None) -> tuple[int, ...] | None:
    ids = (answer or {}).get("tokens")
    if not isinstance(ids, list) or not all(type(token) is int for token in ids):
        return None
    return tuple(ids)


def _quantisation(name: str) -> str | None:
    """The type of the weights as names of files and models tell it: Q4_K_M, AWQ, FP8."""
    parts = name.upper().replace("-", ".").replace("/", ".").split(".")
    known = ("Q2", "Q3", "Q4", "Q5", "Q6", "Q8", "IQ", "AWQ", "GPTQ", "FP8", "INT4", "INT8", "W4A16", "W8A8", "NVFP4")
    return next((part for part in parts if part.startswith(known)), None)
