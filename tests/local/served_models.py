"""Servers of a model as they are in the world, in small: what they generate is transformers' own, faults included.

They speak as vLLM, llama.cpp's server, a plain server with OpenAI's API, and Ollama do.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import torch
import transformers as _transformers

transformers: Any = _transformers  # half of its functions have no types


@dataclass
class Served:
    """A model's folder, and what is wrong with how it is served: nothing by default."""

    folder: Path
    speaks: str = "vllm"
    tokenizer_folder: Path | None = None
    system: str = ""
    template: str | None = None
    opening: int | None = None
    end_ids: list[int] | None = None
    temperature: float = 0.0
    repetition_penalty: float = 1.0
    context: int = 1024
    most: int = 512
    quantisation: str = "F16"
    noise: float = 0.0
    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Paths that are answered with a status and a body, whatever is asked."""

    def __post_init__(self) -> None:
        self.model = transformers.AutoModelForCausalLM.from_pretrained(self.folder).eval()
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(self.tokenizer_folder or self.folder)
        self.tokenizer.chat_template = self.template or self.tokenizer.chat_template
        self.lock = threading.Lock()
        torch.manual_seed(0)
        with torch.no_grad():
            for weight in self.model.parameters() if self.noise else ():
                weight.add_(torch.randn_like(weight) * self.noise)

    def text(self, messages: list[dict[str, Any]]) -> str:
        conversation = [{"role": "system", "content": self.system}, *messages] if self.system else messages
        made: str = self.tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
        return made

    def ids(self, text: str, *, opened: bool = True) -> list[int]:
        found: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return [self.opening, *found] if opened and self.opening is not None else found

    def generate(self, ids: list[int], body: dict[str, Any]) -> tuple[str, str, list[dict[str, Any]], int]:
        """The text, why it ends, its logprobs, and how many tokens of the prompt were read."""
        read = ids[-self.context :]
        ends = self.end_ids or self.model.generation_config.eos_token_id
        temperature = body.get("temperature", self.temperature)
        with self.lock, torch.no_grad():
            made = self.model.generate(
                input_ids=torch.tensor([read]),
                attention_mask=torch.ones(1, len(read), dtype=torch.long),
                generation_config=transformers.GenerationConfig(
                    max_new_tokens=min(body.get("max_tokens") or 512, self.most),
                    do_sample=temperature > 0,
                    temperature=temperature or None,
                    repetition_penalty=body.get("repetition_penalty", self.repetition_penalty),
                    eos_token_id=ends,
                    pad_token_id=0,
                    output_logits=True,
                    return_dict_in_generate=True,
                ),
            )
        new = made.sequences[0, len(read) :].tolist()
        ended = new[-1:] and new[-1] in (ends if isinstance(ends, list) else [ends])
        written = new[:-1] if ended else new
        logprobs = [
            {"token": self.tokenizer.decode([token]), "logprob": float(logits[0].log_softmax(-1)[token])}
            for token, logits in zip(written, made.logits, strict=False)
        ]
        return self.tokenizer.decode(written), "stop" if ended else "length", logprobs, len(read)

    def reply(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if self.speaks == "ollama":
            return self._as_ollama(path, body)
        if path == "/v1/models":
            return {"data": [{"id": "tuned", "owned_by": self.speaks, "max_model_len": self.context}]}
        if path == "/v1/chat/completions":
            text, reason, logprobs, read = self.generate(self.ids(self.text(body["messages"])), body)
            choice = {"message": {"content": text}, "finish_reason": reason, "logprobs": {"content": logprobs}}
            return {"choices": [choice], "usage": {"prompt_tokens": read}}
        if path == "/v1/completions":
            prompt = body["prompt"]
            text, reason, _, _ = self.generate(self.ids(prompt) if isinstance(prompt, str) else prompt, body)
            return {"choices": [{"text": text, "finish_reason": reason}]}
        if self.speaks == "vllm" and path == "/tokenize":
            ids = (
                self.ids(self.text(body["messages"])) if "messages" in body else self.ids(body["prompt"], opened=False)
            )
            return {"tokens": ids, "count": len(ids)}
        if self.speaks == "llama.cpp":
            return self._as_llama_cpp(path, body)
        return None

    def _as_llama_cpp(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if path == "/props":
            sampling = {"temperature": self.temperature, "repeat_penalty": self.repetition_penalty}
            model = f"tuned.{self.quantisation}.gguf"
            return {"default_generation_settings": {"n_ctx": self.context, "params": sampling}, "model_path": model}
        if path == "/apply-template":
            return {"prompt": self.text(body["messages"])}
        return {"tokens": self.ids(body["content"], opened=body["add_special"])} if path == "/tokenize" else None

    def _as_ollama(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if path == "/api/show":
            sampling = f"temperature {self.temperature}\nrepeat_penalty {self.repetition_penalty}"
            stop = 'stop                           "<|end|>"'
            return {
                "parameters": f"{sampling}\nnum_ctx {self.context}\n{stop}",
                "details": {"quantization_level": self.quantisation},
                "system": self.system,
                "model_info": {"tokenizer.ggml.add_bos_token": self.opening is not None},
            }
        options = body.get("options", {})
        asked = {**options, "max_tokens": options.get("num_predict")}
        asked |= {"repetition_penalty": options["repeat_penalty"]} if "repeat_penalty" in options else {}
        if path == "/api/chat" and body.get("_debug_render_only"):
            return {"_debug_info": {"rendered_template": self.text(body["messages"])}}
        if path not in ("/api/chat", "/api/generate"):
            return None
        prompt = body["prompt"] if path == "/api/generate" else self.text(body["messages"])
        text, reason, _, read = self.generate(self.ids(prompt), asked)
        answer = {"response": text} if path == "/api/generate" else {"message": {"content": text}}
        return {**answer, "done_reason": reason, "prompt_eval_count": read}


@contextmanager
def serving(served: Served) -> Iterator[str]:
    """The URL at which the model is served until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: dict[str, Any]) -> None:
            if self.path in served.answers:
                status, text = served.answers[self.path]
            else:
                reply = served.reply(self.path, body)
                status, text = (404, '{"detail": "Not Found"}') if reply is None else (200, json.dumps(reply))
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if text.startswith("<") else "application/json")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own word
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
