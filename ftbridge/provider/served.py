"""A model as it was trained and as a server serves it, in the same words, so that the two can be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from pydantic import Field

from ftbridge.dataset.canonical.example import Chat
from ftbridge.model import Frozen

ServedKind = Literal["at", "ollama", "gguf", "folder"]
"""How a served model is named: a URL, a model of Ollama's, a GGUF file, or a folder that was exported or fetched."""


class Token(Frozen):
    """A token of an answer; `logprob` is its logarithmic probability, in nats.

    `alternatives` are the most probable tokens in its place by their ids, itself among them, with theirs.
    """

    text: str
    id: int | None = None
    logprob: float | None = None
    alternatives: Mapping[int, float] = Field(default_factory=dict, exclude=True)


class Prompt(Frozen):
    """What a model reads before it answers, as far as it is known: the text, the token ids, how many they are."""

    text: str | None = None
    ids: tuple[int, ...] | None = None
    count: int | None = None


class Answer(Frozen):
    """A greedy answer, and the reasoning before it; `whole` is both as the model wrote them, where that is known.

    `ended` is true where the model ended it, false where a limit of tokens did, and None where nobody says.
    `prompt_count` are the tokens that were read for it.
    """

    text: str
    whole: str | None = None
    tokens: tuple[Token, ...] = ()
    ended: bool | None = None
    prompt_count: int | None = None


class ReferenceRow(Frozen):
    """What the model reads for a chat, and what it answers."""

    prompt: Prompt
    answer: Answer


class Reference(Frozen):
    """A model's own prompts and greedy answers, which whoever serves it should have too.

    `bos` is the token that opens a text, `ends` are those that end an answer. `encode` makes tokens of a text. A
    provider that gives texts alone leaves all of these out.
    """

    rows: tuple[ReferenceRow, ...]
    bos: str = ""
    ends: tuple[str, ...] = ()
    encode: Callable[[str], tuple[Token, ...]] | None = Field(None, exclude=True, repr=False)


class ServedFacts(Frozen):
    """What a server says of itself and its model, as far as it does.

    `quantisation` is the type of its weights where that is a reduced one. `sampling` are the defaults that hold where a
    request says nothing else, by OpenAI's names and `repetition_penalty`. `context` is how many tokens prompt and
    answer may have. `adds_bos` says whether the server puts the opening token before each text itself. `system` is a
    system message that it adds. `limits` are sentences on what cannot be asked of it, and `fixes` say what to do at
    this kind of server, by the code of the cause.
    """

    server: str
    model: str
    quantisation: str | None = None
    sampling: Mapping[str, float] = Field(default_factory=dict)
    context: int | None = None
    stops: tuple[str, ...] = ()
    adds_bos: bool | None = None
    system: str = ""
    limits: tuple[str, ...] = ()
    fixes: Mapping[str, str] = Field(default_factory=dict, exclude=True)


class Server(Protocol):
    """A served model that can be asked. What a server cannot tell is None; other trouble is an `FtbridgeError`."""

    def facts(self) -> ServedFacts:
        """What it says of itself."""

    def prompt(self, body: Mapping[str, Any]) -> Prompt | None:
        """What its model reads for the messages and tools of `body`, without an answer."""

    def tokenize(self, text: str) -> tuple[int, ...] | None:
        """The token ids of a text by its tokenizer, nothing added, special tokens read as such."""

    def chat(self, body: Mapping[str, Any]) -> Answer:
        """The answer to a chat completion in OpenAI's shape, without `model`."""

    def proceed(self, prompt: Prompt, max_tokens: int) -> Answer | None:
        """What its model writes, greedily, after exactly this prompt."""

    def close(self) -> None:
        """Let go of connections and memory."""


class Verifier(Protocol):
    """What a provider that knows its models token by token offers for `Bridge.verify`."""

    kinds: frozenset[ServedKind]
    """The kinds of served models that `open_server` opens."""

    def reference(self, model: str, chats: Sequence[Chat], *, max_tokens: int) -> Reference:
        """What `model` reads for each chat, and answers greedily."""

    def open_server(self, kind: ServedKind, where: str, model: str | None) -> Server:
        """A model that is served, to be asked; `model` is its name where the server has several."""
