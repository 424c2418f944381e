"""A model that this process loads with transformers, to be asked as a server is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ftbridge.errors import UsageError
from ftbridge.provider.completions import read_chat
from ftbridge.provider.served import Answer, Prompt, ServedFacts
from ftbridge_local.generation import Generator
from ftbridge_local.models.find import find
from ftbridge_local.reference import answer_of, prompt_of

_MAX_TOKENS = 128


class LoadedServer:
    """`facts` are what is known of the model; `opens` is put before each prompt that does not begin with it.

    `resources` are closed with it.
    """

    def __init__(
        self, generator: Generator, facts: ServedFacts, resources: ExitStack | None = None, opens: int | None = None
    ) -> None:
        self._generator = generator
        self._facts = facts
        self._resources = resources or ExitStack()
        self._opens = opens

    def facts(self) -> ServedFacts:
        """As they were given."""
        return self._facts

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """By the model's own template and tokenizer."""
        prompt = prompt_of(self._generator, read_chat(body))
        if self._opens is None or (prompt.ids or ())[:1] == (self._opens,):
            return prompt
        ids = (self._opens, *(prompt.ids or ()))
        return Prompt(text=prompt.text, ids=ids, count=len(ids))

    def tokenize(self, text: str) -> tuple[int, ...]:
        """By the model's own tokenizer."""
        return tuple(self._generator.tokenizer.encode(text)[0])

    def chat(self, body: Mapping[str, Any]) -> Answer:
        """Greedily, whatever is asked: whoever loads the model decides how it is sampled."""
        return answer_of(self._generator, self.prompt(body).ids or (), body.get("max_tokens", _MAX_TOKENS))

    def proceed(self, prompt: Prompt, max_tokens: int) -> Answer | None:
        """After the same ids."""
        return answer_of(self._generator, prompt.ids, max_tokens) if prompt.ids else None

    def close(self) -> None:
        """Let go of the model."""
        self._resources.close()


def open_folder(folder: Path, home: Path) -> LoadedServer:
    """The model in an exported or fetched folder. Raises `UsageError` for a folder without one."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", hint="Give one that `ftbridge export` or `fetch` has written.")
    source = find(str(folder.absolute()), home.absolute(), weights=True)
    facts = ServedFacts(server="transformers", model=str(folder))
    return LoadedServer(Generator.load(str(folder), source), facts)
