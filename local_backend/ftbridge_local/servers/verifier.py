"""What this machine offers for `Bridge.verify`: its own models token by token, and whoever serves them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import UsageError
from ftbridge.provider.served import Reference, ServedKind, Server
from ftbridge_local.packages import check_packages

if TYPE_CHECKING:
    from ftbridge_local.generation import Generator


class LocalVerifier:
    """`load` gives the model of a name; a URL is asked without torch."""

    kinds: frozenset[ServedKind] = frozenset({"at", "ollama", "gguf", "folder"})

    def __init__(self, load: Callable[[str], Generator], home: Path) -> None:
        self._load = load
        self._home = home

    def reference(self, model: str, chats: Sequence[Chat], *, max_tokens: int) -> Reference:
        """Texts, token ids and logprobs of prompts and answers."""
        generator = self._load(model)
        from ftbridge_local.reference import reference

        return reference(generator, chats, max_tokens)

    def open_server(self, kind: ServedKind, where: str, model: str | None) -> Server:
        """Raises `UsageError` for a URL, a file or a folder that is none, and `NetworkError` where nobody answers."""
        if model is not None and kind != "at":
            raise UsageError("--model chooses among the models of --at URL", hint="Leave it out.")
        if kind == "at":
            from ftbridge_local.servers.openai_server import open_at

            return open_at(where, model)
        if kind == "ollama":
            from ftbridge_local.servers.ollama import OllamaServer

            return OllamaServer(where)
        check_packages()
        if kind == "gguf":
            from ftbridge_local.servers.gguf_model import open_gguf

            return open_gguf(Path(where), self._home)
        from ftbridge_local.servers.loaded import open_folder

        return open_folder(Path(where), self._home)
