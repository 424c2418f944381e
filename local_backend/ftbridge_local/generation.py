"""Replies of a model on this machine, and its loss on chats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, Self

import torch

from ftbridge.dataset.canonical.example import Chat
from ftbridge.errors import DataError, SpecError
from ftbridge.model import RowLoss
from ftbridge.provider import Reply, Usage
from ftbridge_local.batching import greedy, trial
from ftbridge_local.models.load import Model, load, transformers
from ftbridge_local.models.source import Source
from ftbridge_local.tokenizing.encoding import encode, prompt_ids
from ftbridge_local.tokenizing.messages import UntrainableError
from ftbridge_local.tokenizing.tokenizer import Tokenizer
from ftbridge_local.trainer import losses, varlen
from ftbridge_local.trainer.trainable import microbatch_tokens

_WINDOW = 512  # chats that are answered in the order of their lengths
_TOGETHER = 32  # answers that transformers generates together
_ALTERNATIVES = 20  # tokens of a step whose logprobs are told


class Step(NamedTuple):
    """A token that was generated, and the logprobs, in nats, of the most probable ones in its place, by their ids."""

    token: int
    logprobs: dict[int, float]


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

    def __init__(self, name: str, tokenizer: Tokenizer, model: Model) -> None:
        self.name = name
        self.tokenizer = tokenizer
        self.model = model
        self._lock = Lock()

    @classmethod
    def load(cls, name: str, source: Source) -> Self:
        """The model in the folders of `source`."""
        return cls(name, Tokenizer(source.tokenizer), load(source))

    @staticmethod
    def options(body: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a completion. Raises `SpecError` for one that has no effect here."""
        options = {name: value for name, value in body.items() if name not in ("messages", "tools")}
        if unknown := sorted(set(options) - {"max_tokens", "temperature", "seed"}):
            hint = "The options are max_tokens, temperature and seed."
            raise SpecError(f"local has no option {unknown[0]}", hint=hint)
        return options

    def replies(
        self, chats: Iterable[Chat], *, max_tokens: int = 256, temperature: float = 0.0, seed: int = 0
    ) -> Iterator[Reply]:
        """The replies in order, computed in batches; at temperature 0 always the most probable token.

        Raises `DataError` for a chat that the template does not accept or that fills the context.
        """
        remaining = iter(chats)
        while window := list(islice(remaining, _TOGETHER if temperature else _WINDOW)):
            prompts = [self.prompt(chat) for chat in window]
            answers = (
                self._generate(prompts, max_tokens, temperature, seed)
                if temperature
                else self._most_probable(prompts, max_tokens)
            )
            for prompt, new in zip(prompts, answers, strict=True):
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
        prompt, tokens = self.prompt(chat), _Tokens()

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

    @torch.no_grad()
    def greedy(self, prompt: Sequence[int], max_tokens: int) -> list[Step]:
        """The most probable tokens after a prompt of ids, one by one, the token that ends them included."""
        ids = torch.tensor([prompt], device=self.model.device)
        config = transformers.GenerationConfig(
            max_new_tokens=min(max_tokens, self.tokenizer.context - len(prompt)),
            do_sample=False,
            eos_token_id=self.tokenizer.end_ids,
            pad_token_id=self.tokenizer.eos_id,
            output_logits=True,
            return_dict_in_generate=True,
        )
        with self._lock:
            made = self.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config)
        steps = []
        for token, logits in zip(made.sequences[0, len(prompt) :].tolist(), made.logits, strict=True):
            best = logits[0].float().log_softmax(-1).topk(min(_ALTERNATIVES, logits.shape[-1]))
            steps.append(Step(token, dict(zip(best.indices.tolist(), best.values.tolist(), strict=True))))
        return steps

    def prompt(self, chat: Chat) -> list[int]:
        """The token ids of a chat up to where the answer begins. Raises `DataError` as `replies` does."""
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

    def _most_probable(self, prompts: Sequence[list[int]], max_tokens: int) -> list[list[int]]:
        """The new tokens after each prompt, whichever prompts are beside it."""
        if len(prompts) > 1 and (token_bytes := self._token_bytes):
            limits = [min(max_tokens, self.tokenizer.context - len(prompt)) for prompt in prompts]
            with self._lock:
                return greedy.answers(self.model, prompts, limits, self.tokenizer.end_ids, token_bytes)
        found: dict[int, list[int]] = {}
        for length in {len(prompt) for prompt in prompts}:  # so that none is padded
            same = [index for index, prompt in enumerate(prompts) if len(prompt) == length]
            for start in range(0, len(same), _TOGETHER):
                part = same[start : start + _TOGETHER]
                found |= zip(part, self._generate([prompts[index] for index in part], max_tokens, 0.0, 0), strict=True)
        return [found[index] for index in range(len(prompts))]

    @cached_property
    def _token_bytes(self) -> int | None:
        with self._lock:
            return trial.token_bytes(self.model)

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
