"""A server that `verify --at` or `--ollama` asks may answer with anything: it is not known, or a sentence says so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ftbridge.errors import BadAnswer, ConfigError, FtbridgeError, NetworkError, UsageError
from ftbridge.provider.served import Answer, ServedFacts
from ftbridge_local.servers import http
from ftbridge_local.servers.ollama import OllamaServer
from ftbridge_local.servers.openai_server import open_at

KEY = "hush-4711-hush-4711"
_MODELS, _CHAT, _PROPS = "/v1/models", "/v1/chat/completions", "/props"
_OLLAMA, _SHOW = "/api/chat", "/api/show"
_HUGE = "9" * 400


class HostileServer(ThreadingHTTPServer):
    """Answers each path with a text, or as a function of the handler says; `keys` are those that it was given."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, str | Callable[[BaseHTTPRequestHandler], None]] = {
            _MODELS: '{"data": [{"id": "tuned"}]}',
            _CHAT: _answer(),
            _SHOW: "{}",
            _OLLAMA: '{"message": {"content": "two"}, "done_reason": "stop"}',
        }
        self.keys: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: HostileServer

    def do_GET(self) -> None:
        self.server.keys.append(self.headers.get("Authorization"))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answers.get(self.path)
        if callable(answer):
            with suppress(OSError):  # whoever asked is gone
                answer(self)
            return
        self.send_response(404 if answer is None else 200)
        self.end_headers()
        self.wfile.write((answer or "{}").encode())

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own word
        pass


def _answer(**choice: Any) -> str:
    return json.dumps({"choices": [{"message": {"content": "two"}, "finish_reason": "stop", **choice}]})


def _logprobs(content: str) -> str:
    return _answer(logprobs={"content": "HERE"}).replace('"HERE"', content)


def _settings(text: str) -> str:
    return f'{{"default_generation_settings": {text}}}'


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield made
        made.shutdown()


_ASKED = {"messages": [{"role": "user", "content": "Say one."}], "max_tokens": 8}


def _told(server: HostileServer) -> tuple[ServedFacts, Answer]:
    with closing(open_at(server.url, None)) as opened:
        return opened.facts(), opened.chat(_ASKED)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (_MODELS, '{"data": [{"id": "half \\ud83d"}]}'),
        (_MODELS, f'{{"data": [{{"id": "half ?", "owned_by": {{}}, "max_model_len": {_HUGE}}}]}}'),
        (_CHAT, _answer(message={"content": "half \ud83d"})),
        (_CHAT, _answer(message={"content": [{"type": "text", "text": "two"}]}, finish_reason={})),
        (_CHAT, _answer(logprobs=5)),
        *((_CHAT, _logprobs(text)) for text in ("7", "true", '"text"', "[5]", '[{"token": 1, "id": true}]')),
        *((_CHAT, _logprobs(f'[{{"logprob": {number}, "id": {number}}}]')) for number in (_HUGE, "NaN", "-1e999")),
        *((_CHAT, _answer()[:-1] + f', "usage": {text}}}') for text in ("[1]", '"text"', '{"prompt_tokens": []}')),
        *((_PROPS, _settings(text)) for text in ("[1]", '"text"', '{"params": [1]}', '{"params": {"stop": 5}}')),
        (_PROPS, _settings(f'{{"params": {{"temperature": NaN, "top_p": 1e999, "min_p": {_HUGE}, "top_k": true}}}}')),
        (_PROPS, _settings('{"n_ctx": 1e999}')),
    ],
)
def test_what_a_server_says_wrongly_is_not_known(server: HostileServer, path: str, answer: str) -> None:
    server.answers[path] = answer
    facts, said = _told(server)
    assert (facts.sampling, facts.context, facts.stops, said.prompt_count) == ({}, None, (), None)
    assert all(token.logprob is None and token.id is None for token in said.tokens)
    for shown in (facts, said):
        shown.model_dump_json().encode()
    assert said.text in ("two", "half ?", "")


@pytest.mark.parametrize("ids", ["[true, 1]", "[1e999]", '"text"', '{"0": 1}'])
def test_tokens_that_are_no_numbers_are_not_known(server: HostileServer, ids: str) -> None:
    server.answers["/tokenize"] = f'{{"tokens": {ids}}}'
    with closing(open_at(server.url, None)) as opened:
        assert (opened.prompt(_ASKED), opened.tokenize("text")) == (None, None)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (_SHOW, '{"details": [1], "model_info": "text", "system": {}}'),
        (_SHOW, '{"parameters": "num_ctx 1e999\\ntemperature nan\\ntop_p inf"}'),
        (_OLLAMA, '{"message": {"content": "half \\ud83d"}, "_debug_info": [1]}'),
        (_OLLAMA, f'{{"message": {{"content": {{}}}}, "logprobs": [5, {{"logprob": [1]}}, {{"logprob": {_HUGE}}}]}}'),
        (_OLLAMA, '{"message": {"content": "two"}, "logprobs": 5, "prompt_eval_count": NaN}'),
    ],
)
def test_what_ollama_says_wrongly_is_not_known(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, path: str, answer: str
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    server.answers[path] = answer
    with closing(OllamaServer("tuned")) as opened:
        facts, said = opened.facts(), opened.chat(_ASKED)
        assert opened.prompt(_ASKED) is None
    assert (facts.sampling, facts.context, said.prompt_count) == ({"temperature": 0.8}, None, None)
    assert all(token.logprob is None for token in said.tokens)
    assert said.text in ("two", "half ?", "")


@pytest.mark.parametrize("answer", ['{"data": 3}', '{"data": "text"}', '{"data": [1]}'])
def test_a_list_of_models_that_is_none_is_asked_for_by_name(server: HostileServer, answer: str) -> None:
    server.answers[_MODELS] = answer
    with pytest.raises(UsageError, match="the server lists no model") as problem:
        open_at(server.url, None)
    assert "--model NAME" in problem.value.hint


def test_a_body_without_end_is_not_read_without_end(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(200)
        asked.end_headers()
        while True:
            asked.wfile.write(b" " * 2**16)

    monkeypatch.setattr(http, "_MOST_BYTES", 2**20)
    server.answers[_MODELS] = endless
    with pytest.raises(BadAnswer, match="with more than 1 MiB: the rest was not read"):
        open_at(server.url, None)


def test_a_body_that_drips_ends_in_time(server: HostileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def dripping(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(200)
        asked.end_headers()
        while True:
            asked.wfile.write(b" ")
            time.sleep(0.05)

    monkeypatch.setattr(http, "_SECONDS", 0.3)
    server.answers[_MODELS] = dripping
    with pytest.raises(NetworkError, match="the server did not answer in time"):
        open_at(server.url, None)


def test_the_key_goes_to_no_other_host_and_is_repeated_nowhere(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(307)
        asked.send_header("Location", f"http://localhost:{server.server_port}/elsewhere")
        asked.end_headers()
        asked.wfile.write(f"see {asked.headers['Authorization']}".encode())

    monkeypatch.setenv(http.API_KEY, KEY)
    server.answers[_MODELS] = elsewhere
    with pytest.raises(FtbridgeError, match="Redirects are not followed") as problem:
        open_at(server.url, None)
    assert KEY not in str(problem.value)
    assert server.keys == [f"Bearer {KEY}"]
    with pytest.raises(ConfigError, match="would be sent unencrypted"):
        open_at("http://127.0.0.1.example.com", None)


@pytest.mark.parametrize("key", ["two\nlines-4711", "sch\u00fcssel-4711-4711", "with space-4711"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv(http.API_KEY, key)
    with pytest.raises(ConfigError, match=f"{http.API_KEY} holds characters that no key has") as problem:
        open_at(server.url, None)
    assert "4711" not in str(problem.value)
    assert server.keys == []


@pytest.mark.parametrize("url", ["http://a\tb", "http://\u202ex", "http://[v1.x]", "http://x:y"])
def test_what_is_no_url_is_said_to_be_none(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL of a server"):
        open_at(url, None)
