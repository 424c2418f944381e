"""Replies of a model on this machine, and its loss on chats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import torch

from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import DataError
from ftbridge.model import RowLoss
from ftbridge.provider import Reply, Usage
from ftbridge_local.models.load import load, transformers
from ftbridge_local.models.source import Source
from ftbridge_local.tokenizing.encoding import encode, prompt_ids
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import losses, varlen
from ftbridge_local.trainer.trainable import microbatch_tokens

_BATCH = 32


class _Tokens:
    """A streamer for transformers: what one thread generates, another reads."""

    def __init__(self) -> None:
        self.queue: SimpleQueue[int | BaseException | None] = SimpleQueue()
        self.closed = False

    def put(self, value: torch.Tensor) -> None:
        """Take a token; the first call brings the prompt, as a batch."""
        if self.closed:
            raise RuntimeError("nobody reads the answer any more")
        if value.ndim == 1:
            self.queue.put(int(value[0]))

    def end(self) -> None:
        """There are no more tokens."""
        self.queue.put(None)

    def __iter__(self) -> Iterator[int]:
        while (token := self.queue.get()) is not None:
            if isinstance(token, BaseException):
                raise token
            yield token


class Generator:
    """A model, loaded once, that answers chats."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.tokenizer = Tokenizer(source.tokenizer)
        self.model = load(source)
        self._lock = Lock()

    def replies(
        self, chats: Iterable[Chat], *, max_tokens: int = 256, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[Reply]:
        """The replies in order, computed in batches; at temperature 0 always the most probable token.

        Raises `DataError` for a chat that the template does not accept or that fills the context.
        """
        remaining = iter(chats)
        while batch := list(islice(remaining, _BATCH)):
            prompts = [self._prompt(chat) for chat in batch]
            for prompt, new in zip(prompts, self._generate(prompts, max_tokens, temperature, seed), strict=True):
                ids = self._until_end(new)
                usage = Usage(prompt_tokens=len(prompt), completion_tokens=len(ids))
                reasoning, text = self.tokenizer.read_answer(ids, opened=self.tokenizer.opens_reasoning(prompt))
                reason = "stop" if len(ids) < len(new) else "length"
                yield Reply(text=text, model=self.name, usage=usage, reasoning=reasoning, finish_reason=reason)

    def stream(
        self, chat: Chat, *, max_tokens: int = 256, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[str | dict[str, str]]:
        """The same answer in pieces, as the tokens come; before it, in one piece, the reasoning.

        Where the model does not end it, the last piece is the `finish_reason`. Closing the iterator stops the model.
        """
        prompt, tokens = self._prompt(chat), _Tokens()

        def run() -> None:
            try:
                self._generate([prompt], max_tokens, temperature, seed, tokens)
            except BaseException as problem:  # handed to the thread that reads
                tokens.queue.put(problem)

        Thread(target=run, name="ftbridge-generation", daemon=True).start()
        opened = self.tokenizer.opens_reasoning(prompt)
        ids: list[int] = []
        written: list[int] = []
        sent, thought = "", False
        try:
            for token in chain(tokens, [None]):
                ids += [] if token is None else [token]
                written = self._until_end(ids)
                reasoning, text = self.tokenizer.read_answer(written, opened=opened)
                if token is not None and not self._is_piece(text, written):
                    continue
                if reasoning and not thought and (text or token is None):
                    thought = True
                    yield {"reasoning_content": reasoning}
                if text.startswith(sent) and len(text) > len(sent):
                    yield text[len(sent) :]
                    sent = text
            if len(written) == len(ids):
                yield {"finish_reason": "length"}
        finally:
            tokens.closed = True

    def _is_piece(self, text: str, ids: list[int]) -> bool:
        """Whether `text` can be sent: it does not end in a part of a character, and is no part of a mark."""
        marks = self.tokenizer.reasoning
        if marks is None or text.endswith("\ufffd"):
            return not text.endswith("\ufffd")
        begun = self.tokenizer.decode(ids, special=True).strip()
        return not (begun and marks.opens.startswith(begun))

    def losses(self, chats: Iterable[Chat]) -> list[RowLoss]:
        """The mean loss per trained token of each chat, in nats. Raises `DataError` where none has any."""
        try:
            rows = [encode(chat, self.tokenizer).truncate(self.tokenizer.context) for chat in chats]
        except UntrainableError as problem:
            raise DataError(str(problem), hint=problem.fix, path=problem.path) from None
        trainable = [row for row in rows if row.trainable]
        if not trainable:
            raise DataError("no chat has an answer to compute the loss of", hint="Give chats that end with an answer.")
        with self._lock, varlen.enabled(self.model):
            computed = iter(losses.of_each(self.model, trainable, microbatch_tokens(self.model)))
        return [RowLoss(loss=next(computed), tokens=row.weight) if row.trainable else RowLoss() for row in rows]

    def _prompt(self, chat: Chat) -> list[int]:
        try:
            ids = prompt_ids(chat, self.tokenizer)
        except UntrainableError as problem:
            raise DataError(str(problem), hint=problem.fix, path=problem.path) from None
        if len(ids) >= self.tokenizer.context:
            raise DataError(
                f"the chat is {len(ids)} tokens long, and the model reads {self.tokenizer.context} with its answer",
                hint="Shorten it.",
            )
        return ids

    @torch.no_grad()
    def _generate(
        self, prompts: Sequence[list[int]], max_tokens: int, temperature: float, seed: int, streamer: Any = None
    ) -> list[list[int]]:
        """The new tokens after each prompt, and padding. Prompts are padded on the left, where a mask hides it."""
        end, width = self.tokenizer.eos_id, max(map(len, prompts))
        ids = torch.tensor([[end] * (width - len(prompt)) + prompt for prompt in prompts], device=self.model.device)
        mask = (torch.arange(width) >= torch.tensor([[width - len(prompt)] for prompt in prompts])).to(ids)
        config = transformers.GenerationConfig(
            max_new_tokens=min(max_tokens, self.tokenizer.context - width),
            do_sample=temperature > 0,
            temperature=temperature or None,
            eos_token_id=self.tokenizer.end_ids,
            pad_token_id=end,
        )
        with self._lock, torch.random.fork_rng(devices=[]):  # the random state is one for all threads
            torch.manual_seed(seed)
            output = self.model.generate(
                input_ids=ids, attention_mask=mask, generation_config=config, streamer=streamer
            )
        new: list[list[int]] = output[:, width:].tolist()
        return new

    def _until_end(self, ids: list[int]) -> list[int]:
        ends = (index for index, token in enumerate(ids) if token in self.tokenizer.end_ids)
        return ids[: next(ends, len(ids))]
